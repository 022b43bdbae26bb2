# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Several sources, standing or walking, followed from frame to frame by a recurrent network.

At each azimuth class the network has a state; in every frame gated convolutions around the circle
move it and renew it: K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
statistical machine translation", EMNLP 2014; X. Shi et al., "Convolutional LSTM network", NIPS
2015. It is given what another network says of each frame by itself, and has learnt how voices
pause and mask each other, how sounds are reflected and how people walk; compare S. Adavanne,
A. Politis and T. Virtanen, "Localization, detection and tracking of multiple moving sound sources
with a convolutional recurrent neural network", DCASE 2019.
"""

from dataclasses import dataclass, replace
import math

import numpy as np

from doa_ros.core.config import Config, setting
from doa_ros.core.errors import ModelError
from doa_ros.core.features.extractor import CLEAR_ACTIVITY
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.decoding import (
    DirectionGrid,
    Estimate,
    Spectrum,
    decode_azimuths,
    logit,
)
from doa_ros.core.localization.hmm_filter import transition_matrix, updated_elevation
from doa_ros.core.localization.tflite import TFLiteModel

# What the network is given at each azimuth class.
CHANNELS = 7
# Bring the channels to a size of about 1.
_LOGIT_SCALE, _LEVEL_SCALE = 0.25, 0.3
_LEAST_LEVEL = 1e-3
# How far the elevations of a source are carried along the azimuths and blurred in a second, as
# standard deviations [rad].
_AZIMUTH_DRIFT, _ELEVATION_DRIFT = math.radians(20), math.radians(12)
# Peaks so near to each other are one to a tracker, too [rad].
_NEAREST = math.radians(12)
# Share of a source that has just begun where none was.
_UNKNOWN = 0.02


def filter_input(
    whole: Spectrum, rest: Spectrum, uncancelled: np.ndarray, above_floor: float, sound_age: float
) -> np.ndarray:
    """Return what the network is given of a frame.

    Args:
        whole: what the classifier says of the sound.
        rest: what it says of what is left without the loudest direction.
        uncancelled: which azimuth classes are apart from that direction, shape (azimuths,), bool;
            what remains at the others is no other source.
        above_floor: how much of the sound stands above the noise floor, 0..1.
        sound_age: [s], as `WindowFeatures` says.

    Returns:
        Shape (azimuths, CHANNELS), float32.
    """
    of_frame = (
        _LOGIT_SCALE * float(logit(whole.activity)[0]),
        _LEVEL_SCALE * math.log(max(above_floor, _LEAST_LEVEL)),
        sound_age,
        _LOGIT_SCALE * float(logit(rest.activity)[0]),
    )
    channels = np.empty((len(uncancelled), CHANNELS), dtype=np.float32)
    channels[:, 0] = _LOGIT_SCALE * logit(whole.azimuth)
    channels[:, 1] = _LOGIT_SCALE * logit(rest.azimuth)
    channels[:, 2] = uncancelled
    channels[:, 3:] = of_frame
    return channels


@dataclass(frozen=True)
class RecurrentFilterConfig(Config):
    """What a model's card says of its recurrent filter."""

    sha256: str = setting('', 'Of the .tflite file of its network, in hexadecimal.')
    elevation_share: float = setting(
        0.5,
        'Share of an independent observation of the elevation that a window is.',
        minimum=0.0,
        maximum=1.0,
    )


class RecurrentFilter:
    """Follows several sources in a stream of frames.

    Args:
        network: from `filter_input` beside the state, shape (azimuths, CHANNELS + states), to
            the probability of a source beside the next state, shape (azimuths, 1 + states).
        grid: the classes.
        hop: time between frames [s].
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
        self._elevation_share = config.elevation_share
        self._shape = azimuths, 1 + states
        turns = wrap_angle(grid.azimuths[:, None] - grid.azimuths)
        climbs = grid.elevations[:, None] - grid.elevations
        self._azimuth_transitions = transition_matrix(turns, _AZIMUTH_DRIFT * math.sqrt(hop))
        self._elevation_transitions = transition_matrix(climbs, _ELEVATION_DRIFT * math.sqrt(hop))
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        azimuths, width = self._shape
        self._state = np.zeros((azimuths, width - 1), dtype=np.float32)
        self._present = np.zeros(azimuths)
        elevations = len(self._elevation_transitions)
        self._elevation = np.full((azimuths, elevations), 1 / elevations)

    def update(
        self,
        whole: Spectrum,
        rest: Spectrum,
        uncancelled: np.ndarray,
        above_floor: float,
        sound_age: float,
    ) -> Spectrum:
        """Take in a frame; the arguments are those of `filter_input`.

        Returns:
            The posterior, of where the sources were `sound_age` before: at each azimuth the
            probability of a source there, and as activity that of any.
        """
        seen = filter_input(whole, rest, uncancelled, above_floor, sound_age)
        (output,) = self._network(np.concatenate([seen, self._state], axis=1))
        output = output.reshape(self._shape)
        self._state = output[:, 1:]
        # A steady sound may be no source, wherever it comes from.
        present = min(1.0, above_floor / CLEAR_ACTIVITY) * output[:, 0].astype(float)
        shown = np.where(uncancelled, rest.azimuth, whole.azimuth)
        elevation = np.where(uncancelled[:, None], rest.elevation, whole.elevation)
        self._follow_elevation(shown, elevation)
        self._present = present
        return replace(
            whole,
            azimuth=present,
            elevation=self._elevation,
            activity=present.max(keepdims=True),
        )

    def _follow_elevation(self, shown: np.ndarray, elevation: np.ndarray) -> None:
        """Take in the elevations of a frame, and how clearly a source was seen at each azimuth."""
        # From where a source may have come.
        weights = self._azimuth_transitions * self._present
        known = weights.sum(axis=1, keepdims=True)
        predicted = (
            weights @ self._elevation @ self._elevation_transitions / np.maximum(known, 1e-9)
        )
        self._elevation = updated_elevation(
            predicted,
            elevation,
            _UNKNOWN / (_UNKNOWN + known),
            # Where nothing is seen, nothing is said of its elevation.
            self._elevation_share * shown[:, None],
        )

    def estimates(self, spectrum: Spectrum) -> list[Estimate]:
        """Return the directions of the sources from what `update` returned, the surest first."""
        return self._calibration.estimates(spectrum)

    def detections(self, spectrum: Spectrum) -> list[Estimate]:
        """Return the peaks of what `update` returned, as a tracker takes them.

        It tells apart who is nearer to each other, as it knows who comes from where; and since
        peaks move on even where nobody is heard, their whole width is their deviation.
        """
        found = []
        for azimuth, stddev, probability in decode_azimuths(spectrum.azimuth, _NEAREST):
            elevation, elevation_stddev = spectrum.elevation_at(azimuth)
            corrected = self._calibration.corrected(elevation, spectrum.elevation_min)
            found.append(Estimate(azimuth, corrected, stddev, elevation_stddev, probability))
        return found
