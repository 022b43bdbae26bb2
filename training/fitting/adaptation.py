# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fine-tuning: a trained network learns from recordings without forgetting what it knew.

The recordings are mixed with simulated examples. Of the rounds the one counts that does best on
what is held out; then the way from the old weights to the new ones is searched.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
import math
from pathlib import Path

import keras
import numpy as np

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray

from ..data.clips import Clip, labelled_features
from ..data.dataset import Dataset, Parts, Shards
from ..data.inputs import Inputs
from ..deployment.measure import decoded_directions, errors_deg
from ..models.architectures import inputs_of
from ..runs import save_network
from ..sections import TrainConfig
from ..settings import Settings
from ..tables import Row
from .batches import Batches, usable_rows
from .loop import compile_heads, fit_compiled

# How far the weights go from the old network to the new one.
_STEPS = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0)


@dataclass(frozen=True)
class Recordings:
    """Features of recordings.

    Attributes:
        data: all windows.
        groups: what each row must not be separated from when some are held out, shape (rows,).
    """

    data: Dataset
    groups: np.ndarray

    def split(self, share: float, seed: int) -> tuple[Dataset, Dataset]:
        """Return the rows to learn from and those held out; a source is heard in both."""
        names, sizes = np.unique(self.groups[self.data.single], return_counts=True)
        order = np.random.default_rng(seed).permutation(len(names))
        count = 1 + np.searchsorted(np.cumsum(sizes[order]), share * sizes.sum())
        held_out = np.isin(self.groups, names[order[: min(count, len(names) - 1)]])
        return self.data.select(~held_out), self.data.select(held_out)


@dataclass(frozen=True)
class Accuracy:
    """Over the voiced examples with a single source: share, and mean absolute errors [deg]."""

    within_10: float
    azimuth_mae_deg: float
    elevation_mae_deg: float

    def cells(self) -> Row:
        """Return the values for a table; no elevation where none is known."""
        elevation = self.elevation_mae_deg
        return {
            'within 10 deg': round(self.within_10, 3),
            'azimuth MAE [deg]': round(self.azimuth_mae_deg, 2),
            'elevation MAE [deg]': '-' if math.isnan(elevation) else round(elevation, 2),
        }


@dataclass(frozen=True)
class Result:
    """What fine-tuning brought.

    Attributes:
        step: how far the weights went from the old network to the new one, 0..1.
        real_before, real_after: on the recordings that were held out.
        simulated_before, simulated_after: on the simulated val split.
    """

    step: float
    real_before: Accuracy
    real_after: Accuracy
    simulated_before: Accuracy
    simulated_after: Accuracy

    def summary(self) -> str:
        """Return in words which network it is."""
        if self.step == 0:
            return 'nothing was better within the bound: the old network stays'
        if self.step < 1:
            return f'{100 * self.step:.0f} % of the way to the new network, to hold the bound'
        return 'the new network holds the bound'


