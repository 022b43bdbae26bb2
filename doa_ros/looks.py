# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How an array and directions look in 3D, whichever program draws them.

Lengths are shares of the length of an arrow of confidence 1, unless they say otherwise.
"""

import colorsys
import math
from typing import NamedTuple

import numpy as np

from doa_ros.core.geometry import MicArray, unit_vector
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.track import Track

FAINT = 0.3
"""Opacity of what is not as sure as something else that is shown, 0..1."""

LINE_WIDTH = 0.015
"""Width of a line."""

NEEDLE_WIDTH, SHAFT_WIDTH = 0.012, 0.03
"""Widths of arrows, beside something surer and alone."""

HAIRLINE = 0.005
"""Width of a line of the dial."""

LABEL_HEIGHT = 0.07
"""Height of a line of a label."""

AZIMUTH_HEIGHT = 0.06
"""Height of an azimuth on the dial."""

VISIBLE = 0.5
"""What moves vanishes after this time when nothing comes any more [s]."""

# How far a label is beyond the tip of an arrow, and above it.
_BEYOND, _ABOVE = 0.2, 0.06
# The dial: its radius, how long ticks are, and where the azimuths are beyond it.
_DIAL, _TICK, _AZIMUTHS = 1.05, 0.05, 0.14
_STEP_DEG = 30
# Diameter of a microphone, as a share of the smallest distance between two, and at most [m].
_SHARE, _LARGEST = 0.3, 0.008
# How far the number of a channel is beside its microphone, and how high, in diameters.
_ASIDE, _DIGITS = 1.4, 1.5
# The spectrum: radius for the probability 0, and how much farther 1 lies.
_RADIUS, _HEIGHT = 0.4, 0.5


class Colour(NamedTuple):
    """Red, green and blue, each 0..1."""

    r: float
    g: float
    b: float


GOLD, GREY, WHITE = Colour(1.0, 0.8, 0.35), Colour(0.8, 0.8, 0.8), Colour(1.0, 1.0, 1.0)
"""Of the microphones, of the dial, and of the numbers of channels."""

SPECTRUM = Colour(0.9, 0.9, 0.85)
"""Of the spectrum."""


def track_colour(track_id: int) -> Colour:
    """Return the colour of a track: hues a golden section of the circle apart differ for long."""
    return Colour(*colorsys.hsv_to_rgb(track_id * (math.sqrt(5) - 1) / 2 % 1, 0.6, 1.0))


def estimate_colour(estimate: Estimate) -> Colour:
    """Return a colour from red to green: the surer, the greener."""
    # Not a NumPy scalar, on which the generated code of ROS messages aborts the process.
    confidence = float(estimate.confidence)
    return Colour(1 - confidence, confidence, 0.1)


def shown_elevation(direction: Estimate | Track) -> float:
    """Return the elevation to show [rad]: in the plane where it is not known."""
    return 0.0 if math.isnan(direction.elevation) else direction.elevation


def reach(direction: Estimate | Track, length: float = 1.0) -> float:
    """Return how long an arrow is [m], of which one of confidence 1 has a length [m]."""
    return length * (0.3 + 0.7 * float(direction.confidence))


def label(track: Track) -> str:
    """Return what stands beside a track: its number, azimuth and confidence."""
    return f'{track.number}\n{round(math.degrees(track.azimuth))} deg, {track.confidence:.0%}'


def label_place(track: Track, length: float = 1.0) -> np.ndarray:
    """Return where its label is [m], shape (3,), beyond the tip of its arrow."""
    distance = reach(track, length) + _BEYOND * length
    return along(track, distance) + [0.0, 0.0, _ABOVE * length]


def along(direction: Estimate | Track, distance: float) -> np.ndarray:
    """Return the point at a distance [m] in a direction [m], shape (3,)."""
    return distance * unit_vector(direction.azimuth, shown_elevation(direction))


def microphone_diameter(array: MicArray) -> float:
    """Return the diameter of the microphones [m]."""
    first, second = array.positions[array.pairs.T]
    return min(_SHARE * float(np.linalg.norm(first - second, axis=1).min()), _LARGEST)


def channel_height(array: MicArray) -> float:
    """Return the height of the number of a channel [m]."""
    return _DIGITS * microphone_diameter(array)


def channel_places(array: MicArray) -> np.ndarray:
    """Return where these numbers are [m], shape (microphones, 3): above and farther outside."""
    size = microphone_diameter(array)
    places = array.frame_positions
    outwards = places - places.mean(axis=0)
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), size)
    return places + size * (outwards * _ASIDE + [0, 0, 1])


def spokes(array: MicArray) -> np.ndarray:
    """Return a line from the middle to each microphone [m], shape (microphones, 2, 3)."""
    places = array.frame_positions
    return np.stack([np.broadcast_to(places.mean(axis=0), places.shape), places], axis=1)


def dial(length: float = 1.0) -> np.ndarray:
    """Return a circle with a tick every 30 degrees: both ends of lines [m], shape (lines, 2, 3).

    Args:
        length: of an arrow of confidence 1 [m], which the dial surrounds.
    """
    circle = _DIAL * unit_vector(np.linspace(0, 2 * math.pi, 73), 0.0)
    ticks = unit_vector(_marked(), 0.0)[:, None] * [[_DIAL], [_DIAL + _TICK]]
    return length * np.concatenate([np.stack([circle[:-1], circle[1:]], axis=1), ticks])


def dial_azimuths(length: float = 1.0) -> list[tuple[str, np.ndarray]]:
    """Return the azimuth [deg] at each tick of the dial and its place [m], shape (3,)."""
    places = length * (_DIAL + _AZIMUTHS) * unit_vector(_marked(), 0.0)
    return [(f'{d:.0f}', p) for d, p in zip(np.degrees(_marked()), places, strict=True)]


def _marked() -> np.ndarray:
    """Return the azimuths of the ticks [rad], in (-pi, pi]."""
    return np.radians(np.arange(_STEP_DEG - 180, 181, _STEP_DEG))


def spectrum_ring(
    azimuths: np.ndarray, probability: np.ndarray, length: float = 1.0
) -> np.ndarray:
    """Return the corners of a ring [m], shape (azimuths, 3): the more probable, the farther out.

    Args:
        azimuths: of the classes, once around [rad], shape (azimuths,).
        probability: of each.
        length: of an arrow of confidence 1 [m].
    """
    distances = length * (_RADIUS + _HEIGHT * probability)
    return distances[:, None] * unit_vector(azimuths, 0.0)
