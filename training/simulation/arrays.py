# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Random microphone arrays, as robots have them, for networks that work with every array."""

from collections.abc import Callable
import math

import numpy as np
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray

from ..sections import SimulateConfig
from .corpus import Corpus
from .simulator import Simulator

# Largest distance of two microphones, drawn evenly on a logarithmic scale [m].
_EXTENT = 0.02, 0.18
# Least distance of two microphones [m].
_SPACING = 0.01
# How many microphones there are, where the shape does not say, and how often.
_COUNTS, _COUNT_WEIGHTS = (3, 4, 5, 6, 7, 8, 10, 12, 16), (1, 6, 2, 6, 3, 5, 1, 1, 1)
# Share of the arrays that fill space, and of all that are mounted at an angle.
_HIGH, _TILTED = 0.35, 0.15

Shape = Callable[[np.random.Generator, int], np.ndarray]
"""Draws positions of a number of microphones, or of as many as it has, of any size and place."""


def draw_array(rng: np.random.Generator, sampling_frequency: int) -> MicArray:
    """Return a random array that tells azimuth and elevation.

    Args:
        rng: source of all randomness.
        sampling_frequency: [Hz].
    """
    while True:
        shapes = _HIGH_SHAPES if rng.random() < _HIGH else _FLAT_SHAPES
        shape = shapes[int(rng.integers(len(shapes)))]
        positions = shape(rng, int(rng.choice(_COUNTS, p=_shares(_COUNT_WEIGHTS))))
        positions = positions - positions.mean(axis=0)
        positions *= math.exp(rng.uniform(*np.log(_EXTENT))) / pdist(positions).max()
        if rng.random() < _TILTED:
            turn = Rotation.random(random_state=rng)
        else:
            turn = Rotation.from_euler('z', rng.uniform(-np.pi, np.pi))
        positions = turn.apply(rng.permutation(positions))
        if pdist(positions).min() < _SPACING:
            continue
        array = _array(positions, sampling_frequency)
        if _tells_directions(array):
            return array


class Simulators:
    """Simulators of one array, or of another random one for each clip.

    Args:
        array: the microphones; None for random ones.
        config, corpus, hop: as of `Simulator`.

    Attributes:
        corpus: the recordings.
    """

    def __init__(self, array: MicArray | None, config: SimulateConfig, corpus: Corpus, hop: float):
        self._config, self.corpus, self._hop = config, corpus, hop
        # What the clips of one array share is computed once.
        self._own = None if array is None else Simulator(array, config, corpus, hop)

    def draw(self, rng: np.random.Generator) -> Simulator:
        """Return a simulator of the array, or of a random one."""
        if self._own is not None:
            return self._own
        array = draw_array(rng, self._config.sampling_frequency)
        return Simulator(array, self._config, self.corpus, self._hop)


def _array(positions: np.ndarray, sampling_frequency: int) -> MicArray:
    count = len(positions)
    return MicArray(
        name='random',
        positions=positions,
        labels=tuple(map(str, range(count))),
        channels=tuple(range(count)),
        channel_count=count,
        sampling_frequency=sampling_frequency,
    )


def _tells_directions(array: MicArray) -> bool:
    try:
        return not math.isnan(ambiguity_of(array).elevation_min)
    except ConfigError:
        return False


def _ring(rng: np.random.Generator, count: int) -> np.ndarray:
    angles = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angles), np.sin(angles), np.zeros(count)], axis=1)


def _ring_with_centre(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.vstack([_ring(rng, max(count - 1, 3)), np.zeros(3)])


def _rectangle(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.indices((2, 2, 1)).reshape(3, -1).T * _sides(rng, 2)


def _grid(rng: np.random.Generator, count: int) -> np.ndarray:
    rows = 2 if count < 9 else 3 if count < 16 else 4
    places = np.indices((rows, max(count // rows, 2), 1))
    return places.reshape(3, -1).T * _sides(rng, 2)


def _irregular(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.append(rng.uniform(-1, 1, (count, 2)), np.zeros((count, 1)), axis=1)


def _box(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.indices((2, 2, 2)).reshape(3, -1).T * _sides(rng, 3)


def _tetrahedron(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * _sides(rng, 3)


def _two_rings(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return rings one above the other, as around a head."""
    half = max(count // 2, 3)
    upper = Rotation.from_euler('z', rng.uniform(0, np.pi)).apply(_ring(rng, half))
    upper = upper * rng.uniform(0.5, 1) + [0, 0, rng.uniform(0.3, 1.5)]
    return np.vstack([_ring(rng, half), upper])


def _sphere(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.standard_normal((max(count, 4), 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _cloud(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.uniform(-1, 1, (max(count, 4), 3)) * _sides(rng, 3)


_FLAT_SHAPES: tuple[Shape, ...] = (_ring, _ring, _ring_with_centre, _rectangle, _grid, _irregular)
_HIGH_SHAPES: tuple[Shape, ...] = (_box, _tetrahedron, _two_rings, _sphere, _cloud)


def _sides(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return lengths of sides, of which those beyond `count` are 1, shape (3,)."""
    return np.append(rng.uniform(0.4, 1, count), np.ones(3 - count))


def _shares(weights: tuple[int, ...]) -> np.ndarray:
    return np.array(weights) / sum(weights)
