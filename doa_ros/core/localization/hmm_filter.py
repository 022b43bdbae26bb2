# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the frames so far say about a source: the forward algorithm of hidden Markov models.

L. Rabiner, "A tutorial on hidden Markov models and selected applications in speech recognition",
Proc. IEEE 77(2), 1989. The states are: nobody, or somebody at one of the azimuth classes. Frames
overlap and are not independent, so that each counts as a fraction of one.
"""

from dataclasses import dataclass, replace
import math

import numpy as np

from doa_ros.core.config import setting
from doa_ros.core.features.extractor import CLEAR_ACTIVITY
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.decoding import (
    HALF_STEP,
    DirectionGrid,
    Estimate,
    Spectrum,
    decode_posterior,
    logit,
)

_LEAST_ACTIVITY = 2e-3


@dataclass(frozen=True)
class MemoryConfig(Calibration):
    """How much is remembered, and what the evidence is worth; `calibrate` finds them."""

    bias: float = setting(0.0, 'Log-odds of a source where nothing speaks for or against it.')
    activity_weight: float = setting(0.8, 'Weight of the log-odds of the activity output.')
    level_weight: float = setting(
        2.5, 'Weight of the logarithm of how much stands above the noise floor.'
    )
    direction_share: float = setting(
        0.5,
        'Share of an independent observation of the direction that a frame is.',
        minimum=0.0,
        maximum=1.0,
    )
    onset: float = setting(
        5.0, 'How often nobody becomes somebody [1/s].', minimum=1e-3, maximum=20.0
    )
    offset: float = setting(
        1.0, 'How often somebody becomes nobody [1/s].', minimum=1e-3, maximum=20.0
    )
    change: float = setting(
        0.3,
        'How often another source takes over [1/s].',
        minimum=1e-4,
        maximum=20.0,
    )
    drift_deg: float = setting(
        15.0,
        'How far a source moves in a second, as a standard deviation [deg].',
        minimum=0.1,
        maximum=180.0,
    )


class Memory:
    """Follows one source from frame to frame, or in each of several streams one.

    Args:
        grid: the classes.
        hop: time between frames [s].
        config: the settings.
    """

    def __init__(self, grid: DirectionGrid, hop: float, config: MemoryConfig):
        self._config, self._lowest = config, grid.elevation_min
        self._onset, self._offset, self._change = (
            1 - math.exp(-rate * hop) for rate in (config.onset, config.offset, config.change)
        )
        self._azimuth_moves, self._elevation_moves = _all_moves(grid, hop, config)
        self.reset()

    def corrected(self, elevation: float) -> float:
        """Return the elevation [rad] for that of the classes; NaN stays NaN."""
        return self._config.corrected(elevation, self._lowest)

    def reset(self) -> None:
        """Forget everything."""
        self._nobody = np.ones(1)
        self._azimuth, self._elevation = (
            np.full(len(moves), 1 / max(len(moves), 1))
            for moves in (self._azimuth_moves, self._elevation_moves)
        )

    def update(self, spectrum: Spectrum, above_floor: float) -> Spectrum:
        """Take in a frame.

        Args:
            spectrum: of the network, with its activity. To follow several streams at once, its
                arrays have further axes before that of the classes, and the activity, of shape
                (..., 1), and `above_floor` have them, too.
            above_floor: how much of the sound stands above the noise floor, 0..1.

        Returns:
            The probabilities of the directions after this frame, of the same shapes.
        """
        config = self._config
        somebody = 1 - self._nobody
        staying = (1 - self._offset) * somebody
        born = self._onset * self._nobody + self._change * staying
        stayed = (1 - self._change) * staying
        nobody = (1 - self._onset) * self._nobody + self._offset * somebody

        odds = np.exp(self._log_odds(spectrum.activity, above_floor))
        count = spectrum.azimuth.shape[-1]
        moved = stayed * (self._azimuth @ self._azimuth_moves) + born / count
        moved = moved * odds * (count * spectrum.azimuth + HALF_STEP) ** config.direction_share
        present = moved.sum(axis=-1, keepdims=True)
        self._nobody = nobody / (nobody + present)
        self._azimuth = moved / present
        known = replace(spectrum, azimuth=self._azimuth, activity=1 - self._nobody)
        if spectrum.elevation is None:
            return known
        self._elevation = elevation_after(
            self._elevation @ self._elevation_moves,
            spectrum.elevation,
            born / (born + stayed),
            # A frame without a source says nothing about its elevation.
            config.elevation_share * (1 - self._nobody),
        )
        return replace(known, elevation=self._elevation)

    def _log_odds(self, activity, above_floor):
        """Return what a frame by itself says about whether there is a source."""
        config = self._config
        evidence = config.bias + config.activity_weight * logit(activity)
        return evidence + config.level_weight * _log_level(above_floor)

    def estimates(self, spectrum: Spectrum) -> list[Estimate]:
        """Return the direction of the source, if there is one, from what `update` returned."""
        azimuth, stddev, near = decode_posterior(spectrum.azimuth)
        probability = float(spectrum.activity[0]) * near
        return [self._config.estimate(spectrum, azimuth, stddev, probability)]


def _log_level(above_floor):
    """Return the logarithm of how clearly a sound stands above the noise floor, at most 0."""
    return np.log(np.clip(above_floor / CLEAR_ACTIVITY, _LEAST_ACTIVITY, 1))


def _all_moves(
    grid: DirectionGrid, hop: float, config: MemoryConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Return `moves` between the azimuth classes and between the elevation classes."""
    drift = math.radians(config.drift_deg) * math.sqrt(hop)
    return (
        moves(wrap_angle(grid.azimuths[:, None] - grid.azimuths), drift),
        moves(grid.elevations[:, None] - grid.elevations, drift),
    )


def elevation_after(moved: np.ndarray, seen: np.ndarray, new, share) -> np.ndarray:
    """Return the probabilities of the elevations after a frame.

    Args:
        moved: those before it, shape (..., elevations).
        seen: those of the frame alone, of the same shape.
        new: the share of a source that has just begun, shape (..., 1).
        share: which share of an independent observation the frame is, shape (..., 1).
    """
    count = seen.shape[-1]
    moved = (1 - new) * moved + new / count
    moved = moved * (count * seen + HALF_STEP) ** share
    return moved / moved.sum(axis=-1, keepdims=True)


def moves(distance: np.ndarray, drift: float) -> np.ndarray:
    """Return the probabilities of going from each class (row) to each other (column).

    Args:
        distance: from each class to each other [rad], shape (classes, classes).
        drift: how far somebody goes, as a standard deviation [rad].
    """
    likely = np.exp(-0.5 * (distance / drift) ** 2)
    return likely / likely.sum(axis=1, keepdims=True)
