# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks as pure functions of array, features and settings.

Every network takes GCC-PHAT of shape (lags, pairs) and gives the azimuth classes and the elevation
classes, in this order: probabilities that sum to 1 or, multilabel, one by one. Convolutions along
one axis are 2-D ones of height 1, which every tool that quantises or prunes knows.
"""

from collections.abc import Callable

import keras
from keras import layers
import numpy as np

from doa_ros.core.decoding import DirectionGrid
from doa_ros.core.errors import ConfigError
from doa_ros.core.features import FeatureConfig
from doa_ros.core.geometry import MicArray, unit_vector
from doa_ros.core.srp_phat import steering_matrix

from .settings import TrainConfig

Architecture = Callable[[MicArray, FeatureConfig, TrainConfig], keras.Model]

# Elevations [rad] and convolutions of the circular design.
_MAP_ELEVATIONS = np.radians([0.0, 20.0, 40.0, 60.0, 80.0])
_KERNEL, _DEPTH, _FILTERS = 5, 3, 32


def reference(array: MicArray, features: FeatureConfig, config: TrainConfig) -> keras.Model:
    """Return the reference design: two convolutions over the lags and a dense body.

    On 13 lags, 15 pairs and 36 azimuth classes, body and azimuth head have 44,632 parameters.
    """
    lags, pairs = features.lag_count, len(array.pairs)
    inputs = keras.Input((lags, pairs), name='gcc_phat')
    x = layers.Reshape((1, lags, pairs))(inputs)
    x = layers.Conv2D(64, (1, 3), activation='relu')(x)
    x = layers.Conv2D(64, (1, 3), activation='relu')(x)
    x = layers.Dropout(config.dropout)(x)
    x = layers.MaxPooling2D((1, 2))(x)
    x = layers.Flatten()(x)
    x = layers.Dense(100, activation='relu')(x)
    return keras.Model(inputs, dense_heads(x, config), name='reference')


def circular(array: MicArray, features: FeatureConfig, config: TrainConfig) -> keras.Model:
    """Return the rotation-aware design: a map over direction, then circular convolutions.

    A fixed steering matrix turns the taps into the steered response at each azimuth class and
    five elevations. It reaches a little over the full circle, so that convolutions without
    padding end with exactly the circle.
    """
    lags, pairs = features.lag_count, len(array.pairs)
    inputs = keras.Input((lags, pairs), name='gcc_phat')
    margin = _DEPTH * (_KERNEL // 2)
    width = config.azimuth_classes + 2 * margin
    x = layers.Flatten()(inputs)
    x = layers.Dense(
        width * len(_MAP_ELEVATIONS), use_bias=False, trainable=False, name='steering'
    )(x)
    x = layers.Reshape((1, width, len(_MAP_ELEVATIONS)))(x)
    for _ in range(_DEPTH):
        x = layers.Conv2D(_FILTERS, (1, _KERNEL), activation='relu')(x)
    azimuth = layers.Conv2D(1, (1, 1))(x)
    azimuth = layers.Reshape((config.azimuth_classes,))(azimuth)
    azimuth = layers.Activation(activation(config), name='azimuth')(azimuth)
    # Elevation does not depend on where on the circle the source is.
    x = layers.Concatenate()([layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)])
    x = layers.Dense(_FILTERS, activation='relu')(x)
    x = layers.Dropout(config.dropout)(x)
    elevation = layers.Dense(
        config.elevation_classes, activation=activation(config), name='elevation'
    )(x)
    model = keras.Model(inputs, [azimuth, elevation], name='circular')
    model.get_layer('steering').set_weights([steering_map(array, features, config, margin)])
    return model


def steering_map(
    array: MicArray, features: FeatureConfig, config: TrainConfig, margin: int
) -> np.ndarray:
    """Return the matrix from flattened network input to the steered response of a map.

    Args:
        array: the microphones.
        features: settings of the GCC-PHAT.
        config: its azimuth classes are the columns of the map.
        margin: columns that the map repeats before and after the circle.

    Returns:
        Shape (lags * pairs, columns * elevations), float32.
    """
    grid = DirectionGrid(config.azimuth_classes, 0)
    columns = np.arange(-margin, grid.azimuth_count + margin) * grid.azimuth_step
    directions = unit_vector(columns[:, None], _MAP_ELEVATIONS).reshape(-1, 3)
    matrix = steering_matrix(array, features.lags, directions)
    by_pair = matrix.reshape(len(directions), len(array.pairs), features.lag_count)
    return by_pair.swapaxes(1, 2).reshape(len(directions), -1).T


def dense_heads(body, config: TrainConfig) -> list:
    """Return an azimuth and an elevation head on a flat body."""
    counts = {'azimuth': config.azimuth_classes, 'elevation': config.elevation_classes}
    return [
        layers.Dense(count, activation=activation(config), name=name)(body)
        for name, count in counts.items()
    ]


def activation(config: TrainConfig) -> str:
    """Return the activation of the heads."""
    return 'sigmoid' if config.multilabel else 'softmax'


ARCHITECTURES: dict[str, Architecture] = {'reference': reference, 'circular': circular}


def find_architecture(name: str) -> Architecture:
    """Return an architecture by its name.

    Raises:
        ConfigError: there is none of this name.
    """
    if name not in ARCHITECTURES:
        known = ', '.join(ARCHITECTURES)
        raise ConfigError(f'no architecture named {name!r} (known: {known})')
    return ARCHITECTURES[name]