def read_recordings(clips: Iterable[Clip], array: MicArray, settings: Settings) -> Recordings:
    """Return the features of labelled clips that a network can learn from.

    Their groups are the rooms; in a single room the clips; in a single clip its halves.

    Raises:
        ConfigError: no source is heard anywhere.
    """
    parts, rooms = [], []
    for number, clip in enumerate(clips):
        part = labelled_features(array, settings.features, clip, number)
        parts.append(part.select(usable_rows(part, settings.train)))
        rooms += [clip.room] * len(parts[-1])
    data = Dataset.concatenate(parts) if parts else None
    if data is None or np.count_nonzero(data.single) < 2:
        raise ConfigError(
            'no sound stands out in the labelled segments of the recordings; check their labels'
        )
    halves = np.arange(len(data)) < np.flatnonzero(data.single)[np.count_nonzero(data.single) // 2]
    candidates = (np.array(rooms), data.clip, halves)
    groups = next(c for c in candidates if len(np.unique(c[data.single])) > 1)
    return Recordings(data, groups)


def finetune(
    model: keras.Model, settings: Settings, recordings: Recordings, data: Path, out: Path
) -> Result:
    """Adapt a network and leave its run in a folder; go on where an earlier call was interrupted.

    Args:
        model: the trained network; it becomes the adapted one.
        settings: of the network; `finetune` says how.
        recordings: to learn and to judge from.
        data: folder made by `simulate`.
        out: the folder; made where it does not exist.

    Raises:
        ConfigError: the data does not fit the settings.
        DivergedError: a loss is not finite.
    """
    config, seed = settings.finetune, settings.train.seed
    keras.utils.set_random_seed(seed)
    inputs = inputs_of(settings)
    shards = {split: Shards(data, split, settings) for split in ('train', 'val')}
    learnt, held_out = recordings.split(config.held_out, seed)
    replayed = max(1, round(config.replay * config.batch))
    train = _mixed(
        _batches([learnt], settings, config.batch - replayed, config.symmetries),
        _batches(shards['train'], settings, replayed, settings.train.symmetries),
    )
    judge = Batches([held_out], inputs, settings.train, shuffle=False).stream()

    def accuracies() -> tuple[Accuracy, Accuracy]:
        train = settings.train
        parts = [held_out], shards['val']
        real, simulated = (measure(model, part, train, inputs) for part in parts)
        return real, simulated

    out.mkdir(parents=True, exist_ok=True)
    settings.save(out / 'settings.yaml')
    before = accuracies()
    old = model.get_weights()
    frozen = body(model) if config.mode == 'head' else []
    trainable = [layer.trainable for layer in frozen]
    for layer in frozen:
        layer.trainable = False
    compile_heads(model, config.learning_rate, settings.train)
    # Of the rounds, the one that does best on what was held out.
    best = out / 'best.keras'
    fit_compiled(model, train, judge, best, config.epochs, steps=config.steps)
    model.load_weights(best)
    for layer, learns in zip(frozen, trainable, strict=True):
        layer.trainable = learns
    step, after = _choose(
        model,
        old,
        loss=lambda: model.evaluate(judge, verbose=0, return_dict=True)['loss'],
        accuracies=accuracies,
        least=before[1].within_10 - config.max_loss,
    )
    save_network(model, out)
    best.unlink()
    return Result(step, before[0], after[0], before[1], after[1])


def measure(
    model: keras.Model, shards: Iterable[Dataset], config: TrainConfig, inputs: Inputs
) -> Accuracy:
    """Return the accuracy of a network with these settings and inputs."""
    azimuth_errors: list[np.ndarray] = []
    elevation_errors: list[np.ndarray] = []
    for shard in shards:
        data = shard.select(shard.single)
        if len(data):
            outputs = model(inputs.of(data), training=False)
            by_head = dict(zip(config.outputs, map(np.asarray, outputs), strict=True))
            errors = errors_deg(*decoded_directions(by_head, config), data)
            azimuth_errors.append(errors[0])
            elevation_errors.append(errors[1])
    azimuth, elevation = np.concatenate(azimuth_errors), np.concatenate(elevation_errors)
    known = elevation[~np.isnan(elevation)]
    return Accuracy(
        within_10=float(np.mean(azimuth <= 10)),
        azimuth_mae_deg=float(azimuth.mean()),
        elevation_mae_deg=float(known.mean()) if len(known) else math.nan,
    )


def body(model: keras.Model) -> list[keras.Layer]:
    """Return all layers but the last with weights before each output."""
    heads = []
    for output in model.outputs:
        layer = output._keras_history.operation
        while not layer.weights:
            layer = layer.input._keras_history.operation
        heads.append(layer)
    return [layer for layer in model.layers if layer not in heads]


def _choose(
    model: keras.Model,
    old: list[np.ndarray],
    *,
    loss: Callable[[], float],
    accuracies: Callable[[], tuple[Accuracy, Accuracy]],
    least: float,
) -> tuple[float, tuple[Accuracy, Accuracy]]:
    """Set the best weights between the old ones and the model's own that hold the bound."""
    new = model.get_weights()

    def go(step: float):
        model.set_weights([a + step * (b - a) for a, b in zip(old, new, strict=True)])

    found = []
    for step in _STEPS:
        go(step)
        found.append((loss(), step))
    for _, step in sorted(found):
        go(step)
        accuracy = accuracies()
        if accuracy[1].within_10 >= least or step == 0:
            return step, accuracy
    raise AssertionError('the old network holds the bound')


def _batches(parts: Parts, settings: Settings, size: int, symmetries: bool) -> Batches:
    train = replace(settings.train, batch=size, symmetries=symmetries)
    return Batches(parts, inputs_of(replace(settings, train=train)), train, shuffle=True)


def _mixed(first: Batches, second: Batches):
    """Return endless batches that are one of each, joined."""
    import tensorflow as tf

    both = tf.data.Dataset.zip((first.stream().repeat(), second.stream().repeat()))
    return both.map(
        lambda a, b: tf.nest.map_structure(lambda x, y: tf.concat([x, y], axis=0), a, b)
    )
