# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The array: its microphones, and a dial of azimuths around it."""

import math

from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Vector3
import numpy as np
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from doa_ros.core.geometry import MicArray, unit_vector
from doa_ros.markers.shapes import clearance, figure, points, text

NAMESPACES = ('microphones', 'channels', 'dial', 'azimuths')
"""What can be switched off in RViz."""

# Diameter of a microphone, as a share of the smallest distance between two, and at most [m].
_SHARE, _LARGEST = 0.3, 0.008
# How far the number of its channel is beside it, and how high, as shares of the diameter.
_ASIDE, _DIGITS = 1.4, 1.5
_GOLD = ColorRGBA(r=1.0, g=0.8, b=0.35, a=1.0)
_DULL_GOLD = ColorRGBA(r=1.0, g=0.8, b=0.35, a=0.5)
_GREY = ColorRGBA(r=0.8, g=0.8, b=0.8, a=0.5)
_WHITE = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
# Shares of the length of an arrow of confidence 1.
_DIAL, _TICK, _BEYOND, _LETTERS, _HAIRLINE = 1.05, 0.05, 0.14, 0.06, 0.005
_STEP_DEG = 30


def array_markers(frame_id: str, array: MicArray, length: float) -> list[Marker]:
    """Return the microphones in their true size, with their channels, and a dial of azimuths.

    They replace all that was on the topic, and stay.

    Args:
        frame_id: of the array.
        array: what is shown.
        length: length of an arrow of confidence 1 [m], which the dial surrounds.
    """
    # Of no time: they move with the frame.
    header = Header(stamp=Time(), frame_id=frame_id)
    markers = [
        *_microphones(header, array),
        *_channels(header, array),
        *_dial(header, length),
        *_azimuths(header, length),
    ]
    for marker in markers:
        marker.lifetime = Duration()
        marker.frame_locked = True
    return [clearance(header), *markers]


def _size(array: MicArray) -> float:
    """Return the diameter of the microphones [m]."""
    first, second = array.positions[array.pairs.T]
    return min(_SHARE * float(np.linalg.norm(first - second, axis=1).min()), _LARGEST)


def _microphones(header: Header, array: MicArray) -> list[Marker]:
    """Return a sphere per microphone, and a line to it from the middle of the array."""
    size = _size(array)
    places = array.frame_positions
    centres = points(places.tolist())
    diameters, width = Vector3(x=size, y=size, z=size), Vector3(x=size / 4)
    spokes = np.stack([np.broadcast_to(places.mean(axis=0), places.shape), places], axis=1)
    ends = points(spokes.reshape(-1, 3).tolist())
    return [
        figure(header, 'microphones', 0, Marker.SPHERE_LIST, centres, diameters, _GOLD),
        figure(header, 'microphones', 1, Marker.LINE_LIST, ends, width, _DULL_GOLD),
    ]


def _channels(header: Header, array: MicArray) -> list[Marker]:
    """Return the number of the channel of each microphone, above it and farther outside."""
    size = _size(array)
    places = array.frame_positions
    outwards = places - places.mean(axis=0)
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), size)
    beside = points((places + size * (outwards * _ASIDE + [0, 0, 1])).tolist())
    return [
        text(header, 'channels', number, str(channel), place, _DIGITS * size, _WHITE)
        for number, (channel, place) in enumerate(zip(array.channels, beside, strict=True))
    ]


def _dial(header: Header, length: float) -> list[Marker]:
    """Return a circle with a tick every 30 degrees."""
    circle = _DIAL * unit_vector(np.linspace(0, 2 * math.pi, 73), 0.0)
    ticks = unit_vector(_marked(), 0.0)[:, None] * [[_DIAL], [_DIAL + _TICK]]
    ends = np.concatenate([np.stack([circle[:-1], circle[1:]], axis=1), ticks])
    corners = points((length * ends.reshape(-1, 3)).tolist())
    width = Vector3(x=_HAIRLINE * length)
    return [figure(header, 'dial', 0, Marker.LINE_LIST, corners, width, _GREY)]


def _azimuths(header: Header, length: float) -> list[Marker]:
    """Return the azimuth at each tick of the dial."""
    places = points((length * (_DIAL + _BEYOND) * unit_vector(_marked(), 0.0)).tolist())
    return [
        text(header, 'azimuths', k, f'{degrees:.0f}', place, _LETTERS * length, _GREY)
        for k, (degrees, place) in enumerate(zip(np.degrees(_marked()), places, strict=True))
    ]


def _marked() -> np.ndarray:
    """Return the azimuths of the ticks [rad], in (-pi, pi]."""
    return np.radians(np.arange(_STEP_DEG - 180, 181, _STEP_DEG))
