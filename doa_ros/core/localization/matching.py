# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Arrays of the shape that a network knows, but numbered, turned, mirrored or sized otherwise.

Turned and mirrored, a source is heard from elsewhere; numbered otherwise, by other pairs; on a
larger array, at lags that are longer in proportion. All of it is undone exactly: the pairs are
taken in the network's order, the lags are stretched, and what is found is turned back. What
remains is that a larger array resolves the same frequencies better, a smaller one worse.
"""

from dataclasses import dataclass, replace
import math

import numpy as np

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.core.symmetry import Symmetry, mappings

# Larger differences of microphone positions bias the elevation [m].
TOLERANCE = 5e-4
# How much larger an array may be than that of a network.
SCALE_MIN, SCALE_MAX = 0.9, 1.1
# Angles that differ by rounding errors only are equal [rad].
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Match:
    """How the microphones that a network knows lie on an array.

    Attributes:
        scale: how much larger the array is.
        rotation: how far the network's own frame is turned on the board, about z [rad].
        mirrored: whether it is mirrored (y) before.
        order: the array's microphone at the place of each of the network's; empty where they are
            numbered alike.
    """

    scale: float
    rotation: float
    mirrored: bool
    order: tuple[int, ...]

    def applied(self, array: MicArray) -> MicArray:
        """Return the array with the network's order, and its frame as that of the board.

        What is found in that frame comes out in the same mounted frame as before.
        """
        cos, sin = math.cos(self.rotation), math.sin(self.rotation)
        positions = array.positions @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        if self.mirrored:
            positions = positions * [1, -1, 1]
        turn = -self.rotation if array.face_down else self.rotation
        return replace(
            array,
            positions=positions,
            face_down=array.face_down != self.mirrored,
            rotation=wrap_angle(array.rotation + turn),
            order=self.order,
        )

    def differences(self, array: MicArray) -> list[str]:
        """Return, in words, what of the array is not as the network knows it."""
        found = []
        if self.scale != 1:
            found.append(f'{self.scale:.3f} times as large')
        if self.rotation:
            found.append(f'turned by {math.degrees(self.rotation):.1f} deg')
        if self.mirrored:
            found.append('mirrored')
        if self.order != array.order:
            order = self.order or range(len(array.labels))
            labels = ', '.join(array.labels[k] for k in order)
            found.append(f'its microphones in the order {labels}')
        return found


def match(array: MicArray, positions: np.ndarray) -> Match | None:
    """Return how microphones lie on an array of the same shape; None where it has another.

    Of several ways, the one that turns least is taken; mirrored only where it has to be. An array
    that has them where they are is taken as it is. Only flat, horizontal ones are turned.

    Args:
        array: the array.
        positions: of the microphones that a network knows [m], shape (microphones, 3).

    Raises:
        ConfigError: the array resolves no azimuth.
    """
    if positions.shape != array.positions.shape:
        return None
    if not array.order and _distance(positions, array.positions) <= TOLERANCE:
        return Match(1.0, 0.0, False, ())
    natural = tuple(range(len(positions)))
    if not 0 < _size(positions) < math.inf:
        return None
    scale = _size(array.positions) / _size(positions)
    found = [
        Match(
            scale,
            _refined(mapping, positions, array.positions),
            mapping.mirrored,
            () if mapping.permutation == natural else mapping.permutation,
        )
        for mapping, _ in mappings(scale * positions, array.positions)
        if tuple(sorted(mapping.permutation)) == natural
    ]
    if not ambiguity_of(array).horizontal:
        # What is not flat cannot be turned over; of an upright array, front would be elsewhere.
        found = [one for one in found if not (one.rotation or one.mirrored)]
    fitting = [
        one
        for one in found
        if _distance(_centred(scale * positions), _centred(_placed(one, array))) <= TOLERANCE
    ]
    return min(fitting, key=_effort, default=None)


def _effort(one: Match) -> tuple:
    turn = round(one.rotation / _ROUNDING)
    return one.mirrored, abs(turn), -turn


def _refined(mapping: Symmetry, positions: np.ndarray, others: np.ndarray) -> float:
    """Return the rotation of a mapping that fits all microphones best [rad]."""
    start = _centred(positions) * ([1, -1, 1] if mapping.mirrored else [1, 1, 1])
    there = _centred(others)[list(mapping.permutation)]
    first, second = ((p[:, 0] + 1j * p[:, 1]) for p in (start, there))
    angle = float(np.angle(np.vdot(first, second)))
    return 0.0 if abs(angle) < _ROUNDING else angle


def _placed(one: Match, array: MicArray) -> np.ndarray:
    """Return the array's microphones in the frame and the order of the network."""
    placed = one.applied(array.unmounted())
    return placed.positions[list(one.order or range(len(placed.positions)))]


def _centred(positions: np.ndarray) -> np.ndarray:
    return positions - positions.mean(axis=0)


def _size(positions: np.ndarray) -> float:
    return float(np.linalg.norm(_centred(positions)))


def _distance(positions: np.ndarray, others: np.ndarray) -> float:
    return float(np.linalg.norm(positions - others, axis=1).max())
