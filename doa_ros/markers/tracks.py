# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tracks: arrows with a label, a cone of their uncertainty, and a trail."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
import math

from geometry_msgs.msg import Point, Vector3
import numpy as np
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from doa_ros.conversions.directions import pose_towards
from doa_ros.core.tracking.track import Track
from doa_ros.looks import (
    FAINT,
    LABEL_HEIGHT,
    LINE_WIDTH,
    SHAFT_WIDTH,
    along,
    label,
    label_place,
    reach,
    shown_elevation,
    track_colour,
)
from doa_ros.markers.shapes import LIFETIME, arrow, coloured, deletion, line, point, points, text

NAMESPACES = ('tracks', 'labels', 'uncertainty', 'trails')
"""What can be switched off in RViz."""

# Opacity of the cone, 0..1.
_CLEAR = 0.15
# A trail is drawn by at most so many points besides the tip.
_TRAIL_POINTS = 30
# Flat things have some height, as RViz warns of a scale of 0.
_FLAT = 1e-3
_MOST_SHOWN = 256


class Trail:
    """Where the tip of the arrow of a track was lately."""

    def __init__(self) -> None:
        # With their times [ns]; the last one is replaced until it is far from the one before.
        self._tips: deque[tuple[int, Point]] = deque()

    def add(self, stamp: int, tip: Point, duration: int) -> None:
        """Take the next tip.

        Args:
            stamp: its time [ns].
            tip: its place.
            duration: how long the trail is [ns].
        """
        tips = self._tips
        # The clock may have been set back.
        while tips and tips[-1][0] > stamp:
            tips.pop()
        if len(tips) > 1 and tips[-1][0] - tips[-2][0] < duration // _TRAIL_POINTS:
            tips.pop()
        tips.append((stamp, tip))
        while tips[0][0] < stamp - duration:
            tips.popleft()

    @property
    def corners(self) -> list[Point]:
        """The tips, the oldest first."""
        return [tip for _, tip in self._tips]


def track_markers(
    header: Header,
    tracks: Iterable[Track],
    trails: Mapping[int, Trail],
    ended: Iterable[int],
    length: float,
) -> list[Marker]:
    """Return, per track and in a colour of its own, all that is shown of it.

    That is an arrow, a label with its number, azimuth and confidence, a cone of one standard
    deviation around the arrow, flat where there is no elevation, and a trail that fades.

    Args:
        header: of the tracks.
        tracks: as of now.
        trails: where the tips of their arrows were, by their ids.
        ended: ids of tracks that were shown so far and are to be deleted.
        length: length of an arrow of confidence 1 [m].
    """
    markers: list[Marker] = []
    for track in tracks:
        number = _marker_id(track.id)
        fading = _fading(track.id)
        colour = fading[round(FAINT * (len(fading) - 1))] if track.predicted else fading[-1]
        markers.append(arrow(header, 'tracks', number, track, length, colour, SHAFT_WIDTH))
        markers.append(_label(header, number, track, length, fading[-1]))
        if not math.isnan(track.azimuth_stddev):
            markers.append(_uncertainty(header, number, track, length))
        corners = trails[track.id].corners
        if len(corners) > 1:
            share = (len(fading) - 1) / len(corners)
            colours = [fading[round(share * k)] for k in range(1, len(corners) + 1)]
            width = LINE_WIDTH * length
            # RViz shows opacities of corners only where the marker itself is not opaque.
            markers.append(line(header, 'trails', number, corners, width, fading[-2], colours))
    markers += [
        deletion(header, namespace, _marker_id(track_id))
        for namespace in NAMESPACES
        for track_id in ended
    ]
    return markers


def tip_of(track: Track, length: float) -> Point:
    """Return where the arrow of a track ends; `length` is that of confidence 1 [m]."""
    return point(along(track, reach(track, length)))


def _marker_id(track_id: int) -> int:
    """Return an id that fits into the int32 of a marker."""
    return track_id % 2**31


@lru_cache(maxsize=_MOST_SHOWN)
def _fading(track_id: int) -> tuple[ColorRGBA, ...]:
    """Return the colour of a track, from unseen to opaque."""
    colour = track_colour(track_id)
    return tuple(coloured(colour, opacity) for opacity in np.linspace(0, 1, 41).tolist())


def _label(header: Header, number: int, track: Track, length: float, colour: ColorRGBA) -> Marker:
    place = point(label_place(track, length))
    return text(header, 'labels', number, label(track), place, LABEL_HEIGHT * length, colour)


def _unit_cone(count: int = 16) -> Sequence[Point]:
    """Return the triangles of a cone: its tip at the origin, its rim of radius 1 at x = 1."""
    turns = np.linspace(0, 2 * math.pi, count + 1)
    rim = np.stack([np.ones_like(turns), np.cos(turns), np.sin(turns)], axis=1)
    triangles = np.stack([np.zeros((count, 3)), rim[:-1], rim[1:]], axis=1)
    return points(triangles.reshape(-1, 3).tolist())


_CONE = _unit_cone()


def _uncertainty(header: Header, number: int, track: Track, length: float) -> Marker:
    """Return a cone whose rim lies a standard deviation beside the direction."""
    elevation = shown_elevation(track)
    across = min(track.azimuth_stddev, math.pi / 2) * math.cos(elevation)
    upright = 0.0 if math.isnan(track.elevation_stddev) else track.elevation_stddev
    upright = min(upright, math.pi / 2)
    distance = reach(track, length)
    fading = _fading(track.id)
    colour = fading[round(_CLEAR * (len(fading) - 1))]
    return Marker(
        header=header,
        ns='uncertainty',
        id=number,
        type=Marker.TRIANGLE_LIST,
        pose=pose_towards(track),
        scale=Vector3(
            x=distance * max(math.cos(max(across, upright)), _FLAT),
            y=distance * max(math.sin(across), _FLAT),
            z=distance * max(math.sin(upright), _FLAT),
        ),
        points=_CONE,
        color=colour,
        # With colours of its corners, RViz draws it without shadows, which would hide the arrow.
        colors=[colour] * len(_CONE),
        lifetime=LIFETIME,
    )
