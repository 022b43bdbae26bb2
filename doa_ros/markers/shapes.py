# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What all markers are made of.

Sizes are shares of the length of an arrow of confidence 1. Messages that never change, such as the
colours of a trail, are made once and stand in many markers: nobody changes them.
"""

from collections.abc import Iterable, Sequence

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
import numpy as np
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from doa_ros.conversions.directions import pose_towards
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS
from doa_ros.looks import VISIBLE, Colour, reach

LIFETIME = Duration(nanosec=round(VISIBLE * NANOSECONDS))
"""What moves vanishes after this time when nothing comes any more."""

_BLANK = 0.25
_NO_TURN = Pose(orientation=Quaternion(w=1.0))


def arrow(
    header: Header,
    namespace: str,
    number: int,
    direction: Estimate | Track,
    length: float,
    colour: ColorRGBA,
    width: float,
) -> Marker:
    """Return an arrow from the array: the surer, the longer.

    Args:
        header, namespace, number: of the marker.
        direction: whereto.
        length: length of an arrow of confidence 1 [m].
        colour: of the arrow.
        width: of the shaft, as a share.
    """
    width *= length
    return Marker(
        header=header,
        ns=namespace,
        id=number,
        type=Marker.ARROW,
        pose=pose_towards(direction),
        scale=Vector3(x=reach(direction, length), y=width, z=width),
        color=colour,
        lifetime=LIFETIME,
    )


def coloured(colour: Colour, opacity: float) -> ColorRGBA:
    """Return a colour with an opacity, 0..1."""
    return ColorRGBA(r=colour.r, g=colour.g, b=colour.b, a=opacity)


def line(
    header: Header,
    namespace: str,
    number: int,
    corners: Sequence[Point],
    width: float,
    colour: ColorRGBA,
    colours: Sequence[ColorRGBA] = (),
) -> Marker:
    """Return a line through points.

    Args:
        header, namespace, number: of the marker.
        corners: two points or more.
        width: [m].
        colour: of the line.
        colours: of the corners instead.
    """
    marker = figure(
        header, namespace, number, Marker.LINE_STRIP, corners, Vector3(x=width), colour
    )
    marker.colors = colours
    return marker


def figure(
    header: Header,
    namespace: str,
    number: int,
    kind: int,
    corners: Sequence[Point],
    scale: Vector3,
    colour: ColorRGBA,
) -> Marker:
    """Return a marker that is given by points.

    Args:
        header, namespace, number: of the marker.
        kind: its type, such as Marker.LINE_LIST.
        corners: its points.
        scale: means what the type says.
        colour: of the marker.
    """
    return Marker(
        header=header,
        ns=namespace,
        id=number,
        type=kind,
        pose=_NO_TURN,
        scale=scale,
        points=corners,
        color=colour,
        lifetime=LIFETIME,
    )


def text(
    header: Header,
    namespace: str,
    number: int,
    words: str,
    place: Point,
    height: float,
    colour: ColorRGBA,
) -> Marker:
    """Return words that face who looks at them.

    RViz draws ASCII alone.

    Args:
        header, namespace, number: of the marker.
        words: lines of text.
        place: of their middle.
        height: of a line [m].
        colour: of the text.
    """
    return Marker(
        header=header,
        ns=namespace,
        id=number,
        type=Marker.TEXT_VIEW_FACING,
        pose=Pose(position=place, orientation=Quaternion(w=1.0)),
        # By x, RViz sets the width of a blank, which is too wide otherwise.
        scale=Vector3(x=_BLANK * height, z=height),
        color=colour,
        text=words,
        lifetime=LIFETIME,
    )


def points(vectors: Iterable[Sequence[float]]) -> list[Point]:
    """Return points at vectors from the array [m], each of three numbers of Python."""
    return [Point(x=x, y=y, z=z) for x, y, z in vectors]


def point(vector: np.ndarray) -> Point:
    """Return a point at a vector from the array [m], shape (3,)."""
    x, y, z = vector.tolist()
    return Point(x=x, y=y, z=z)


def deletion(header: Header, namespace: str, number: int) -> Marker:
    """Return what removes a marker."""
    return Marker(header=header, ns=namespace, id=number, action=Marker.DELETE)


def clearance(header: Header) -> Marker:
    """Return what removes all markers of a topic; in a message, it is the first."""
    return Marker(header=header, action=Marker.DELETEALL)
