# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The symmetries of an array: 12 for a hexagon, 1 where there is none.

A rotation or mirroring that maps the array onto itself turns what is heard of a source into what
would be heard of the turned source, by permuting microphones.
"""

from dataclasses import dataclass

import numpy as np

from doa_ros.core.geometry import MicArray

# Microphones this close after the mapping are the same place [m].
_TOLERANCE = 2e-4


@dataclass(frozen=True)
class Symmetry:
    """A mapping of the array onto itself: mirroring y first where told, then a rotation.

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
    positions = array.positions - array.positions.mean(axis=0)
    off_axis = int(np.argmax(np.linalg.norm(positions[:, :2], axis=1)))
    found: dict[tuple[int, ...], Symmetry] = {}
    for mirrored in (False, True):
        start = positions * [1, -1, 1] if mirrored else positions
        for target in np.roll(np.arange(len(positions)), -off_axis):
            angle = _angle(positions[target]) - _angle(start[off_axis])
            cos, sin = np.cos(angle), np.sin(angle)
            turned = start @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
            distance = np.linalg.norm(turned[:, None] - positions[None], axis=2)
            permutation = tuple(int(k) for k in distance.argmin(axis=1))
            if distance.min(axis=1).max() < _TOLERANCE:
                found.setdefault(permutation, Symmetry(float(angle), mirrored, permutation))
    return list(found.values())


def _angle(position: np.ndarray) -> float:
    return float(np.arctan2(position[1], position[0]))
