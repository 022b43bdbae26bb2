#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Draw the markers that the pipeline publishes while it plays a scene, as RViz shows them.

`scripts/draw_markers.py` makes the picture of docs/rviz.md, after `source env.sh`. Camera and
background are those of config/doa.rviz.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
import math
import os
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as MplPath
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
import numpy as np
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile
from visualization_msgs.msg import Marker, MarkerArray
import yaml

from doa_ros.cli.node_process import NodeProcess, listen
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.markers.array_model import NAMESPACES
from doa_ros.resources import config_directory

_PICTURE = Path(__file__).resolve().parents[1] / 'docs' / 'rviz.png'
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# Height of the picture over the distance of the camera, in RViz [1].
_FIELD_OF_VIEW = 2 * math.tan(math.radians(45) / 2)
# Size of the font over the height of a line.
_LETTERS = 0.8
_SIZE, _DPI = (12, 8), 100
# The place of the array in the picture, as shares, and how near it is seen there [m].
_DETAIL, _NEAR = (0.82, 0.02, 0.17, 0.255), 0.16
# Whereto the light is; of length 1.
_LIGHT = np.array([0.36, -0.48, 0.8])


class Shown:
    """The markers of a topic that are visible, as RViz keeps them.

    Attributes:
        markers: by namespace and id, with those whose lifetime is over.
        stamp: of the last message [ns].
    """

    def __init__(self) -> None:
        self.markers: dict[tuple[str, int], Marker] = {}
        self.stamp = 0

    def take(self, message: MarkerArray) -> None:
        """Follow a message."""
        self.stamp = stamp_of(message.markers[-1].header)
        for marker in message.markers:
            key = marker.ns, marker.id
            if marker.action == Marker.DELETEALL:
                self.markers.clear()
            elif marker.action == Marker.DELETE:
                self.markers.pop(key, None)
            else:
                self.markers[key] = marker

    @property
    def visible(self) -> dict[tuple[str, int], Marker]:
        """Those whose lifetime is not over, by namespace and id."""
        return {key: m for key, m in self.markers.items() if not _over(m, self.stamp)}


def _over(marker: Marker, stamp: int) -> bool:
    lifetime = marker.lifetime.sec * NANOSECONDS + marker.lifetime.nanosec
    return 0 < lifetime < stamp - stamp_of(marker.header)


def played(scene: str, model: str, seconds: float) -> list[Marker]:
    """Return the markers that are visible when a scene was played for some seconds.

    Args:
        scene: its name or path.
        model: of the network.
        seconds: since the first marker [s].

    Raises:
        DoaError: the package is not installed, or the pipeline failed.
    """
    rclpy.init()
    node = rclpy.create_node('rviz_figure', namespace=f'figure_{os.getpid()}')
    moving, fixed = Shown(), Shown()
    first: list[int] = []

    def done() -> bool:
        if moving.markers and not first:
            first.append(moving.stamp)
        return bool(first) and moving.stamp - first[0] >= seconds * NANOSECONDS

    node.create_subscription(MarkerArray, 'markers', moving.take, 100)
    node.create_subscription(MarkerArray, 'array_markers', fixed.take, _LATCHED)
    parameters = {'source': 'sim', 'scene': scene, 'model': model, 'loop': True}
    with NodeProcess('doa_pipeline', parameters, node.get_namespace().strip('/')) as process:
        listen(node, [process], done)
        process.check()
    node.destroy_node()
    rclpy.shutdown()
    return [*fixed.visible.values(), *moving.visible.values()]


