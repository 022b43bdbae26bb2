# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The kernels of a network: the weights that pruning makes zero and clustering lets share."""

import keras
import numpy as np


def kernels(layer) -> list[np.ndarray]:
    """Return the weights of a layer of either Keras that may be made zero or shared.

    Those are the kernels of trainable layers, but not depthwise ones, which are tiny.
    """
    if not layer.trainable or type(layer).__name__ == 'DepthwiseConv2D':
        return []
    places = [weight.name.split('/')[-1] for weight in layer.weights]
    return [
        np.asarray(weight)
        for place, weight in zip(places, layer.weights, strict=True)
        if place.startswith(('kernel', 'pointwise_kernel'))
    ]


def kernel_facts(model: keras.Model) -> dict[str, float]:
    """Return the share of zeros in all kernels, and the most different values of any of them."""
    weights = [kernel for layer in model.layers for kernel in kernels(layer)]
    zeros = sum(np.count_nonzero(w == 0) for w in weights) / sum(w.size for w in weights)
    return {
        'zeros': round(float(zeros), 3),
        'most_values_of_a_kernel': max(len(np.unique(w)) for w in weights),
    }
