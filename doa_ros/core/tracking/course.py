# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps what moves across the sphere within the directions that an array can tell apart."""

from collections.abc import Iterable
import math

from doa_ros.core.ambiguity import Ambiguity
from doa_ros.core.geometry import wrap_angle

Vector = tuple[float, float, float]


Course = tuple[float, float, float, float]
"""Azimuth and elevation [rad], and the velocity along the arcs to east and north [rad/s]."""


class CourseFolder:
    """Folds courses as an array's ambiguity folds directions.

    Args:
        ambiguity: which directions the array cannot tell apart.

    Attributes:
        lowest: the lowest elevation [rad].
    """

    def __init__(self, ambiguity: Ambiguity):
        self.lowest = 0.0 if ambiguity.horizontal else -math.pi / 2
        self._side: Vector | None = None
        if not ambiguity.horizontal and ambiguity.side is not None:
            x, y, z = ambiguity.side.tolist()
            self._side = x, y, z

    def fold(
        self, azimuth: float, elevation: float, east_velocity: float, north_velocity: float
    ) -> Course:
        """Return a course with its azimuth in (-pi, pi] and on the array's side.

        Args:
            azimuth: any angle [rad].
            elevation: may lie beyond the zenith [rad].
            east_velocity, north_velocity: [rad/s].
        """
        east, north = east_velocity, north_velocity
        if elevation > math.pi / 2:
            azimuth, elevation = azimuth + math.pi, math.pi - elevation
            east, north = -east, -north
        elif elevation < self.lowest:
            if self.lowest < 0:
                azimuth, elevation = azimuth + math.pi, -math.pi - elevation
                east, north = -east, -north
            else:
                elevation, north = 0.0, max(north, 0.0)
        course = wrap_angle(azimuth), elevation, east, north
        return course if self._side is None else _mirrored(course, self._side)


def _mirrored(course: Course, side: Vector) -> Course:
    """Return the mirror image of a course that lies behind the plane with normal `side`."""
    azimuth, elevation, east, north = course
    ahead, left, up = _tangents(azimuth, elevation)
    if _dot(ahead, side) >= 0:
        return course
    velocity = [east * a + north * b for a, b in zip(left, up, strict=True)]
    x, y, z = _reflected(ahead, side)
    velocity = _reflected(velocity, side)
    azimuth, elevation = math.atan2(y, x), math.atan2(z, math.hypot(x, y))
    _, left, up = _tangents(azimuth, elevation)
    return azimuth, elevation, _dot(velocity, left), _dot(velocity, up)


def _reflected(vector: Iterable[float], side: Vector) -> list[float]:
    vector = list(vector)
    along = 2 * _dot(vector, side)
    return [v - along * s for v, s in zip(vector, side, strict=True)]


def _tangents(azimuth: float, elevation: float) -> tuple[Vector, Vector, Vector]:
    """Return the unit vectors of a direction and, square to it, towards east and north."""
    cos, sin = math.cos(azimuth), math.sin(azimuth)
    level, high = math.cos(elevation), math.sin(elevation)
    return (level * cos, level * sin, high), (-sin, cos, 0.0), (-high * cos, -high * sin, level)


def _dot(first: Iterable[float], second: Iterable[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))
