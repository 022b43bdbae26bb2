# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The recurrent filter of several sources, standing or walking.

Its network has a state at each azimuth class. In every window, gated convolutions around the
circle move and renew the states: K. Cho et al., "Learning phrase representations using RNN
encoder-decoder for statistical machine translation", EMNLP 2014; X. Shi et al., "Convolutional
LSTM network", NIPS 2015. Its input is the output of the classifier in each window. It has learnt
how voices pause and mask each other, how sounds are reflected and how people walk; compare S.
Adavanne, A. Politis and T. Virtanen, "Localization, detection and tracking of multiple moving
sound sources with a convolutional recurrent neural network", DCASE 2019.
"""

from dataclasses import dataclass, replace
import math

import numpy as np

from doa_ros.core.config import Config, setting
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import ModelError
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.decoding import logit
from doa_ros.core.localization.hmm_filter import transition_matrix, updated_elevation
from doa_ros.core.localization.source_filter import Localization
from doa_ros.core.localization.spectrum import MultiSourceSpectrum, Spectrum, WindowSpectra
from doa_ros.core.localization.tflite import TFLiteModel

# What the network is given at each azimuth class.
CHANNELS = 7
# Bring the channels to a size of about 1.
_LOGIT_SCALE, _LEVEL_SCALE = 0.25, 0.3
_LEAST_LEVEL = 1e-3
# How far the elevations of a source are carried along the azimuths and blurred in a second, as
# standard deviations [rad].
_AZIMUTH_DRIFT, _ELEVATION_DRIFT = math.radians(20), math.radians(12)
# Detections are at least this far apart [rad].
_NEAREST = math.radians(12)
# Probability of a new source at an azimuth where none was.
_UNKNOWN = 0.02


def filter_input(window: WindowSpectra) -> np.ndarray:
    """Return what the network takes of a window, shape (azimuths, CHANNELS), float32.

    Args:
        window: with its residual, and with activities.
    """
    whole, residual, uncancelled = _parts(window)
    channels = np.empty((len(uncancelled), CHANNELS), dtype=np.float32)
    channels[:, 0] = _LOGIT_SCALE * logit(whole.azimuth)
    channels[:, 1] = _LOGIT_SCALE * logit(residual.azimuth)
    channels[:, 2] = uncancelled
    channels[:, 3:] = (
        _scaled_activity(whole),
        _LEVEL_SCALE * math.log(max(window.above_floor, _LEAST_LEVEL)),
        window.sound_age,
        _scaled_activity(residual),
    )
    return channels


def _scaled_activity(spectrum: Spectrum) -> float:
    if spectrum.activity is None:
        raise ValueError('the recurrent filter needs an activity')
    return _LOGIT_SCALE * float(logit(spectrum.activity)[0])


def _elevation(spectrum: Spectrum) -> np.ndarray:
    if spectrum.elevation is None:
        raise ValueError('the recurrent filter needs elevations')
    return spectrum.elevation


def _parts(window: WindowSpectra) -> tuple[Spectrum, Spectrum, np.ndarray]:
    """Return the spectra of the sound and of its residual, and which classes are uncancelled."""
    if window.residual is None:
        raise ValueError('the recurrent filter needs the residual: FeatureConfig.residual')
    return window.whole, window.residual.spectrum, window.residual.uncancelled


@dataclass(frozen=True)
class RecurrentFilterConfig(Config):
    """What a model's card says of its recurrent filter."""

    sha256: str = setting('', 'Of the .tflite file of its network, in hexadecimal.')
    elevation_share: float = setting(
        0.5,
        'Weight of a window for the elevation; 1 would be an independent observation.',
        minimum=0.0,
        maximum=1.0,
    )


