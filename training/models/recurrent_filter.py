# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The network of the recurrent filter of several sources; the core runs it, under the same name.

Its convolutions go around the circle of azimuth classes, so that whatever it learns of one
direction it knows of all. The state is that of a gated recurrent unit, of which the reset gate
acts after the recurrent convolution: K. Cho et al., "Learning phrase representations using RNN
encoder-decoder for statistical machine translation", EMNLP 2014; with convolutions: N. Ballas,
L. Yao, C. Pal and A. Courville, "Delving deeper into convolutional networks for learning video
representations", ICLR 2016.
"""

import keras
from keras import ops

from doa_ros.core.localization.recurrent_filter import CHANNELS

from ..sections import TrainFilterConfig

# Channels of the layers before and after the state.
_WIDTH = 24
# Over how many azimuth classes the first layer and the state look at a time.
_FIRST_KERNEL, _STATE_KERNEL = 7, 5


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

        def renewed(state, window):
            state = self._renewed(window, state)
            return state, state

        _, states = ops.scan(renewed, begin, seen)
        return ops.moveaxis(states, 0, 1)

    def step(self, x, state):
        """Return the state after a window, (batch, azimuths, states).

        Args:
            x: the window, (batch, azimuths, channels).
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
    """Return the network of `build_recurrent_filter` for one window, with the same weights.

    Returns:
        From a window beside the state, (azimuths, CHANNELS + states), to the probabilities beside
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
