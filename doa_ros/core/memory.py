# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the frames so far say about the sources: the forward algorithm of hidden Markov models.

L. Rabiner, "A tutorial on hidden Markov models and selected applications in speech recognition",
Proc. IEEE 77(2), 1989. Of a single source the states are: nobody, or somebody at one of the
azimuth classes. Of several, each azimuth class is a model of its own, with somebody there or not,
as in the occupancy grids of A. Elfes, "Using occupancy grids for mobile robot perception and
navigation", Computer 22(6), 1989. Frames overlap and are not independent, so that each counts as
a fraction of one.
"""

from dataclasses import dataclass, replace
import math

import numpy as np
from scipy import special

from doa_ros.core.config import Config, setting
from doa_ros.core.decoding import (
    HALF_STEP,
    DirectionGrid,
    Estimate,
    Spectrum,
    decode_azimuths,
    decode_posterior,
    logit,
)
from doa_ros.core.features import CLEAR_ACTIVITY
from doa_ros.core.geometry import wrap_angle

_LEAST_ACTIVITY, _LEAST_COHERENCE = 2e-3, 0.02
# Of several sources: stages on the way to nobody, and how much weaker than the leading class one
# may be and yet lead itself.
_STAGES, _LEAD = 4, 4


@dataclass(frozen=True)
class MemoryConfig(Config):
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
    elevation_share: float = setting(
        0.5, 'The same of the elevation.', minimum=0.0, maximum=1.0
    )
    onset: float = setting(
        5.0, 'How often nobody becomes somebody [1/s].', minimum=1e-3, maximum=20.0
    )
    offset: float = setting(
        1.0, 'How often somebody becomes nobody [1/s].', minimum=1e-3, maximum=20.0
    )
    change: float = setting(
        0.3,
        'How often another source takes over [1/s]; several sources do not.',
        minimum=1e-4,
        maximum=20.0,
    )
    drift_deg: float = setting(
        15.0, 'How far a source moves in a second, as a standard deviation [deg].', minimum=0.1,
        maximum=180.0,
    )
    confidence_bias: float = setting(
        0.0, 'Added to the log-odds of a source within 10 degrees: Platt scaling.'
    )
    confidence_weight: float = setting(1.0, 'Weight of these log-odds.', minimum=0.0)
    elevation_scale: float = setting(
        1.0, 'Elevation over that of the posterior.', minimum=0.5, maximum=2.0
    )
    elevation_shift_deg: float = setting(
        0.0,
        'Added to it [deg]; imperfect microphones let sounds seem higher than they are.',
        minimum=-45.0,
        maximum=45.0,
    )
    azimuth_spread: float = setting(
        1.0, 'Standard deviation of the azimuth error [rad] where that of the posterior is 1 rad.'
    )
    azimuth_power: float = setting(
        1.0, 'With which power of that of the posterior it grows.', minimum=0.0, maximum=5.0
    )
    azimuth_fading: float = setting(
        0.0, 'With which power of the coherence it falls.', minimum=0.0, maximum=5.0
    )
    elevation_spread: float = setting(1.0, 'The same of the elevation.')
    elevation_power: float = setting(
        1.0, 'The same of the elevation.', minimum=0.0, maximum=5.0
    )
    elevation_fading: float = setting(
        0.0, 'The same of the elevation.', minimum=0.0, maximum=5.0
    )

    def corrected(self, elevation: float) -> float:
        """Return the elevation [rad] for that of the classes; NaN stays NaN."""
        shifted = self.elevation_scale * elevation + math.radians(self.elevation_shift_deg)
        return float(np.clip(shifted, 0.0, math.pi / 2))


class Memory:
    """Follows one source from frame to frame, or in each of several streams one.

    Args:
        grid: the classes.
        hop: time between frames [s].
        config: the settings.
    """

    def __init__(self, grid: DirectionGrid, hop: float, config: MemoryConfig):
        self._config = config
        self._onset, self._offset, self._change = (
            1 - math.exp(-rate * hop) for rate in (config.onset, config.offset, config.change)
        )
        self._azimuth_moves, self._elevation_moves = _all_moves(grid, hop, config)
        self.reset()

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
        self._elevation = _followed(
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
        return [_calibrated(self._config, spectrum, azimuth, stddev, probability)]


class Occupancy:
    """Follows several sources: at each azimuth class, is there one?

    Three things are added to independent classes. Reflections are always weaker than their source:
    only the leading direction of a frame becomes more probable, the others at most stay so. Voices
    mask each other: while another class leads, that a class is weak says little. And a source that
    is not heard is kept for a time of little variance, as each class goes through stages on its
    way to nobody: L. Rabiner (above), IV.D, and A. K. Erlang's distribution.

    Args:
        grid: the classes.
        hop: time between frames [s].
        config: the settings.
    """

    def __init__(self, grid: DirectionGrid, hop: float, config: MemoryConfig):
        self._config = config
        self._onset, self._leave = (
            1 - math.exp(-rate * hop) for rate in (config.onset, _STAGES * config.offset)
        )
        self._azimuth_moves, self._elevation_moves = _all_moves(grid, hop, config)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        classes, elevations = len(self._azimuth_moves), len(self._elevation_moves)
        self._stages = np.zeros((_STAGES, classes))
        self._elevation = np.full((classes, elevations), 1 / max(elevations, 1))

    def update(self, spectrum: Spectrum, above_floor: float) -> Spectrum:
        """Take in a frame; arguments and result are those of `Memory.update`."""
        config = self._config
        known = self._stages @ self._azimuth_moves
        leaving = self._leave * known
        stages = known - leaving
        stages[..., 1:, :] += leaving[..., :-1, :]
        stayed = stages.sum(axis=-2)
        born = self._onset * (1 - stayed)
        stages[..., 0, :] += born
        expected = stayed + born

        strongest = spectrum.azimuth.max(axis=-1, keepdims=True)
        leads = (spectrum.azimuth / np.maximum(strongest, HALF_STEP)) ** _LEAD
        unmasked = 1 - strongest * (1 - leads)
        # That there is a source somewhere, or a loud one, does not speak for one here.
        evidence = (
            config.bias
            + config.direction_share * unmasked * logit(spectrum.azimuth)
            + config.activity_weight * np.log(spectrum.activity + HALF_STEP)
            + config.level_weight * _log_level(above_floor)
        )
        heard = special.expit(special.logit(expected) + evidence)
        azimuth = leads * heard + (1 - leads) * np.minimum(heard, known.sum(axis=-2))
        # What is heard now begins its way anew.
        renewed = spectrum.azimuth[..., None, :]
        shares = (1 - renewed) * stages / expected[..., None, :]
        shares[..., :1, :] += renewed
        self._stages = azimuth[..., None, :] * shares
        if spectrum.elevation is None:
            return replace(spectrum, azimuth=azimuth)
        self._elevation = _followed(
            self._elevation @ self._elevation_moves,
            spectrum.elevation,
            (born / expected)[..., None],
            # A class without a source says nothing about its elevation.
            config.elevation_share * azimuth[..., None],
        )
        return replace(spectrum, azimuth=azimuth, elevation=self._elevation)

    def estimates(self, spectrum: Spectrum) -> list[Estimate]:
        """Return the directions of the sources from what `update` returned, the surest first."""
        return [
            _calibrated(self._config, spectrum, *peak)
            for peak in decode_azimuths(spectrum.azimuth)
        ]


def _log_level(above_floor):
    """Return the logarithm of how clearly a sound stands above the noise floor, at most 0."""
    return np.log(np.clip(above_floor / CLEAR_ACTIVITY, _LEAST_ACTIVITY, 1))


def _calibrated(
    config: MemoryConfig, spectrum: Spectrum, azimuth: float, stddev: float, probability: float
) -> Estimate:
    """Return the estimate of a peak of the azimuths, its stddev [rad] and its probability."""
    elevation, elevation_stddev = spectrum.elevation_at(azimuth)
    log_odds = config.confidence_bias + config.confidence_weight * logit(probability)
    # What is less coherent, in reverberation or with dead microphones, errs more.
    coherence = max(float(spectrum.coherence), _LEAST_COHERENCE)
    stddev = stddev**config.azimuth_power / coherence**config.azimuth_fading
    elevation_stddev = (
        elevation_stddev**config.elevation_power / coherence**config.elevation_fading
    )
    return Estimate(
        azimuth,
        config.corrected(elevation),
        config.azimuth_spread * stddev,
        config.elevation_spread * elevation_stddev,
        float(special.expit(log_odds)),
    )


def _all_moves(
    grid: DirectionGrid, hop: float, config: MemoryConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Return `_moves` between the azimuth classes and between the elevation classes."""
    drift = math.radians(config.drift_deg) * math.sqrt(hop)
    return (
        _moves(wrap_angle(grid.azimuths[:, None] - grid.azimuths), drift),
        _moves(grid.elevations[:, None] - grid.elevations, drift),
    )


def _followed(moved: np.ndarray, seen: np.ndarray, new, share) -> np.ndarray:
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


def _moves(distance: np.ndarray, drift: float) -> np.ndarray:
    """Return the probabilities of going from each class (row) to each other (column)."""
    moves = np.exp(-0.5 * (distance / drift) ** 2)
    return moves / moves.sum(axis=1, keepdims=True)
