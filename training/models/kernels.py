# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The kernels of a network: the weights that pruning makes zero and clustering lets share."""

import keras
import numpy as np


def kernels(model: keras.Model) -> list[keras.Variable]:
    """Return the weights of a network that may be made zero or shared.

    Those are the kernels of trainable layers, but not depthwise ones, which are tiny.
    """
    return [
        weight
        for layer in model.layers
        if layer.trainable and not isinstance(layer, keras.layers.DepthwiseConv2D)
        for weight in layer.weights
        if weight.name in ('kernel', 'pointwise_kernel')
    ]


def kernel_facts(model: keras.Model) -> dict[str, float]:
    """Return the share of zeros in all kernels, and the most different values of any of them."""
    values = [np.asarray(kernel) for kernel in kernels(model)]
    zeros = sum(np.count_nonzero(v == 0) for v in values) / sum(v.size for v in values)
    return {
        'zeros': round(float(zeros), 3),
        'most_values_of_a_kernel': max(len(np.unique(v)) for v in values),
    }
