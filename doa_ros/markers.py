# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How directions look in RViz: arrows, labels, trails."""

from collections.abc import Iterable, Mapping, Sequence
import colorsys
import math

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
import numpy as np
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from doa_ros.conversions.directions import pose_towards, shown_elevation
from doa_ros.core.ambiguity import HORIZONTAL, Ambiguity, NoAmbiguity
from doa_ros.core.geometry import unit_vector
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS

# Arrows vanish on their own when estimates stop coming [s].
_LIFETIME = Duration(nanosec=NANOSECONDS // 2)
_ARROW_WIDTH = 0.03
_LABEL_HEIGHT = 0.08
# Opacity of what is not as sure as something else that is shown, 0..1.
_FAINT = 0.3


def estimate_markers(
    header: Header,
    estimates: Sequence[Estimate],
    previous: int,
    length: float,
    *,
    ambiguity: Ambiguity = HORIZONTAL,
    faint: bool = False,
) -> list[Marker]:
    """Return an arrow per estimate: the surer, the longer and the greener.

    Unless above and below alone are mistaken for each other, a faint line per estimate shows the
    directions that sound like it.

    Args:
        header: of the estimates.
        estimates: what is shown.
        previous: number of arrows shown so far; those without an estimate are deleted.
        length: length of an arrow of confidence 1 [m].
        ambiguity: of the array.
        faint: whether something surer is shown beside them.
    """
    opacity = _FAINT if faint else 1.0
    markers = [
        _arrow(header, 'doa', number, estimate, length, _colour(estimate, opacity))
        for number, estimate in enumerate(estimates)
    ]
    namespaces = ['doa']
    if not (ambiguity.horizontal or isinstance(ambiguity, NoAmbiguity)):
        namespaces.append('alike')
        markers += [
            _alike(header, number, estimate, length, ambiguity)
            for number, estimate in enumerate(estimates)
        ]
    for number in range(len(estimates), previous):
        markers += [
            Marker(header=header, ns=namespace, id=number, action=Marker.DELETE)
            for namespace in namespaces
        ]
    return markers


def _colour(estimate: Estimate, opacity: float) -> ColorRGBA:
    """Return a colour from red to green: the surer, the greener."""
    # The generated code of messages aborts the process on a NumPy scalar.
    confidence = float(estimate.confidence)
    return ColorRGBA(r=1 - confidence, g=confidence, b=0.1, a=opacity)


def _alike(
    header: Header, number: int, estimate: Estimate, length: float, ambiguity: Ambiguity
) -> Marker:
    """Return a faint line: around a cone, or from the array to the mirror image."""
    directions = ambiguity.alike(estimate.azimuth, shown_elevation(estimate))
    if len(directions) == 1:
        directions = np.concatenate([np.zeros((1, 3)), directions])
    return Marker(
        header=header,
        ns='alike',
        id=number,
        type=Marker.LINE_STRIP,
        action=Marker.ADD,
        pose=Pose(orientation=Quaternion(w=1.0)),
        scale=Vector3(x=_ARROW_WIDTH / 2),
        points=[Point(x=x, y=y, z=z) for x, y, z in (length * directions).tolist()],
        color=_colour(estimate, _FAINT),
        lifetime=_LIFETIME,
    )


def _arrow(
    header: Header,
    namespace: str,
    number: int,
    direction: Estimate | Track,
    length: float,
    colour: ColorRGBA,
) -> Marker:
    """Return an arrow towards an estimate or a track."""
    return Marker(
        header=header,
        ns=namespace,
        id=number,
        type=Marker.ARROW,
        action=Marker.ADD,
        pose=pose_towards(direction),
        scale=Vector3(x=length * _relative_length(direction), y=_ARROW_WIDTH, z=_ARROW_WIDTH),
        color=colour,
        lifetime=_LIFETIME,
    )


def track_markers(
    header: Header, trails: Mapping[int, Sequence[Track]], ended: Iterable[int], length: float
) -> list[Marker]:
    """Return an arrow per track in a colour of its own, its id and azimuth, and a fading trail.

    The trail is where the tip of the arrow was.

    Args:
        header: of the tracks.
        trails: what was known of each track by its id, the oldest first; the last is as of now.
        ended: ids of tracks that were shown so far and are to be deleted.
        length: length of an arrow of confidence 1 [m].
    """
    markers: list[Marker] = []
    for track_id, trail in trails.items():
        # Hues a golden section of the circle apart stay different for long.
        rgb = colorsys.hsv_to_rgb(track_id * (math.sqrt(5) - 1) / 2 % 1, 0.85, 1.0)
        now = trail[-1]
        colour = ColorRGBA(
            **dict(zip('rgb', rgb, strict=True)), a=_FAINT if now.predicted else 1.0
        )
        markers.append(_arrow(header, 'tracks', _marker_id(track_id), now, length, colour))
        markers.append(_label(header, track_id, now, length, colour))
        if len(trail) > 1:
            markers.append(_trail(header, track_id, trail, length, rgb))
    for namespace in ('tracks', 'labels', 'trails'):
        markers += [
            Marker(header=header, ns=namespace, id=_marker_id(track_id), action=Marker.DELETE)
            for track_id in ended
        ]
    return markers


def _marker_id(track_id: int) -> int:
    """Return an id that fits into the int32 of a marker."""
    return track_id % 2**31


def _label(
    header: Header, track_id: int, track: Track, length: float, colour: ColorRGBA
) -> Marker:
    beyond = length * _relative_length(track) + _LABEL_HEIGHT
    x, y, z = (beyond * unit_vector(track.azimuth, shown_elevation(track))).tolist()
    return Marker(
        header=header,
        ns='labels',
        id=_marker_id(track_id),
        type=Marker.TEXT_VIEW_FACING,
        action=Marker.ADD,
        pose=Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(w=1.0)),
        scale=Vector3(z=_LABEL_HEIGHT),
        color=colour,
        text=f'{track_id}: {math.degrees(track.azimuth):.0f} deg',
        lifetime=_LIFETIME,
    )


def _trail(
    header: Header,
    track_id: int,
    trail: Sequence[Track],
    length: float,
    rgb: tuple[float, float, float],
) -> Marker:
    lengths = length * np.array([[_relative_length(t)] for t in trail])
    points = lengths * unit_vector([t.azimuth for t in trail], [shown_elevation(t) for t in trail])
    return Marker(
        header=header,
        ns='trails',
        id=_marker_id(track_id),
        type=Marker.LINE_STRIP,
        action=Marker.ADD,
        pose=Pose(orientation=Quaternion(w=1.0)),
        scale=Vector3(x=_ARROW_WIDTH / 2),
        points=[Point(x=x, y=y, z=z) for x, y, z in points.tolist()],
        colors=[
            ColorRGBA(**dict(zip('rgb', rgb, strict=True)), a=(k + 1) / len(trail))
            for k in range(len(trail))
        ],
        lifetime=_LIFETIME,
    )


def _relative_length(direction: Estimate | Track) -> float:
    """Return how long an arrow is, as a part of one of confidence 1."""
    return 0.3 + 0.7 * float(direction.confidence)