@dataclass
class Camera:
    """Where the markers are looked at from.

    Attributes:
        yaw, pitch: [rad], as in the orbit view of RViz.
        distance: from the origin [m].
    """

    yaw: float
    pitch: float
    distance: float

    @property
    def axes(self) -> np.ndarray:
        """Right, up and towards the camera: rows, shape (3, 3)."""
        c, s = math.cos(self.pitch), math.sin(self.pitch)
        towards = np.array([c * math.cos(self.yaw), c * math.sin(self.yaw), s])
        right = np.array([-math.sin(self.yaw), math.cos(self.yaw), 0.0])
        return np.array([right, np.cross(towards, right), towards])

    @property
    def place(self) -> np.ndarray:
        """The camera's own place [m]."""
        return self.distance * self.axes[2]

    def project(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return places in the picture and their distances to the camera [m].

        Args:
            places: [m], shape (..., 3).
        """
        seen = places @ self.axes.T
        depth = self.distance - seen[..., 2]
        return seen[..., :2] / depth[..., None], depth


def _turned(marker: Marker, places: np.ndarray) -> np.ndarray:
    """Return places of a marker's own frame in that of the array."""
    q = marker.pose.orientation
    axis = np.array([q.x, q.y, q.z])
    across = np.cross(axis, places)
    p = marker.pose.position
    return places + 2 * q.w * across + 2 * np.cross(axis, across) + [p.x, p.y, p.z]


@dataclass
class Face:
    """A part of the picture.

    Attributes:
        outline: in the array's frame [m]; what it encloses is filled by the even-odd rule.
        codes: what the corners mean, as in a matplotlib Path; None for a polygon.
        colour: red, green, blue, opacity.
    """

    outline: np.ndarray
    colour: tuple[float, ...]
    codes: np.ndarray | None = None


def faces(marker: Marker, camera: Camera) -> Iterator[Face]:
    """Give the parts that a marker is drawn by."""
    scale = np.array([marker.scale.x, marker.scale.y, marker.scale.z])
    own = np.array([(p.x, p.y, p.z) for p in marker.points]).reshape(-1, 3)
    colour = _rgba(marker.color)
    if marker.type == Marker.ARROW:
        yield from _arrow(marker, scale, colour)
    elif marker.type in (Marker.LINE_STRIP, Marker.LINE_LIST):
        step = 1 if marker.type == Marker.LINE_STRIP else 2
        places = _turned(marker, own)
        colours = [_rgba(c) for c in marker.colors] or [colour] * len(places)
        for k in range(0, len(places) - 1, step):
            shade = tuple(np.mean(colours[k : k + 2], axis=0))
            yield Face(_segment(places[k], places[k + 1], scale[0], camera), shade)
    elif marker.type == Marker.TRIANGLE_LIST:
        for corners in _turned(marker, own * scale).reshape(-1, 3, 3):
            # RViz lights only what has no colours of its corners.
            yield Face(corners, colour if marker.colors else _lit(corners, colour))
    elif marker.type == Marker.SPHERE_LIST:
        for centre in _turned(marker, own):
            yield from _sphere(centre, scale[0] / 2, colour, camera)
    elif marker.type == Marker.TEXT_VIEW_FACING:
        yield _words(marker, camera, colour)
    else:
        raise NotImplementedError(f'markers of type {marker.type} cannot be drawn')


def _rgba(colour) -> tuple[float, ...]:
    return colour.r, colour.g, colour.b, colour.a


def _lit(corners: np.ndarray, colour: tuple[float, ...]) -> tuple[float, ...]:
    """Return a colour, darker where a face does not look to the light."""
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    share = abs(normal @ _LIGHT) / max(float(np.linalg.norm(normal)), 1e-12)
    return (*(np.array(colour[:3]) * (0.55 + 0.45 * share)), colour[3])


def _arrow(marker: Marker, scale: np.ndarray, colour: tuple[float, ...]) -> Iterator[Face]:
    """Give a shaft of 77 % of the length and a head of twice its width, as RViz does."""
    turns = np.linspace(0, 2 * math.pi, 13)
    ring = np.stack([np.zeros_like(turns), np.cos(turns), np.sin(turns)], axis=1) / 2
    shaft, tip = np.array([0.77, 0, 0]), np.array([1.0, 0, 0])
    for this, following in zip(ring[:-1], ring[1:], strict=True):
        for corners in (
            [this, following, following + shaft, this + shaft],
            [2 * this + shaft, 2 * following + shaft, tip],
        ):
            placed = _turned(marker, np.array(corners) * scale)
            yield Face(placed, _lit(placed, colour))


def _segment(start: np.ndarray, end: np.ndarray, width: float, camera: Camera) -> np.ndarray:
    """Return a strip that faces the camera."""
    side = np.cross(end - start, camera.place - start)
    side *= width / 2 / max(float(np.linalg.norm(side)), 1e-12)
    return np.array([start - side, end - side, end + side, start + side])


def _sphere(
    centre: np.ndarray, radius: float, colour: tuple[float, ...], camera: Camera
) -> Iterator[Face]:
    """Give a disc that faces the camera, and smaller, lighter ones before it."""
    turns = np.linspace(0, 2 * math.pi, 25)
    right, up, towards = camera.axes
    rim = np.cos(turns)[:, None] * right + np.sin(turns)[:, None] * up
    for share in (1.0, 0.75, 0.5, 0.25):
        middle = centre + radius * (1 - share) * (0.3 * up + 1.5 * towards)
        light = np.array(colour[:3]) * (1 - 0.4 * share)
        yield Face(middle + share * radius * rim, (*light, colour[3]))


def _words(marker: Marker, camera: Camera, colour: tuple[float, ...]) -> Face:
    """Return the letters of a text around its place; lines begin below each other."""
    height, lines = marker.scale.z, marker.text.split('\n')
    font = FontProperties(family=['Liberation Sans', 'DejaVu Sans'])
    path = MplPath.make_compound_path(
        *(
            TextPath((0, -k * height), words, size=_LETTERS * height, prop=font)
            for k, words in enumerate(lines)
        )
    )
    box = path.get_extents()
    middle = Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2)
    path = path.transformed(middle)
    right, up, _ = camera.axes
    p = marker.pose.position
    outline = [p.x, p.y, p.z] + path.vertices @ np.array([right, up])
    return Face(outline, colour, np.asarray(path.codes))


