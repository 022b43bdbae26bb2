# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The symmetries of an array, as exact augmentation of labelled features.

A rotation or mirroring that maps the array onto itself turns the features of a source into
those of the turned source, by permuting microphones: 12 for a hexagon, 1 where there is none.
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


def gather_index(array: MicArray, symmetry: Symmetry, lag_count: int) -> np.ndarray:
    """Return the index that permutes flattened features.

    Returns:
        Index into flattened GCC-PHAT of shape (pairs, lags); `gcc.ravel()[index]` are the
        features of the turned source. A pair whose order is swapped has its lags reversed.
    """
    number = {tuple(pair): k for k, pair in enumerate(array.pairs.tolist())}
    lags = np.arange(lag_count)
    index = np.empty((len(number), lag_count), dtype=np.int32)
    for (i, j), source in number.items():
        first, second = symmetry.permutation[i], symmetry.permutation[j]
        swapped = first > second
        target = number[(second, first) if swapped else (first, second)]
        index[target] = source * lag_count + (lags[::-1] if swapped else lags)
    return index.ravel()
