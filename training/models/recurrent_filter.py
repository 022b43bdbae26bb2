# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The recurrent network that follows several sources; the core runs it, under the same name.

Its convolutions go around the circle of azimuth classes, so that whatever it learns of one
direction it knows of all. The state is that of a gated recurrent unit, of which the reset gate
acts after the recurrent convolution: K. Cho et al., "Learning phrase representations using RNN
encoder-decoder for statistical machine translation", EMNLP 2014; with convolutions: N. Ballas,
L. Yao, C. Pal and A. Courville, "Delving deeper into convolutional networks for learning video
representations", ICLR 2016.
"""

from pathlib import Path

import keras
from keras import ops
import numpy as np

from doa_ros.core.localization.recurrent_filter import CHANNELS

from ..data.filter_examples import FilterExamples, inputs, rotated, targets
from ..fitting.loop import fit_compiled
from ..sections import TrainFilterConfig

# Channels of the layers before and after the state.
_WIDTH = 24
# Over how many azimuth classes the first layer and the state look at a time.
_FIRST_KERNEL, _STATE_KERNEL = 7, 5
# The learning rate begins at this share of its highest, and rises in so many steps or, where there
# are few, in this share of them.
_FIRST_RATE, _RISE, _RISE_SHARE = 0.05, 200, 0.1
_LARGEST_GRADIENT = 1.0


@keras.saving.register_keras_serializable('doa_ros')
class RingConvolution(keras.layers.Layer):
    """Convolution around a circle, from (..., azimuths, channels) to (..., azimuths, filters).

    Args:
        filters: channels of the output.
        kernel: azimuth classes that it looks at, an odd number.
        activation: of the output.
    """

    def __init__(self, filters: int, kernel: int, activation: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel, self.activation = filters, kernel, activation
        self._convolution = keras.layers.Conv1D(filters, kernel, activation=activation)

    def build(self, shape):
        """Make the weights for inputs of a shape."""
        self._convolution.build((None, shape[-2] + self.kernel - 1, shape[-1]))

    def call(self, x):
        """Return the output."""
        reach = self.kernel // 2
        ring = ops.reshape(x, (-1, *x.shape[-2:]))
        if reach:
            ring = ops.concatenate([ring[:, -reach:], ring, ring[:, :reach]], axis=1)
        return ops.reshape(self._convolution(ring), (*ops.shape(x)[:-1], self.filters))

    def compute_output_shape(self, shape):
        """Return the shape of the output."""
        return (*shape[:-1], self.filters)

    def get_config(self):
        """Return what the layer is made with."""
        own = {'filters': self.filters, 'kernel': self.kernel, 'activation': self.activation}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable('doa_ros')
class RingGru(keras.layers.Layer):
    """Gated recurrent unit at each azimuth class, with convolutions around the circle.

    From (batch, time, azimuths, channels) to the states, (batch, time, azimuths, states).

    Args:
        states: channels of the state.
    """

    def __init__(self, states: int, **kwargs):
        super().__init__(**kwargs)
        self.states = states
        # Of both gates and the candidate.
        self._seen = RingConvolution(3 * states, 3)
        self._remembered = RingConvolution(3 * states, _STATE_KERNEL)

    def build(self, shape):
        """Make the weights for inputs of a shape."""
        self._seen.build(shape)
        self._remembered.build((*shape[:-1], self.states))

    def call(self, x):
        """Return the output."""
        seen = ops.moveaxis(self._seen(x), 1, 0)
        begin = ops.zeros((ops.shape(x)[0], x.shape[2], self.states), dtype=seen.dtype)

        def renewed(state, frame):
            state = self._renewed(frame, state)
            return state, state

        _, states = ops.scan(renewed, begin, seen)
        return ops.moveaxis(states, 0, 1)

    def step(self, x, state):
        """Return the state after a frame, (batch, azimuths, states).

        Args:
            x: the frame, (batch, azimuths, channels).
            state: before it, (batch, azimuths, states).
        """
        return self._renewed(self._seen(x), state)

    def _renewed(self, seen, state):
        keep, reset, candidate = ops.split(seen, 3, axis=-1)
        old_keep, old_reset, old_candidate = ops.split(self._remembered(state), 3, axis=-1)
        keep = ops.sigmoid(keep + old_keep)
        reset = ops.sigmoid(reset + old_reset)
        return keep * state + (1 - keep) * ops.tanh(candidate + reset * old_candidate)

    def compute_output_shape(self, shape):
        """Return the shape of the output."""
        return (*shape[:-1], self.states)

    def get_config(self):
        """Return what the layer is made with."""
        return {**super().get_config(), 'states': self.states}


@keras.saving.register_keras_serializable('doa_ros')
class Around(keras.layers.Layer):
    """Puts beside the channels of each azimuth class their maxima and means over all of them."""

    def call(self, x):
        """Return the output."""
        whole = [reduce(x, axis=-2, keepdims=True) for reduce in (ops.max, ops.mean)]
        shape = (*ops.shape(x)[:-1], 2 * x.shape[-1])
        return ops.concatenate(
            [x, ops.broadcast_to(ops.concatenate(whole, axis=-1), shape)], axis=-1
        )

    def compute_output_shape(self, shape):
        """Return the shape of the output."""
        return (*shape[:-1], 3 * shape[-1])


def build_recurrent_filter(config: TrainFilterConfig, azimuths: int) -> keras.Model:
    """Return a network from clips of any length to the log-odds of a source at each azimuth.

    Args:
        config: says how large its state is.
        azimuths: number of the azimuth classes.

    Returns:
        From (time, azimuths, CHANNELS), see `filter_input` in the core, to (time, azimuths, 1).
    """
    x = keras.Input((None, azimuths, CHANNELS))
    near = RingConvolution(_WIDTH, _FIRST_KERNEL, 'relu', name='near')(x)
    seen = RingConvolution(_WIDTH, 3, 'relu', name='seen')(Around(name='around_near')(near))
    state = RingGru(config.states, name='state')(seen)
    known = keras.layers.Concatenate(name='known')([state, seen])
    found = RingConvolution(_WIDTH, 3, 'relu', name='found')(Around(name='around_known')(known))
    return keras.Model(x, RingConvolution(1, 1, name='log_odds')(found))


def step_model(model: keras.Model) -> keras.Model:
    """Return what `build_recurrent_filter` made as a network for one frame, with the same weights.

    Returns:
        From a frame beside the state, (azimuths, CHANNELS + states), to the probabilities beside
        the next state, (azimuths, 1 + states).
    """
    layer = model.get_layer
    azimuths, states = model.input_shape[2], layer('state').states
    x = keras.Input((azimuths, CHANNELS + states))
    near = layer('near')(x[..., :CHANNELS])
    seen = layer('seen')(layer('around_near')(near))
    state = layer('state').step(seen, x[..., CHANNELS:])
    found = layer('found')(layer('around_known')(layer('known')([state, seen])))
    probability = ops.sigmoid(layer('log_odds')(found))
    return keras.Model(x, ops.concatenate([probability, state], axis=-1))


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
        wanted: see `filter_examples.targets`, shape (clips, frames, azimuths, 2).
        log_odds: of the network, shape (clips, frames, azimuths, 1).
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
