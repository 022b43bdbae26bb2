# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the 3D panel shows: the array, and of each window its estimates, tracks and spectrum.

Each scene replaces the one before on its topic, so that nothing stays of one that did not arrive.
"""

from collections.abc import Iterable, Sequence
import math

from foxglove.messages import (
    ArrowPrimitive,
    Color,
    Duration,
    LinePrimitive,
    LinePrimitiveLineType,
    Point3,
    Pose,
    Quaternion,
    SceneEntity,
    SceneEntityDeletion,
    SceneEntityDeletionType,
    SceneUpdate,
    SpherePrimitive,
    TextPrimitive,
    Timestamp,
    TriangleListPrimitive,
    Vector3,
)
import numpy as np

from doa_ros import looks
from doa_ros.core.geometry import MicArray, quaternion_towards, unit_vector
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS

# Length of the head of an arrow, as a share of its length, and its diameter, in shafts.
_HEAD, _HEAD_WIDTH = 0.2, 2.5
# Opacity of what is one standard deviation around a track, 0..1, and its corners.
_CLEAR, _CORNERS = 0.15, 9
_NO_TURN = Quaternion(w=1.0)
_VISIBLE = Duration.from_secs(looks.VISIBLE)


def timestamp(stamp: int) -> Timestamp:
    """Return a stamp [ns] as Foxglove has it."""
    return Timestamp(*divmod(stamp, NANOSECONDS))


def array_scene(stamp: int, frame_id: str, array: MicArray) -> SceneUpdate:
    """Return the microphones in their true size, with their channels, and a dial of azimuths.

    Args:
        stamp: of the scene [ns].
        frame_id: of the array.
        array: what is shown.
    """
    size = looks.microphone_diameter(array)
    gold, grey = _color(looks.GOLD), _color(looks.GREY)
    entity = SceneEntity(
        timestamp=timestamp(stamp),
        frame_id=frame_id,
        id='array',
        frame_locked=True,
        spheres=[
            SpherePrimitive(pose=_at(place), size=Vector3(x=size, y=size, z=size), color=gold)
            for place in array.frame_positions
        ],
        lines=[
            _lines(looks.spokes(array), size / 4, gold),
            _lines(looks.dial(), looks.HAIRLINE, grey),
        ],
        texts=[
            *(
                _text(str(channel), place, looks.channel_height(array), _color(looks.WHITE))
                for channel, place in zip(array.channels, looks.channel_places(array), strict=True)
            ),
            *(
                _text(degrees, place, looks.AZIMUTH_HEIGHT, grey)
                for degrees, place in looks.dial_azimuths()
            ),
        ],
    )
    return _replacing(stamp, [entity])


def estimates_scene(stamp: int, frame_id: str, estimates: Sequence[Estimate]) -> SceneUpdate:
    """Return a thin arrow per estimate, from red to green: the surer, the longer and greener.

    Args:
        stamp, frame_id: of the window [ns].
        estimates: of the window.
    """
    return _replacing(
        stamp,
        [
            SceneEntity(
                timestamp=timestamp(stamp),
                frame_id=frame_id,
                id=str(number),
                lifetime=_VISIBLE,
                arrows=[_arrow(estimate, looks.NEEDLE_WIDTH, _faint(estimate))],
            )
            for number, estimate in enumerate(estimates)
        ],
    )


def tracks_scene(stamp: int, frame_id: str, tracks: Sequence[Track]) -> SceneUpdate:
    """Return, per track and in its colour, an arrow, a label and one standard deviation around.

    Args:
        stamp, frame_id: of the window [ns].
        tracks: as of the window.
    """
    return _replacing(stamp, [_track(stamp, frame_id, track) for track in tracks])


def spectrum_scene(
    stamp: int, frame_id: str, azimuths: np.ndarray, probability: np.ndarray
) -> SceneUpdate:
    """Return a ring that bulges where sound may come from.

    Args:
        stamp, frame_id: of the window [ns].
        azimuths: of the classes, once around [rad], shape (azimuths,).
        probability: of each.
    """
    ring = LinePrimitive(
        type=LinePrimitiveLineType.LineLoop,
        pose=_at((0.0, 0.0, 0.0)),
        thickness=looks.LINE_WIDTH / 2,
        points=_points(looks.spectrum_ring(azimuths, probability)),
        color=_color(looks.SPECTRUM),
    )
    entity = SceneEntity(
        timestamp=timestamp(stamp),
        frame_id=frame_id,
        id='spectrum',
        lifetime=_VISIBLE,
        lines=[ring],
    )
    return _replacing(stamp, [entity])


def _track(stamp: int, frame_id: str, track: Track) -> SceneEntity:
    colour = looks.track_colour(track.id)
    color = _color(colour, looks.FAINT if track.predicted else 1.0)
    words, place = looks.label(track), looks.label_place(track)
    known = not math.isnan(track.azimuth_stddev)
    return SceneEntity(
        timestamp=timestamp(stamp),
        frame_id=frame_id,
        id=str(track.id),
        lifetime=_VISIBLE,
        arrows=[_arrow(track, looks.SHAFT_WIDTH, color)],
        texts=[_text(words, place, looks.LABEL_HEIGHT, _color(colour))],
        triangles=[_uncertainty(track, _color(colour, _CLEAR))] if known else [],
    )


def _uncertainty(track: Track, color: Color) -> TriangleListPrimitive:
    """Return a fan of one standard deviation to each side."""
    width = min(track.azimuth_stddev, math.pi)
    azimuths = track.azimuth + np.linspace(-width, width, _CORNERS)
    rim = looks.reach(track) * unit_vector(azimuths, looks.shown_elevation(track))
    fan = np.stack([np.zeros((_CORNERS - 1, 3)), rim[:-1], rim[1:]], axis=1)
    corners = _points(fan.reshape(-1, 3))
    return TriangleListPrimitive(pose=_at((0.0, 0.0, 0.0)), points=corners, color=color)


def _replacing(stamp: int, entities: list[SceneEntity]) -> SceneUpdate:
    """Return what replaces all that was on the topic."""
    everything = SceneEntityDeletion(timestamp=timestamp(stamp), type=SceneEntityDeletionType.All)
    return SceneUpdate(deletions=[everything], entities=entities)


def _faint(estimate: Estimate) -> Color:
    return _color(looks.estimate_colour(estimate), looks.FAINT)


def _arrow(direction: Estimate | Track, width: float, color: Color) -> ArrowPrimitive:
    x, y, z, w = quaternion_towards(direction.azimuth, looks.shown_elevation(direction))
    length = looks.reach(direction)
    return ArrowPrimitive(
        pose=Pose(position=Vector3(), orientation=Quaternion(x=x, y=y, z=z, w=w)),
        shaft_length=(1 - _HEAD) * length,
        shaft_diameter=width,
        head_length=_HEAD * length,
        head_diameter=_HEAD_WIDTH * width,
        color=color,
    )


def _text(words: str, place: Iterable[float], height: float, color: Color) -> TextPrimitive:
    return TextPrimitive(
        pose=_at(place), billboard=True, font_size=height, color=color, text=words
    )


def _lines(ends: np.ndarray, width: float, color: Color) -> LinePrimitive:
    """Return lines between ends, shape (lines, 2, 3)."""
    return LinePrimitive(
        type=LinePrimitiveLineType.LineList,
        pose=_at((0.0, 0.0, 0.0)),
        thickness=width,
        points=_points(ends.reshape(-1, 3)),
        color=color,
    )


def _at(place: Iterable[float]) -> Pose:
    x, y, z = map(float, place)
    return Pose(position=Vector3(x=x, y=y, z=z), orientation=_NO_TURN)


def _points(places: np.ndarray) -> list[Point3]:
    return [Point3(x=x, y=y, z=z) for x, y, z in places.tolist()]


def _color(colour: looks.Colour, opacity: float = 1.0) -> Color:
    return Color(r=colour.r, g=colour.g, b=colour.b, a=opacity)