def draw(axes: Axes, markers: Iterable[Marker], camera: Camera) -> None:
    """Draw markers as a camera sees them, from the farthest to the nearest."""
    drawn = []
    for marker in markers:
        for face in faces(marker, camera):
            corners, depth = camera.project(face.outline)
            # Letters lie on top.
            distance = depth.mean() - (face.codes is not None) * camera.distance
            drawn.append((distance, MplPath(corners, face.codes, closed=False), face.colour))
    drawn.sort(key=lambda part: -part[0])
    paths, colours = zip(*((path, colour) for _, path, colour in drawn), strict=True)
    axes.add_collection(PathCollection(paths, facecolors=colours, linewidths=0))
    left, bottom, right, top = axes.get_window_extent().extents
    half = _FIELD_OF_VIEW / 2
    aspect = (right - left) / (top - bottom)
    axes.set(xlim=(-half * aspect, half * aspect), ylim=(-half, half), xticks=[], yticks=[])


def picture(markers: Sequence[Marker], camera: Camera, background: str) -> Figure:
    """Return a picture of markers, with the array once more from near by.

    Args:
        markers: all that is visible.
        camera: wherefrom they are seen.
        background: a colour.
    """
    figure = Figure(figsize=_SIZE, dpi=_DPI, edgecolor='none')
    whole = figure.add_axes((0, 0, 1, 1), facecolor=background)
    draw(whole, markers, camera)
    detail = figure.add_axes(_DETAIL, facecolor=background)
    near = replace(camera, distance=_NEAR)
    draw(detail, [m for m in markers if m.ns in NAMESPACES], near)
    return figure


def main() -> None:
    """Draw the picture that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=_PICTURE)
    parser.add_argument('--scene', default='two_talkers', help='of the simulation')
    parser.add_argument('--model', default='uma8_several_int8', help='the network')
    parser.add_argument('--at', type=float, default=4.5, help='when it is taken [s]')
    arguments = parser.parse_args()
    rviz = yaml.safe_load((config_directory() / 'doa.rviz').read_text(encoding='utf-8'))
    manager = rviz['Visualization Manager']
    view = manager['Views']['Current']
    camera = Camera(view['Yaw'], view['Pitch'], view['Distance'])
    red, green, blue = map(int, manager['Global Options']['Background Color'].split(';'))
    shown = played(arguments.scene, arguments.model, arguments.at)
    figure = picture(shown, camera, f'#{red:02x}{green:02x}{blue:02x}')
    figure.savefig(arguments.out)


if __name__ == '__main__':
    main()
