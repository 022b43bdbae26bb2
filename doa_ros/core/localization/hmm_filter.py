# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The HMM filter of a single source: the forward algorithm of a hidden Markov model.

L. Rabiner, "A tutorial on hidden Markov models and selected applications in speech recognition",
Proc. IEEE 77(2), 1989. The states are silence and a source at each of the azimuth classes. Windows
overlap and are not independent. So each one counts as a fraction of an observation.
"""

from dataclasses import dataclass, replace
import math
from typing import NamedTuple

import numpy as np

from doa_ros.core.config import Config, setting
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.features.extractor import CLEAR_ACTIVITY
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.decoding import HALF_STEP, logit
from doa_ros.core.localization.source_filter import Localization
from doa_ros.core.localization.spectrum import (
    SingleSourcePosterior,
    Spectrum,
    WindowSpectra,
)

_LEAST_ACTIVITY = 2e-3


@dataclass(frozen=True)
class HmmFilterConfig(Config):
    """Transitions and weights of the evidence of the HMM filter; `calibrate` finds them."""

    bias: float = setting(0.0, 'Log-odds of a source without any evidence.')
    activity_weight: float = setting(0.8, 'Weight of the log-odds of the activity output.')
    level_weight: float = setting(
        2.5, 'Weight of the logarithm of the share of sound above the noise floor.'
    )
    direction_share: float = setting(
        0.5,
        'Weight of a window for the azimuth; 1 would be an independent observation.',
        minimum=0.0,
        maximum=1.0,
    )
    elevation_share: float = setting(
        0.5,
        'Weight of a window for the elevation; 1 would be an independent observation.',
        minimum=0.0,
        maximum=1.0,
    )
    onset: float = setting(
        5.0, 'Rate at which a source begins in silence [1/s].', minimum=1e-3, maximum=20.0
    )
    offset: float = setting(1.0, 'Rate at which a source ends [1/s].', minimum=1e-3, maximum=20.0)
    change: float = setting(
        0.3,
        'Rate at which another source takes over [1/s].',
        minimum=1e-4,
        maximum=20.0,
    )
    drift_deg: float = setting(
        15.0,
        'How far a source moves in a second, as a standard deviation [deg].',
        minimum=0.1,
        maximum=180.0,
    )


class _Predicted(NamedTuple):
    """A window before its directions are looked at: priors, and the odds of its activity.

    Attributes:
        birth, survival, silence: prior of a source that begins, of one that goes on, and of
            silence.
        odds: of a source, by the activity of the window alone.
    """

    birth: np.ndarray
    survival: np.ndarray
    silence: np.ndarray
    odds: np.ndarray

    @property
    def presence(self) -> np.ndarray:
        """The probability of a source, wherever it is."""
        present = (self.birth + self.survival) * self.odds
        return present / (present + self.silence)


class HmmFilter:
    """Filters the spectra of a single source over time, in one stream or in several at once.

    Args:
        grid: the classes.
        hop: time between windows [s].
        config: the settings.
        calibration: of the estimates.
    """

    def __init__(
        self, grid: DirectionGrid, hop: float, config: HmmFilterConfig, calibration: Calibration
    ):
        self._config, self._calibration = config, calibration
        self._lowest = grid.elevation_min
        self._onset, self._offset, self._change = (
            1 - math.exp(-rate * hop) for rate in (config.onset, config.offset, config.change)
        )
        self._azimuth_transitions, self._elevation_transitions = _transitions(grid, hop, config)
        self.reset()

    def reset(self) -> None:
        """Begin another stream."""
        self._p_silence = np.ones(1)
        self._azimuth, self._elevation = (
            np.full(len(transitions), 1 / max(len(transitions), 1))
            for transitions in (self._azimuth_transitions, self._elevation_transitions)
        )

    def update(self, window: WindowSpectra) -> Localization:
        """Take in a window and return what is found up to it.

        The directions of the detections are those of the window by itself, so that their errors
        are not those of earlier ones. How likely a source is, earlier windows say, too.
        """
        predicted = self._predicted(window.whole, window.above_floor)
        posterior = self._posterior(window.whole, predicted)
        known = replace(window, whole=replace(window.whole, activity=predicted.presence))
        detections = (
            replace(found, elevation=self._calibration.corrected(found.elevation, self._lowest))
            for found in known.detections()
        )
        estimates = self._calibration.estimates(posterior)
        return Localization(tuple(estimates), posterior, tuple(detections))

    def posterior(
        self, spectrum: Spectrum, above_floor: float | np.ndarray
    ) -> SingleSourcePosterior:
        """Take in a window, or one of each stream, and return the posterior of the directions.

        Args:
            spectrum: of the network, with its activity. For several streams at once, its
                arrays have further axes before that of the classes, and the activity, of shape
                (..., 1), and `above_floor` have them, too.
            above_floor: share of the sound above the noise floor, 0..1.

        Returns:
            Arrays of the same shapes.
        """
        return self._posterior(spectrum, self._predicted(spectrum, above_floor))

    def _predicted(self, spectrum: Spectrum, above_floor: float | np.ndarray) -> _Predicted:
        """Return what earlier windows and the activity of this one say of a source."""
        p_source = 1 - self._p_silence
        p_on = (1 - self._offset) * p_source
        return _Predicted(
            birth=self._onset * self._p_silence + self._change * p_on,
            survival=(1 - self._change) * p_on,
            silence=(1 - self._onset) * self._p_silence + self._offset * p_source,
            odds=np.exp(self._log_odds(spectrum.activity, above_floor)),
        )

    def _posterior(self, spectrum: Spectrum, prior: _Predicted) -> SingleSourcePosterior:
        """Take in the directions of a window, too."""
        config = self._config
        p_birth, p_survive, p_silence, odds = prior
        count = spectrum.azimuth.shape[-1]
        predicted = p_survive * (self._azimuth @ self._azimuth_transitions) + p_birth / count
        joint = predicted * odds * (count * spectrum.azimuth + HALF_STEP) ** config.direction_share
        p_present = joint.sum(axis=-1, keepdims=True)
        self._p_silence = p_silence / (p_silence + p_present)
        self._azimuth = joint / p_present
        if spectrum.elevation is not None:
            self._elevation = updated_elevation(
                self._elevation @ self._elevation_transitions,
                spectrum.elevation,
                p_birth / (p_birth + p_survive),
                # A window without a source is no evidence of an elevation.
                config.elevation_share * (1 - self._p_silence),
            )
        return SingleSourcePosterior(
            azimuth=self._azimuth,
            elevation=None if spectrum.elevation is None else self._elevation,
            activity=1 - self._p_silence,
            coherence=spectrum.coherence,
            elevation_min=spectrum.elevation_min,
            attributes=spectrum.attributes,
        )

    def _log_odds(self, activity, above_floor):
        """Return the log-odds of a source of a window by itself."""
        config = self._config
        evidence = config.bias + config.activity_weight * logit(activity)
        return evidence + config.level_weight * _log_level(above_floor)


def _log_level(above_floor):
    """Return the logarithm of how clearly a sound stands above the noise floor, at most 0."""
    return np.log(np.minimum(np.maximum(above_floor / CLEAR_ACTIVITY, _LEAST_ACTIVITY), 1))


def _transitions(
    grid: DirectionGrid, hop: float, config: HmmFilterConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Return the transition matrices of the azimuth and of the elevation classes."""
    drift = math.radians(config.drift_deg) * math.sqrt(hop)
    return (
        transition_matrix(wrap_angle(grid.azimuths[:, None] - grid.azimuths), drift),
        transition_matrix(grid.elevations[:, None] - grid.elevations, drift),
    )


def updated_elevation(predicted: np.ndarray, observed: np.ndarray, p_new, share) -> np.ndarray:
    """Return the posterior of the elevations after a window.

    Args:
        predicted: the prior, shape (..., elevations).
        observed: the probabilities of the window alone, of the same shape.
        p_new: the probability that the source has just begun, shape (..., 1).
        share: which share of an independent observation the window is, shape (..., 1).
    """
    count = observed.shape[-1]
    predicted = (1 - p_new) * predicted + p_new / count
    joint = predicted * (count * observed + HALF_STEP) ** share
    return joint / joint.sum(axis=-1, keepdims=True)


def transition_matrix(distance: np.ndarray, drift: float) -> np.ndarray:
    """Return the probabilities of going from each class (row) to each other (column).

    Args:
        distance: from each class to each other [rad], shape (classes, classes).
        drift: how far a source moves, as a standard deviation [rad].
    """
    likelihood = np.exp(-0.5 * (distance / drift) ** 2)
    return likelihood / likelihood.sum(axis=1, keepdims=True)
