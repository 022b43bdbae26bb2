# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Directions that an array cannot tell apart, as the positions of its microphones decide.

Microphones in a plane cannot tell a direction from its mirror image on the other side of the
plane. Microphones on a line cannot tell apart the directions with the same angle to the line. Such
directions get one answer, on the side that `ambiguity_of` chooses.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
import math

import numpy as np

from doa_ros.core.array_size import elevation_stddev
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, direction_of, unit_vector

# A thinner array counts as flat [m]: capsules stand up to 1 mm higher or lower on a board, and
# their positions have errors. With errors of 0.7 mm, in a room of RT60 0.35 s at 10 dB, SRP-PHAT
# takes the wrong side of an array of 8 cm once in four times if it is 1 mm thick, and once in
# twenty times if it is 4 mm thick.
_THIN = 4e-3
# A plane or a line is as good as horizontal up to this sine of its slope, and upright beyond.
_STEEP = math.sqrt(0.5)
# A plane or a line that turns no more than this away from the x axis is along it [rad].
_ALONG = math.radians(1)
_ROUNDING = 1e-9
_UP = np.array([0.0, 0.0, 1.0])
# Rows of directions in which a slanted line is looked along.
_ROWS = 6


class Ambiguity(ABC):
    """Which directions cannot be told apart, and which of them is the answer.

    Attributes:
        axis: unit vector, the normal of the plane or the direction of the line, shape (3,); 0
            without ambiguity.
        side: answers lie in the half space that this unit vector points into, shape (3,); None
            without such a half space.
        elevation_min: the lowest elevation of an answer [rad]; NaN where it has none.
    """

    axis: np.ndarray
    side: np.ndarray | None
    elevation_min: float

    @abstractmethod
    def fold(self, azimuth, elevation):
        """Return the answers for sound from directions: azimuth and elevation [rad].

        Args:
            azimuth, elevation: of the directions [rad], numbers or arrays of any shape. An
                elevation that is not known, NaN, counts as 0 and stays unknown.
        """

    @abstractmethod
    def alike(self, azimuth: float, elevation: float) -> np.ndarray:
        """Return the other directions that sound like an answer, for drawing.

        Args:
            azimuth, elevation: of the answer [rad].

        Returns:
            Unit vectors, shape (directions, 3).
        """

    def elevation_stddev(self, azimuth: float, elevation: float) -> float:
        """Return how uncertain an elevation is because the array's size is [rad].

        All estimates have the same error, so that no averaging lowers it.

        Args:
            azimuth, elevation: of the answer [rad].
        """
        return 0.0

    @abstractmethod
    def mounted(self, array: MicArray) -> 'Ambiguity':
        """Return the same in the mounted frame of an array."""

    @abstractmethod
    def __str__(self) -> str: ...

    @property
    def horizontal(self) -> bool:
        """Whether it is above or below alone that cannot be told."""
        return False

    def inside(self, azimuths: np.ndarray, elevations: np.ndarray | float) -> np.ndarray:
        """Return whether directions [rad] are answers, element by element."""
        if self.side is None:
            return np.ones(np.broadcast(azimuths, elevations).shape, dtype=bool)
        # The zenith lies at the side that its azimuth says.
        vectors = unit_vector(azimuths, (1 - 1e-3) * np.asarray(elevations))
        return vectors @ self.side >= -_ROUNDING

    def look_directions(
        self, azimuths: np.ndarray, elevations: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the directions that stand for all that an array can tell apart.

        Args:
            azimuths, elevations: of a grid [rad], shapes (azimuths,) and (elevations,); the latter
                is empty where answers have no elevation.

        Returns:
            Unit vectors, shape (rows, azimuths, 3), and which of them are answers, shape
            (rows, azimuths); where there are elevations, these are the rows.
        """
        elevations, azimuths = np.meshgrid(elevations, azimuths, indexing='ij')
        return unit_vector(azimuths, elevations), self.inside(azimuths, elevations)


class NoAmbiguity(Ambiguity):
    """The microphones fill space: no two directions sound alike."""

    axis = np.zeros(3)
    side = None
    elevation_min = -math.pi / 2

    def fold(self, azimuth, elevation):
        """Return the direction itself."""
        return azimuth, elevation

    def alike(self, azimuth: float, elevation: float) -> np.ndarray:
        """Return no direction."""
        return np.zeros((0, 3))

    def mounted(self, array: MicArray) -> Ambiguity:
        """Return the same."""
        return self

    def __str__(self) -> str:
        return 'it tells all directions apart'


@dataclass(frozen=True)
class MirrorPlane(Ambiguity):
    """The microphones lie in a plane: what is behind it sounds like its mirror image before it.

    Args:
        axis: normal of the plane, to the side where answers lie, shape (3,).
    """

    axis: np.ndarray
    side: np.ndarray = field(init=False, repr=False, compare=False)
    elevation_min: float = field(init=False, repr=False, compare=False)
    _normal: tuple[float, float, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, 'side', self.axis)
        object.__setattr__(self, '_normal', tuple(np.asarray(self.axis, dtype=float).tolist()))
        object.__setattr__(self, 'elevation_min', 0.0 if self.horizontal else -math.pi / 2)

    @property
    def horizontal(self) -> bool:
        """Whether the plane is."""
        return bool(self.axis[2] == 1)

    def fold(self, azimuth, elevation):
        """Return the direction, or its mirror image where it is behind the plane."""
        if self.horizontal:
            return azimuth, np.abs(elevation)
        vectors = unit_vector(azimuth, np.nan_to_num(elevation))
        before = vectors @ self.axis
        mirrored = direction_of(vectors - 2 * before[..., None] * self.axis)
        azimuth, elevation = np.where(
            before < 0,
            (mirrored[0], np.where(np.isnan(elevation), np.nan, mirrored[1])),
            np.broadcast_arrays(azimuth, elevation),
        )
        return azimuth[()], elevation[()]

    def alike(self, azimuth: float, elevation: float) -> np.ndarray:
        """Return the mirror image."""
        vector = unit_vector(azimuth, elevation)
        return (vector - 2 * (vector @ self.axis) * self.axis)[None]

    def elevation_stddev(self, azimuth: float, elevation: float) -> float:
        """See Ambiguity."""
        return elevation_stddev(self._normal, azimuth, elevation)

    def mounted(self, array: MicArray) -> Ambiguity:
        """Return the same in the mounted frame of an array."""
        return self if self.horizontal else MirrorPlane(array.frame_vectors(self.axis))

    def __str__(self) -> str:
        if self.horizontal:
            return 'it cannot tell above from below: elevations are given as 0..90 degrees'
        azimuth, elevation = np.degrees(direction_of(self.axis))
        return (
            'it cannot tell the two sides of its plane apart: sound from behind is given as its '
            f'mirror image on the side of azimuth {azimuth:.0f}, elevation {elevation:.0f} degrees'
        )


# Of the arrays that most robots have.
HORIZONTAL = MirrorPlane(_UP)


@dataclass(frozen=True)
class Line(Ambiguity):
    """The microphones lie on a line: only the angle to it is known.

    The answer is the azimuth at which a source at the height of the array makes this angle, before
    the line. A slanted line hears angles that no such source makes; its own azimuth stands for
    them.

    Args:
        axis: direction of the line, shape (3,).
        side: horizontal and square to it, to the side where answers lie, shape (3,).
    """

    axis: np.ndarray
    side: np.ndarray
    elevation_min = math.nan

    @property
    def _level(self) -> np.ndarray:
        """The line's direction without its slope, shape (3,)."""
        return np.array([self.axis[0], self.axis[1], 0.0]) / math.hypot(*self.axis[:2])

    def fold(self, azimuth, elevation):
        """Return the azimuth of the answer and NaN."""
        vectors = unit_vector(azimuth, np.nan_to_num(elevation))
        along = np.clip(vectors @ self.axis / math.hypot(*self.axis[:2]), -1, 1)[..., None]
        azimuth, _ = direction_of(along * self._level + np.sqrt(1 - along**2) * self.side)
        return azimuth, np.full_like(azimuth, np.nan)[()]

    def alike(self, azimuth: float, elevation: float) -> np.ndarray:
        """Return the directions around the line, beginning and ending with the answer."""
        vector = unit_vector(azimuth, 0.0)
        along = vector @ self.axis
        across = vector - along * self.axis
        turns = np.linspace(0, 2 * math.pi, 37)[:, None]
        return (
            along * self.axis
            + np.cos(turns) * across
            + np.sin(turns) * np.cross(self.axis, across)
        )

    def mounted(self, array: MicArray) -> Ambiguity:
        """Return the same in the mounted frame of an array."""
        return Line(array.frame_vectors(self.axis), array.frame_vectors(self.side))

    def look_directions(
        self, azimuths: np.ndarray, elevations: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a direction at the height of the array for each azimuth before it, and more."""
        answers = self.inside(azimuths, 0.0)
        rows = _ROWS if self.axis[2] else 1
        climbs = np.zeros((rows, len(azimuths)))
        # The ends of the line, in rows from there to the horizontal.
        along = np.where(answers, unit_vector(azimuths, 0.0) @ self._level, 0)
        slope = math.asin(self.axis[2])
        climbs[:, along.argmax()] = np.linspace(0, slope, rows)
        climbs[:, along.argmin()] = np.linspace(0, -slope, rows)
        return unit_vector(azimuths, climbs), np.broadcast_to(answers, climbs.shape)

    def __str__(self) -> str:
        azimuth, _ = np.degrees(direction_of(self.side))
        return (
            'its microphones lie on a line and tell only the angle to it: azimuths are those of '
            'sources at the height of the array on the side of azimuth '
            f'{azimuth:.0f} degrees, and elevations are not known'
        )


def ambiguity_of(array: MicArray) -> Ambiguity:
    """Return what an array cannot tell, in the board's own frame.

    Answers lie above a plane that is nearer to the horizontal than to the vertical, and before any
    other plane and a line: where x is positive, or, if it runs along x, where y is.

    Raises:
        ConfigError: the microphones stand one above the other.
    """
    places = array.positions - array.positions.mean(axis=0)
    axes = np.linalg.svd(places)[2]
    length, width, thickness = np.ptp(places @ axes.T, axis=0)
    flat = np.ptp(places[:, 2]) <= _THIN
    if width <= _THIN:
        return _line(array, axes[0] * [1, 1, 0] if flat else axes[0])
    if flat:
        return HORIZONTAL
    if thickness > _THIN:
        return NoAmbiguity()
    normal = axes[2]
    if abs(normal[2]) >= _STEEP - _ROUNDING:
        return MirrorPlane(math.copysign(1, normal[2]) * normal)
    return MirrorPlane(_forward(normal))


def _line(array: MicArray, axis: np.ndarray) -> Line:
    axis = axis / np.linalg.norm(axis)
    if abs(axis[2]) > _STEEP + _ROUNDING:
        raise ConfigError(
            f'array {array.name!r}: its microphones stand one above the other and tell how high a '
            'sound is, but no azimuth, which every answer has; place them side by side'
        )
    side = np.cross(_UP, axis)
    return Line(axis, _forward(side / np.linalg.norm(side)))


def _forward(vector: np.ndarray) -> np.ndarray:
    """Return a vector or its opposite: the one to the front, or to the left."""
    x, y, _ = vector
    ahead = x if abs(x) > math.sin(_ALONG) * math.hypot(x, y) else y
    return math.copysign(1, ahead) * vector


def require_elevations(array: MicArray, lowest: float) -> None:
    """Check that a network's classes reach as far down as an array's answers.

    Args:
        array: the microphones.
        lowest: elevation of the network's first class [rad].

    Raises:
        ConfigError: they do not; the message says what works.
    """
    ambiguity = ambiguity_of(array)
    if math.isnan(ambiguity.elevation_min):
        raise ConfigError(
            f'array {array.name!r} has no elevations, which networks need: {ambiguity}; method '
            'srp_phat works with it'
        )
    if lowest > ambiguity.elevation_min + _ROUNDING:
        raise ConfigError(
            f'array {array.name!r} gives elevations from '
            f'{math.degrees(ambiguity.elevation_min):.0f} degrees on, but those of the network '
            f'begin at {math.degrees(lowest):.0f} degrees; train one for this array (setting '
            'train: elevation_min_deg), or use method srp_phat'
        )


def ambiguity_in_frame(array: MicArray) -> Ambiguity:
    """Return what an array cannot tell, in its mounted frame.

    Raises:
        ConfigError: as for `ambiguity_of`.
    """
    return ambiguity_of(array).mounted(array)
