# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fitting the network of the recurrent filter: its batches, its loss, its learning rate."""

from pathlib import Path

import keras
from keras import ops
import numpy as np

from ..data.filter_examples import FilterExamples, inputs, rotated, targets
from ..models.recurrent_filter import build_recurrent_filter
from ..sections import TrainFilterConfig
from .loop import fit_compiled

# The learning rate begins at this share of its highest, and rises in so many steps or, where there
# are few, in this share of them.
_FIRST_RATE, _RISE, _RISE_SHARE = 0.05, 200, 0.1
_LARGEST_GRADIENT = 1.0


class SequenceBatches(keras.utils.PyDataset):
    """Batches of inputs, and of targets beside their weights.

    Args:
        clips: all of them.
        batch: how many are in a batch.
        seed: of the order in every pass, and of how the circle is turned and mirrored; None for
            the clips as they are.
    """

    def __init__(self, clips: FilterExamples, batch: int, seed: int | None = None):
        super().__init__(workers=2)
        self._clips, self._batch, self._seed = clips, batch, seed
        self._passes = 0
        self._shuffle()

    def __len__(self) -> int:
        return -(-len(self._clips) // self._batch)

    def _shuffle(self):
        self._order = np.arange(len(self._clips))
        if self._seed is not None:
            np.random.default_rng([self._seed, self._passes]).shuffle(self._order)

    def on_epoch_end(self) -> None:
        """Begin another pass."""
        self._passes += 1
        self._shuffle()

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[index * self._batch : (index + 1) * self._batch]
        clips = self._clips.select(np.sort(chosen))
        seen, wanted = inputs(clips), targets(clips)
        if self._seed is None:
            return seen, wanted
        rng = np.random.default_rng([self._seed, self._passes, index])
        turn, mirrored = int(rng.integers(seen.shape[2])), bool(rng.random() < 0.5)
        return rotated(seen, turn, mirrored), rotated(wanted, turn, mirrored)


def recurrent_filter_loss(wanted, log_odds):
    """Return the cross-entropy of clips: means over what counts, times the azimuth classes.

    Args:
        wanted: see `filter_examples.targets`, shape (clips, windows, azimuths, 2).
        log_odds: of the network, shape (clips, windows, azimuths, 1).
    """
    present, weight, odds = wanted[..., 0], wanted[..., 1], log_odds[..., 0]
    entropy = ops.maximum(odds, 0) - odds * present + ops.softplus(-ops.abs(odds))
    counted = ops.maximum(ops.sum(weight, axis=(1, 2)), 1)
    return ops.shape(odds)[2] * ops.sum(weight * entropy, axis=(1, 2)) / counted


def fit_recurrent_filter(
    config: TrainFilterConfig, train: FilterExamples, val: FilterExamples, file: Path
) -> None:
    """Fit the network; go on where an earlier fit was interrupted.

    Args:
        config: how.
        train, val: clips of both splits.
        file: of the best epoch; history.csv and curves.png come beside it.
    """
    keras.utils.set_random_seed(config.seed)
    model = build_recurrent_filter(config, train.maps.shape[-1])
    batches = SequenceBatches(train, config.batch, config.seed)
    steps = config.epochs * len(batches)
    rate = keras.optimizers.schedules.CosineDecay(
        _FIRST_RATE * config.learning_rate,
        steps,
        warmup_target=config.learning_rate,
        warmup_steps=max(1, min(_RISE, int(_RISE_SHARE * steps))),
    )
    optimizer = keras.optimizers.Adam(rate, clipnorm=_LARGEST_GRADIENT)
    model.compile(optimizer=optimizer, loss=recurrent_filter_loss)
    fit_compiled(model, batches, SequenceBatches(val, config.batch), file, config.epochs)
