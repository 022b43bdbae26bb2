# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks as pure functions of their sizes.

Every network takes GCC-PHAT of shape (lags, pairs) and gives the probabilities of the azimuth
classes and of the elevation classes, in this order.
"""

import keras
from keras import layers


def reference(
    lags: int, pairs: int, azimuth_classes: int, elevation_classes: int, dropout: float
) -> keras.Model:
    """Return the reference design: two convolutions over the lags and a dense body.

    On 13 lags, 15 pairs and 36 azimuth classes, body and azimuth head have 44,632 parameters.
    """
    inputs = keras.Input((lags, pairs), name='gcc_phat')
    x = layers.Conv1D(64, 3, activation='relu')(inputs)
    x = layers.Conv1D(64, 3, activation='relu')(x)
    x = layers.Dropout(dropout)(x)
    x = layers.MaxPooling1D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(100, activation='relu')(x)
    azimuth = layers.Dense(azimuth_classes, activation='softmax', name='azimuth')(x)
    elevation = layers.Dense(elevation_classes, activation='softmax', name='elevation')(x)
    return keras.Model(inputs, [azimuth, elevation], name='reference')


ARCHITECTURES = {'reference': reference}
