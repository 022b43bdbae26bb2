# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Differentiable architecture search over the map of directions.

H. Liu, K. Simonyan, Y. Yang, "DARTS: differentiable architecture search", ICLR 2019, in its
first-order form. Each cell of a supernet is the sum of all candidate operations, weighted by a
softmax of architecture weights; these descend on the val split, in turn with the operations' own
weights on the train split. Then the most probable operation of each cell is kept. Unlike in the
paper, the cells form a chain, which a file can describe block by block, and the architecture
weights wait until the operations know something: at once, those without weights would win.
"""

import csv
from pathlib import Path

import keras
from keras import layers, ops
import numpy as np
import tensorflow as tf

from ..data.dataset import Shards
from ..data.inputs import inputs_for
from ..fitting.batches import Batches
from ..fitting.loop import backup, check_finite
from ..models.blocks import (
    BlockConfig,
    NetworkConfig,
    block_layers,
    closed_circle,
    map_heads,
    save_network,
)
from ..models.heads import loss_weights, losses
from ..sections import SearchConfig
from ..settings import Settings

_INPUT, _DENSE = 'map', 32
_SKIP = 'skip'


def candidates(filters: int) -> dict[str, BlockConfig | None]:
    """Return the operations that a cell mixes; None leaves its input as it is."""
    return {
        'conv 3': BlockConfig('conv', filters, 3),
        'conv 5': BlockConfig('conv', filters, 5),
        'separable 3': BlockConfig('separable', filters, 3),
        'separable 5': BlockConfig('separable', filters, 5),
        'pool 3': BlockConfig('pool', kernel=3),
        _SKIP: None,
    }


class Mix(layers.Layer):
    """The sum of its inputs, weighted by a softmax of the weights `mixing`."""

    def build(self, shapes):
        """Make the weights: at first all inputs count the same."""
        self.mixing = self.add_weight(shape=(len(shapes),), initializer='zeros', name='mixing')

    @property
    def probabilities(self) -> np.ndarray:
        """The weights of the sum, shape (inputs,)."""
        return ops.convert_to_numpy(ops.softmax(self.mixing))

    def call(self, inputs):
        """Return the sum."""
        weights = ops.softmax(self.mixing)
        return sum(weights[i] * x for i, x in enumerate(inputs))


class Supernet(keras.Model):
    """A network of mixing cells, with a step that trains both kinds of weights in turn."""

    def prepare(self, settings: Settings, warm_up: int) -> None:
        """Make the optimisers: Adam as in the paper, with the rates of the settings.

        Args:
            settings: of the model and the search.
            warm_up: steps in which the mixing does not learn.
        """
        self.warm_up = warm_up
        self.mixes = [layer for layer in self.layers if isinstance(layer, Mix)]
        self.mixing = [mix.mixing for mix in self.mixes]
        own = {id(variable) for variable in self.mixing}
        self.weights_of_operations = [v for v in self.trainable_variables if id(v) not in own]
        self.losses_of_heads = [keras.losses.get(name) for name in losses(settings.train)]
        self.loss_weights = loss_weights(settings.train)
        self.loss_of_operations = keras.metrics.Mean('loss')
        self.loss_of_mixing = keras.metrics.Mean('val_loss')
        self.compile(optimizer=keras.optimizers.Adam(settings.train.learning_rate))
        self.optimizer.build(self.weights_of_operations)
        self.mixing_optimizer = keras.optimizers.Adam(
            settings.search.mixing_rate, beta_1=0.5, weight_decay=1e-3
        )
        self.mixing_optimizer.build(self.mixing)

    def train_step(self, data):
        """Train the mixing on a val batch, then the operations on a train batch."""
        train, val = data
        mixing_loss = tf.cond(
            self.optimizer.iterations >= self.warm_up,
            lambda: self._descend(val, self.mixing, self.mixing_optimizer),
            lambda: self._loss(val),
        )
        loss = self._descend(train, self.weights_of_operations, self.optimizer)
        self.loss_of_operations.update_state(loss)
        self.loss_of_mixing.update_state(mixing_loss)
        return {metric.name: metric.result() for metric in self.metrics}

    def _descend(self, batch, variables, optimizer):
        with tf.GradientTape() as tape:
            loss = self._loss(batch)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def _loss(self, batch):
        inputs, targets, weights = batch
        heads = self(inputs, training=True)
        return sum(
            loss_weight * ops.mean(loss(target, head) * weight)
            for loss, loss_weight, target, head, weight in zip(
                self.losses_of_heads, self.loss_weights, targets, heads, weights, strict=True
            )
        )


def supernet(shape: tuple[int, int], settings: Settings, warm_up: int) -> Supernet:
    """Return the network that mixes all candidates in each cell, ready to fit.

    Args:
        shape: of the map that it takes: (azimuths, elevations).
        settings: of the model and the search.
        warm_up: steps in which the mixing does not learn.
    """
    config, blocks = settings.search, candidates(settings.search.filters)
    stem = _stem(config)
    reach = max(block.reach for block in blocks.values() if block)
    inputs = keras.Input(shape, name=_INPUT)
    x = closed_circle(layers.Reshape((1, *shape))(inputs), stem.reach + config.cells * reach)
    for layer in block_layers(stem, settings.train):
        x = layer(x)
    for number in range(config.cells):
        branches = []
        for block in blocks.values():
            cut = reach - (block.reach if block else 0)
            branch = layers.Cropping2D((0, cut))(x) if cut else x
            if block:
                for layer in block_layers(block, settings.train):
                    branch = layer(branch)
                # All operations are heard as loud as one another.
                branch = layers.BatchNormalization(center=False, scale=False)(branch)
            branches.append(branch)
        x = Mix(name=f'cell_{number + 1}')(branches)
    model = Supernet(inputs, map_heads(x, settings.train, _DENSE))
    model.prepare(settings, warm_up)
    return model


def _stem(config: SearchConfig) -> BlockConfig:
    """Return the first convolution: it gives the map the channels that the cells keep."""
    return BlockConfig('conv', config.filters, 3)


def discretise(probabilities: np.ndarray, config: SearchConfig) -> NetworkConfig:
    """Return the network of each cell's most probable operation that learns.

    As the paper leaves out its operation `zero`, pooling and skipping are left out here: a
    supernet learns most easily around them, so that they win whatever they are worth alone
    (A. Zela et al., "Understanding and robustifying differentiable architecture search", 2020).

    Args:
        probabilities: shape (cells, candidates).
        config: of the search.
    """
    blocks = list(candidates(config.filters).values())
    learns = [block is not None and block.operation != 'pool' for block in blocks]
    best = np.where(learns, probabilities, 0.0).argmax(axis=1)
    return NetworkConfig(_INPUT, _DENSE, (_stem(config), *(blocks[index] for index in best)))


def search(settings: Settings, data: Path, out: Path) -> None:
    """Train a supernet and write the network that it becomes.

    Args:
        settings: of the model; `search` says how long.
        data: folder made by `simulate`.
        out: folder of the result; a search that was interrupted there goes on.
    """
    config = settings.search
    keras.utils.set_random_seed(config.seed)
    inputs = inputs_for(settings, _INPUT)
    # Both are shuffled: the mixing learns from the val split.
    train, val = (
        Batches(Shards(data, split, settings), inputs, settings.train, shuffle=True)
        for split in ('train', 'val')
    )
    steps = min(config.batches, len(train))
    model = supernet(inputs.shape, settings, config.darts_warm_up * steps)
    table = out / 'mixing.csv'
    if not (out / 'backup').exists():
        _start_table(table)
    model.fit(
        tf.data.Dataset.zip(train.stream().repeat(), val.stream().repeat()),
        steps_per_epoch=steps,
        epochs=config.darts_epochs,
        shuffle=False,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=check_finite),
            _MixingTable(table),
            backup(out / 'backup', keep=True),
        ],
    )
    _draw_mixing(table, out / 'mixing.png')
    probabilities = np.stack([mix.probabilities for mix in model.mixes])
    save_network(
        discretise(probabilities, config),
        out / 'architecture.yaml',
        f'Found by search --method darts in {config.darts_epochs} epochs.',
    )


class _MixingTable(keras.callbacks.Callback):
    """Appends the probabilities of an epoch."""

    def __init__(self, path: Path):
        super().__init__()
        self._path = path

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Append one line per cell and operation."""
        with self._path.open('a', newline='', encoding='utf-8') as file:
            writer = csv.writer(file)
            for mix in self.model.mixes:
                for name, probability in zip(candidates(1), mix.probabilities, strict=True):
                    writer.writerow([epoch + 1, mix.name, name, f'{probability:.5f}'])


def _start_table(path: Path) -> None:
    path.write_text('epoch,cell,operation,probability\n', encoding='utf-8')


def _draw_mixing(table: Path, path: Path) -> None:
    """Plot the probabilities over the epochs, one panel per cell."""
    from matplotlib.figure import Figure

    with table.open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    cells = list(dict.fromkeys(row['cell'] for row in rows))
    figure = Figure(figsize=(2.6 * len(cells) + 1.5, 3.2), layout='constrained')
    panels = figure.subplots(1, len(cells), sharey=True, squeeze=False)[0]
    for panel, cell in zip(panels, cells, strict=True):
        for name in candidates(1):
            mine = [row for row in rows if row['cell'] == cell and row['operation'] == name]
            epochs = [int(row['epoch']) for row in mine]
            panel.plot(epochs, [float(row['probability']) for row in mine], label=name)
        panel.set(title=cell.replace('_', ' '), xlabel='epoch')
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel('mixing probability')
    figure.legend(*panels[0].get_legend_handles_labels(), loc='outside right center')
    figure.savefig(path, dpi=120)
