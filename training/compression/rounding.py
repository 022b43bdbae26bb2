# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Quantisation-aware training: a network learns on while it is rounded to 8 bits."""

from pathlib import Path

import keras
from keras import ops
import numpy as np

from ..data.inputs import Inputs
from ..fitting.batches import both_splits
from ..fitting.loop import fit_on
from ..settings import Settings

_BITS = 8
# Activations whose range does not depend on what they are applied to: what they take is rounded.
_BOUNDED = ('softmax', 'sigmoid')


def train_to_be_rounded(
    model: keras.Model,
    settings: Settings,
    data: Path,
    inputs: Inputs,
    representative: np.ndarray,
) -> keras.Model:
    """Return the network trained on while its kernels and activations are rounded to 8 bits.

    The gradients pass the rounding as if it were not there (B. Jacob et al., "Quantization and
    training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018).

    Args:
        model: the trained network.
        settings: of the model; `quantize` says how.
        data: folder made by simulate.
        inputs: what the network is given of it.
        representative: some of them, that the ranges come from.

    Returns:
        The same layers with other weights, to be converted as the trained network is.
    """
    keras.utils.set_random_seed(settings.train.seed)
    rounded = rounded_network(model, representative)
    fit_on(
        rounded,
        settings.train,
        *both_splits(data, settings, inputs),
        epochs=settings.quantize.epochs,
        learning_rate=settings.quantize.learning_rate,
    )
    result = keras.models.clone_model(model)
    for layer in result.layers:
        layer.set_weights(_inner(rounded.get_layer(layer.name)).get_weights())
    return result


def rounded_network(model: keras.Model, representative: np.ndarray) -> keras.Model:
    """Return a copy of a network that rounds to 8 bits as it computes.

    Args:
        model: the network.
        representative: inputs, one after the other, that the ranges of the activations come from.
    """
    rounded = keras.models.clone_model(
        model, clone_function=lambda layer: Rounded(layer) if layer.weights else _copy(layer)
    )
    for layer in rounded.layers:
        _inner(layer).set_weights(model.get_layer(layer.name).get_weights())
    # Each finds its range on the first pass and rounds from the second one on.
    rounded(representative, training=False)
    for layer in rounded.layers:
        if isinstance(layer, Rounded):
            layer.observing = False
    return rounded


class Rounded(keras.layers.Layer):
    """A layer with kernel whose kernel and result are rounded to 8 bits.

    Kernels are rounded symmetrically, those of convolutions by output channel, as TFLite does.
    The range of the result is what it was while the layer was observing.

    Args:
        layer: is copied, without its weights.
    """

    def __init__(self, layer: keras.layers.Layer):
        super().__init__(name=layer.name, trainable=layer.trainable)
        self.observing = True
        self.inner = _copy(layer)
        self._activation, self.inner.activation = self.inner.activation, keras.activations.linear
        self._bounded = keras.activations.serialize(self._activation) in _BOUNDED

    def build(self, input_shape):
        """Make the weights of the inner layer, and those that hold the range."""
        self.inner.build(input_shape)
        self.lowest, self.highest = (
            self.add_weight(shape=(), initializer='zeros', trainable=False, name=name)
            for name in ('lowest', 'highest')
        )

    def compute_output_shape(self, input_shape):
        """Return that of the inner layer."""
        return self.inner.compute_output_shape(input_shape)

    def call(self, inputs):
        """Return the rounded result, from inputs that a layer before has rounded."""
        weights = self.inner.trainable_variables + self.inner.non_trainable_variables
        values = [self._rounded_kernel(w) if 'kernel' in w.name else w for w in weights]
        count = len(self.inner.trainable_variables)
        result, _ = self.inner.stateless_call(values[:count], values[count:], inputs)
        if self._bounded:
            return self._activation(self._rounded(result))
        return self._rounded(self._activation(result))

    def _rounded_kernel(self, kernel):
        """Return a kernel rounded within plus and minus its largest weight."""
        by_channel = isinstance(self.inner, keras.layers.Conv2D)
        axes = list(range(len(kernel.shape) - 1)) if by_channel else None
        largest = ops.stop_gradient(ops.maximum(ops.max(ops.abs(kernel), axis=axes), 1e-9))
        return keras.quantizers.fake_quant_with_min_max_vars(
            ops.convert_to_tensor(kernel),
            -largest,
            largest,
            num_bits=_BITS,
            narrow_range=True,
            axis=len(kernel.shape) - 1 if by_channel else None,
        )

    def _rounded(self, values):
        if self.observing:
            self.lowest.assign(ops.minimum(ops.min(values), 0.0))
            self.highest.assign(ops.maximum(ops.max(values), 1e-6))
            return values
        return keras.quantizers.fake_quant_with_min_max_vars(
            values, self.lowest, self.highest, num_bits=_BITS
        )


def _copy(layer: keras.layers.Layer) -> keras.layers.Layer:
    return type(layer).from_config(layer.get_config())


def _inner(layer: keras.layers.Layer) -> keras.layers.Layer:
    return layer.inner if isinstance(layer, Rounded) else layer
