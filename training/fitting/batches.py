# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Examples as a network takes them, streamed from shards: memory does not grow with the data."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..data.dataset import Dataset, Parts, Shards
from ..data.inputs import Inputs
from ..models.heads import head_targets
from ..sections import TrainConfig
from ..settings import Settings

if TYPE_CHECKING:
    import tensorflow as tf

# Shards that are in memory and shuffled together.
_POOL = 24


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
        inputs: what the network is given of them.
        config: of the training.
        shuffle: whether the order is random and examples are varied at random.
    """

    def __init__(self, shards: Parts, inputs: Inputs, config: TrainConfig, *, shuffle: bool):
        self._shards = shards
        self._inputs = inputs
        self._config = config
        self._shuffle = shuffle
        self._passes = 0
        self.rows = sum(int(np.count_nonzero(usable_rows(s, self._config))) for s in shards)

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
        if self._shuffle:
            inputs, data = self._inputs.varied(data, rng)
        else:
            inputs = self._inputs.of(data)
        return inputs, *head_targets(data, self._config)

    def stream(self) -> 'tf.data.Dataset':
        """Return the batches as a `tf.data.Dataset`, made while the network computes."""
        import tensorflow as tf

        def heads(*shapes: tuple[int, ...]) -> tuple[tf.TensorSpec, ...]:
            return tuple(tf.TensorSpec((None, *shape), tf.float32) for shape in shapes)

        shapes = self._config.heads.values()
        targets, weights = heads(*shapes), heads(*(shape[:-1] for shape in shapes))
        signature = (*heads(self._inputs.shape), targets, weights)
        stream = tf.data.Dataset.from_generator(lambda: iter(self), output_signature=signature)
        return stream.apply(tf.data.experimental.assert_cardinality(len(self))).prefetch(4)


def both_splits(folder: Path, settings: Settings, inputs: Inputs) -> tuple[Batches, Batches]:
    """Return the batches of the train split, shuffled, and of the val split of a data folder."""
    train, val = (
        Batches(Shards(folder, split, settings), inputs, settings.train, shuffle=split == 'train')
        for split in ('train', 'val')
    )
    return train, val
