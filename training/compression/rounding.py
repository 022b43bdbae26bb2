# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Quantisation-aware training: a network learns on while it is rounded to 8 bits."""

from pathlib import Path
import re

import keras
import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

from ..data.batches import both_splits
from ..settings import Settings
from .legacy import fit_legacy, to_legacy

# How tensorflow-model-optimization names the ranges of activations, and how much of a range stays
# in each batch.
_ACTIVATION_RANGE = re.compile(r'(activation|output)_(min|max):')
_RANGE_DECAY = 0.999


def train_to_be_rounded(
    model: keras.Model, settings: Settings, data: Path, representative: np.ndarray
) -> tf_keras.Model:
    """Return the network trained on while its weights and activations are rounded to 8 bits.

    B. Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", CVPR 2018.

    Args:
        model: the trained network.
        settings: of the model; `quantize` says how.
        data: folder made by simulate.
        representative: inputs, shape (examples, lags, pairs), that the first ranges come from.
    """
    keras.utils.set_random_seed(settings.train.seed)
    rounded = tfmot.quantization.keras.quantize_model(to_legacy(model))
    # The toolkit trains every kernel, also a fixed one.
    for layer in rounded.layers:
        if not layer.trainable:
            layer._non_trainable_weights.extend(layer._trainable_weights)
            layer._trainable_weights.clear()
    _find_ranges(rounded, representative)
    fit_legacy(
        rounded,
        settings.train,
        *both_splits(data, settings),
        epochs=settings.quantize.epochs,
        learning_rate=settings.quantize.learning_rate,
    )
    return rounded


def _find_ranges(rounded: tf_keras.Model, inputs: np.ndarray) -> None:
    """Set the ranges of all activations to those on some inputs.

    They begin at +-6 and follow the data over thousands of batches: a few epochs of features that
    stay below 1 would end with ranges far too wide.
    """
    ranges = [w for w in rounded.weights if _ACTIVATION_RANGE.search(w.name)]
    # The first pass rounds to the wide ranges, the second one to nearly the right ones.
    for _ in range(2):
        before = [w.numpy() for w in ranges]
        rounded(inputs, training=True)
        for weight, old in zip(ranges, before, strict=True):
            weight.assign(old + (weight.numpy() - old) / (1 - _RANGE_DECAY))
