# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The array: its microphones, and a dial of azimuths around it."""

from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Vector3
from std_msgs.msg import Header
from visualization_msgs.msg import Marker

from doa_ros import looks
from doa_ros.core.geometry import MicArray
from doa_ros.markers.shapes import clearance, coloured, figure, point, points, text

NAMESPACES = ('microphones', 'channels', 'dial', 'azimuths')
"""What can be switched off in RViz."""

_GOLD, _DULL_GOLD = (coloured(looks.GOLD, opacity) for opacity in (1.0, 0.5))
_GREY, _WHITE = coloured(looks.GREY, 0.5), coloured(looks.WHITE, 1.0)


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


def _microphones(header: Header, array: MicArray) -> list[Marker]:
    """Return a sphere per microphone, and a line to it from the middle of the array."""
    size = looks.microphone_diameter(array)
    centres = points(array.frame_positions.tolist())
    diameters, width = Vector3(x=size, y=size, z=size), Vector3(x=size / 4)
    ends = points(looks.spokes(array).reshape(-1, 3).tolist())
    return [
        figure(header, 'microphones', 0, Marker.SPHERE_LIST, centres, diameters, _GOLD),
        figure(header, 'microphones', 1, Marker.LINE_LIST, ends, width, _DULL_GOLD),
    ]


def _channels(header: Header, array: MicArray) -> list[Marker]:
    """Return the number of the channel of each microphone."""
    height = looks.channel_height(array)
    beside = points(looks.channel_places(array).tolist())
    return [
        text(header, 'channels', number, str(channel), place, height, _WHITE)
        for number, (channel, place) in enumerate(zip(array.channels, beside, strict=True))
    ]


def _dial(header: Header, length: float) -> list[Marker]:
    """Return a circle with a tick every 30 degrees."""
    corners = points(looks.dial(length).reshape(-1, 3).tolist())
    width = Vector3(x=looks.HAIRLINE * length)
    return [figure(header, 'dial', 0, Marker.LINE_LIST, corners, width, _GREY)]


def _azimuths(header: Header, length: float) -> list[Marker]:
    """Return the azimuth at each tick of the dial."""
    height = looks.AZIMUTH_HEIGHT * length
    return [
        text(header, 'azimuths', k, degrees, point(place), height, _GREY)
        for k, (degrees, place) in enumerate(looks.dial_azimuths(length))
    ]