class RecurrentFilter:
    """Filters the spectra of several sources over time.

    Args:
        network: from `filter_input` beside the state, shape (azimuths, CHANNELS + states), to
            the probability of a source beside the next state, shape (azimuths, 1 + states).
        grid: the classes.
        hop: time between windows [s].
        config: the settings.
        calibration: of the estimates.

    Raises:
        ModelError: the network has other shapes.
    """

    def __init__(
        self,
        network: TFLiteModel,
        grid: DirectionGrid,
        hop: float,
        config: RecurrentFilterConfig,
        calibration: Calibration,
    ):
        azimuths, *width = network.input_shape
        states = math.prod(width) - CHANNELS
        expected = (grid.azimuth_count * (1 + states),)
        if azimuths != grid.azimuth_count or states < 1 or network.output_sizes != expected:
            raise ModelError(
                f'the network of the recurrent filter takes {network.input_shape} and gives '
                f'{network.output_sizes} values, which does not suit {grid.azimuth_count} azimuths'
            )
        self._network, self._calibration = network, calibration
        self._lowest = grid.elevation_min
        self._elevation_share = config.elevation_share
        self._shape = azimuths, 1 + states
        turns = wrap_angle(grid.azimuths[:, None] - grid.azimuths)
        climbs = grid.elevations[:, None] - grid.elevations
        self._azimuth_transitions = transition_matrix(turns, _AZIMUTH_DRIFT * math.sqrt(hop))
        self._elevation_transitions = transition_matrix(climbs, _ELEVATION_DRIFT * math.sqrt(hop))
        self.reset()

    def reset(self) -> None:
        """Begin another stream."""
        azimuths, width = self._shape
        self._state = np.zeros((azimuths, width - 1), dtype=np.float32)
        self._present = np.zeros(azimuths)
        elevations = len(self._elevation_transitions)
        self._elevation = np.full((azimuths, elevations), 1 / elevations)

    def update(self, window: WindowSpectra) -> Localization:
        """Take in a window, with its residual, and return what is found up to it.

        The tracker gets all peaks. It separates nearer ones than estimates do, because it knows
        the earlier direction of each. Peaks move on in silence, so that their whole width is
        their deviation.
        """
        posterior = self.posterior(window)
        detections = (
            replace(found, elevation=self._calibration.corrected(found.elevation, self._lowest))
            for found in map(posterior.estimate, posterior.peaks(_NEAREST))
        )
        estimates = self._calibration.estimates(posterior)
        return Localization(tuple(estimates), posterior, tuple(detections))

    def posterior(self, window: WindowSpectra) -> MultiSourceSpectrum:
        """Take in a window, with its residual, and return the posterior of the directions.

        Returns:
            Where the sources were `sound_age` ago: the probability of a source at each azimuth,
            and as activity the probability of any source.
        """
        whole, residual, uncancelled = _parts(window)
        channels = filter_input(window)
        (output,) = self._network(np.concatenate([channels, self._state], axis=1))
        output = output.reshape(self._shape)
        self._state = output[:, 1:]
        # A steady sound may be no source, wherever it comes from.
        present = window.audibility * output[:, 0].astype(float)
        shown = np.where(uncancelled, residual.azimuth, whole.azimuth)
        elevations = _elevation(residual), _elevation(whole)
        self._update_elevation(shown, np.where(uncancelled[:, None], *elevations))
        self._present = present
        return MultiSourceSpectrum(
            azimuth=present,
            elevation=self._elevation,
            activity=present.max(keepdims=True),
            coherence=whole.coherence,
            elevation_min=whole.elevation_min,
            attributes=whole.attributes,
        )

    def _update_elevation(self, shown: np.ndarray, elevation: np.ndarray) -> None:
        """Take in the elevations of a window, and how clearly each azimuth shows a source."""
        # Sources move: sum over the azimuths that each may have come from.
        weights = self._azimuth_transitions * self._present
        known = weights.sum(axis=1, keepdims=True)
        predicted = (
            weights @ self._elevation @ self._elevation_transitions / np.maximum(known, 1e-9)
        )
        self._elevation = updated_elevation(
            predicted,
            elevation,
            _UNKNOWN / (_UNKNOWN + known),
            # An azimuth without a source is no evidence of an elevation.
            self._elevation_share * shown[:, None],
        )
