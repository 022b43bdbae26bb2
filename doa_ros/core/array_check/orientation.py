# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds how a board is mounted, from two directions that a person spoke from."""

from dataclasses import dataclass
import math

import numpy as np

from doa_ros.core.errors import AudioError
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.core.localization.compatibility import default_features
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.symmetry import symmetries

# Where the two talkers are: in front of the board, and at its right.
FRONT, RIGHT = 0.0, -math.pi / 2
# A person stands at most this far beside the direction [rad].
_CARELESS = math.radians(25)
# A voice gives at least so many confident estimates. Its direction is clear where at least this
# share of them lies within this angle [rad].
_LEAST_ESTIMATES, _LEAST_AGREEMENT, _NEAR = 10, 0.6, math.radians(15)


@dataclass(frozen=True)
class Orientation:
    """How a board is mounted, as in MicArray.

    Attributes:
        face_down: whether left and right are exchanged: the board lies capsules down, or its
            channels run the other way round.
        rotation: counter-clockwise from above [rad].
        deviation: the largest angle between a talker and the direction asked for [rad].
        regular: whether it is one of the symmetries of the array, as an order of the channels is;
            otherwise the rotation is as measured.
    """

    face_down: bool
    rotation: float
    deviation: float
    regular: bool


def find_orientation(array: MicArray, front: float, right: float) -> Orientation:
    """Return the orientation with which two talkers are where they say.

    Args:
        array: the microphones.
        front, right: measured azimuths on the board of a talker in front and at the right [rad].

    Raises:
        AudioError: the directions are not about a quarter turn apart.
    """
    quarter = wrap_angle(right - front)
    if abs(abs(quarter) - math.pi / 2) > 2 * _CARELESS:
        raise AudioError(
            f'the two directions are {abs(math.degrees(quarter)):.0f} degrees apart instead of '
            'about 90; speak once more, first from the front and then from the right'
        )
    face_down = quarter > 0
    measured = np.array([-front, -right] if face_down else [front, right])
    offsets = np.array([FRONT, RIGHT]) - measured
    rotation = float(np.angle(np.exp(1j * offsets).sum()))
    # Of the rotations that map the array onto itself the one nearest to it.
    regular = min(
        (s.rotation for s in symmetries(array) if not s.mirrored),
        key=lambda angle: abs(wrap_angle(angle - rotation)),
    )
    fits = abs(wrap_angle(regular - rotation)) <= _CARELESS
    if fits:
        rotation = regular
    deviation = float(np.abs(wrap_angle(offsets - rotation)).max())
    return Orientation(bool(face_down), float(wrap_angle(rotation)), deviation, fits)


def spoken_azimuth(array: MicArray, quiet: np.ndarray, speech: np.ndarray) -> float:
    """Return the azimuth on the board that a voice comes from [rad].

    Args:
        array: the microphones.
        quiet: the noise of the room alone, above which a voice is found: all channels of the
            device or one per microphone, shape (samples, channels), float32.
        speech: the voice amid the noise, in the same form.

    Raises:
        AudioError: there is no voice, or it comes from several directions.
    """
    board = array.unmounted()
    features = default_features(board, None)
    extractor = FeatureExtractor(board, features)
    localizer = Localizer(board, features, LocalizerConfig(method='srp_phat'))
    for window in extractor.push(0, quiet):
        localizer.locate(window)
    estimates = [
        estimate
        for window in extractor.push(len(quiet), speech)
        for estimate in localizer.locate(window).estimates
    ]
    if len(estimates) < _LEAST_ESTIMATES:
        raise AudioError('no voice is heard: speak louder or from nearer, for some seconds')
    weights = np.array([estimate.confidence for estimate in estimates])
    azimuths = np.array([estimate.azimuth for estimate in estimates])
    near = np.abs(wrap_angle(azimuths[:, None] - azimuths)) < _NEAR
    # The direction that most of the voice comes from; echoes come from others.
    chosen = near[np.argmax(near @ weights)]
    if weights[chosen].sum() < _LEAST_AGREEMENT * weights.sum():
        raise AudioError(
            'the voice comes from no single direction: stand still, about 1 m from the board, '
            'and let nothing else make a noise'
        )
    turns = np.exp(1j * azimuths[chosen])
    return float(np.angle(np.average(turns, weights=weights[chosen])))
