# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The symmetries of an array: 12 for a hexagon, 1 where there is none.

A rotation or mirroring that maps the array onto itself turns what is heard of a source into what
would be heard of the turned source, by permuting microphones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from doa_ros.core.geometry import MicArray

# Microphones this close after the mapping are the same place [m].
_TOLERANCE = 2e-4


@dataclass(frozen=True)
class Symmetry:
    """A mapping of microphones onto places: where `mirrored`, y changes sign; then a rotation.

    Attributes:
        rotation: about the z axis [rad].
        mirrored: whether azimuths change sign before the rotation.
        permutation: microphone k lands on the place of microphone permutation[k].
    """

    rotation: float
    mirrored: bool
    permutation: tuple[int, ...]

    def azimuth(self, azimuth):
        """Return where a source of this azimuth [rad] lands."""
        return (-azimuth if self.mirrored else azimuth) + self.rotation


def symmetries(array: MicArray) -> list[Symmetry]:
    """Return the mappings of the array onto itself about its centre, the identity first."""
    found: dict[tuple[int, ...], Symmetry] = {}
    for mapping, distance in mappings(array.positions, array.positions):
        if distance < _TOLERANCE:
            found.setdefault(mapping.permutation, mapping)
    return list(found.values())


def mappings(positions: np.ndarray, others: np.ndarray) -> Iterator[tuple[Symmetry, float]]:
    """Yield how microphones may be turned and mirrored about their centre to lie on others.

    Args:
        positions, others: of as many microphones [m], shape (microphones, 3).

    Yields:
        A mapping, and how far a microphone lands from its place at most [m].
    """
    positions, others = (p - p.mean(axis=0) for p in (positions, others))
    off_axis = int(np.argmax(np.linalg.norm(positions[:, :2], axis=1)))
    for mirrored in (False, True):
        start = positions * [1, -1, 1] if mirrored else positions
        for target in np.roll(np.arange(len(positions)), -off_axis):
            angle = _angle(others[target]) - _angle(start[off_axis])
            cos, sin = np.cos(angle), np.sin(angle)
            turned = start @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
            distance = np.linalg.norm(turned[:, None] - others[None], axis=2)
            permutation = tuple(int(k) for k in distance.argmin(axis=1))
            yield Symmetry(float(angle), mirrored, permutation), distance.min(axis=1).max()


def _angle(position: np.ndarray) -> float:
    return float(np.arctan2(position[1], position[0]))
