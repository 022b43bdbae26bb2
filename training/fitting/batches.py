# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Examples as a network takes them, streamed from shards: memory does not grow with the data."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.features import feature_type_of
from doa_ros.core.features.feature_type import network_input
from doa_ros.core.geometry import MicArray
from doa_ros.core.symmetry import symmetries

from ..data.dataset import Dataset, Parts, Shards
from ..models.heads import head_targets
from ..sections import TrainConfig
from ..settings import Settings

if TYPE_CHECKING:
    import tensorflow as tf

# Shards that are in memory and shuffled together.
_POOL = 24
# Where microphones are dead, the same may be drawn twice: one or two are.
_MOST_DEAD = 2


def usable_rows(data: Dataset, config: TrainConfig) -> np.ndarray:
    """Return which rows a network learns from, boolean, shape (rows,).

    One that knows a single source learns from clips with one source; silence is for all. A fan or
    motor at the array is no silence to learn from: it is a source in a dry room, which only the
    noise floor, not the network, can tell from a talker.
    """
    heard = np.any(data.voiced, axis=1) if config.multi_source else data.single
    return heard | (data.silent & ~data.ego_noise)


class Batches:
    """Batches of inputs, targets and weights; another shuffle in every pass.

    Args:
        shards: the examples.
        array: the microphones.
        settings: of the model.
        shuffle: whether the order is random and examples are turned by random symmetries.
    """

    def __init__(self, shards: Parts, array: MicArray, settings: Settings, *, shuffle: bool):
        self._shards = shards
        self._config = settings.train
        self._shuffle = shuffle
        self._passes = 0
        self.rows = sum(int(np.count_nonzero(usable_rows(s, self._config))) for s in shards)
        self._feature_type = feature_type_of(array, settings.features)
        found = symmetries(array)[: None if settings.train.symmetries else 1]
        self._symmetries = found
        self._index = np.stack([self._feature_type.turned_index(symmetry) for symmetry in found])
        self._ambiguity = ambiguity_of(array)

    def __len__(self) -> int:
        """Return the number of batches of a pass."""
        return -(-self.rows // self._config.batch)

    def __iter__(self) -> Iterator[tuple]:
        rng = np.random.default_rng([self._config.seed, self._passes])
        self._passes += 1
        numbers = list(range(len(self._shards)))
        if self._shuffle:
            rng.shuffle(numbers)
        rest: list[Dataset] = []
        for first in range(0, len(numbers), _POOL):
            shards = [self._shards[number] for number in numbers[first : first + _POOL]]
            pool = Dataset.concatenate(
                [*rest, *(s.select(usable_rows(s, self._config)) for s in shards)]
            )
            order = rng.permutation(len(pool)) if self._shuffle else np.arange(len(pool))
            last = first + _POOL >= len(numbers)
            whole = len(pool) if last else len(pool) // self._config.batch * self._config.batch
            for start in range(0, whole, self._config.batch):
                chosen = order[start : min(start + self._config.batch, whole)]
                yield self._batch(pool.select(chosen), rng)
            rest = [pool.select(order[whole:])]

    def _batch(self, data: Dataset, rng: np.random.Generator) -> tuple:
        features = data.features.astype(np.float32)
        if self._shuffle and len(self._symmetries) > 1:
            chosen = rng.integers(len(self._symmetries), size=len(features))
            flat = np.take_along_axis(
                features.reshape(len(features), -1), self._index[chosen], axis=1
            )
            features = flat.reshape(features.shape)
            sign = np.array([-1.0 if s.mirrored else 1.0 for s in self._symmetries])[chosen]
            turn = np.array([s.rotation for s in self._symmetries])[chosen]
            azimuth, elevation = self._ambiguity.fold(
                data.azimuth * sign[:, None] + turn[:, None], data.elevation
            )
            data = replace(data, azimuth=azimuth, elevation=elevation)
        if self._shuffle and self._config.dead_microphones:
            features *= ~self._feature_type.dead_values(self._dead_microphones(len(features), rng))
        return network_input(features), *head_targets(data, self._config)

    def _dead_microphones(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return which microphones are dead in some of the rows, shape (rows, microphones)."""
        count = len(self._feature_type.array.positions)
        dead = np.zeros((rows, count), dtype=bool)
        some = rng.random(rows) < self._config.dead_microphones
        for _ in range(_MOST_DEAD):
            dead[np.arange(rows), rng.integers(count, size=rows)] |= some
        return dead

    def stream(self) -> 'tf.data.Dataset':
        """Return the batches as a `tf.data.Dataset`, made while the network computes."""
        import tensorflow as tf

        def heads(*shapes: tuple[int, ...]) -> tuple[tf.TensorSpec, ...]:
            return tuple(tf.TensorSpec((None, *shape), tf.float32) for shape in shapes)

        shapes = self._config.heads.values()
        targets, weights = heads(*shapes), heads(*(shape[:-1] for shape in shapes))
        signature = (*heads(self._feature_type.shape[::-1]), targets, weights)
        stream = tf.data.Dataset.from_generator(lambda: iter(self), output_signature=signature)
        return stream.apply(tf.data.experimental.assert_cardinality(len(self))).prefetch(4)


def both_splits(folder: Path, settings: Settings) -> tuple[Batches, Batches]:
    """Return the batches of the train split, shuffled, and of the val split of a data folder."""
    array = settings.load_array()
    train, val = (
        Batches(Shards(folder, split, settings), array, settings, shuffle=split == 'train')
        for split in ('train', 'val')
    )
    return train, val
