# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import keras
import numpy as np
import yaml

from training.models.kernels import kernel_facts


def test_zeros_and_shared_values_are_counted():
    inputs = keras.Input((4,))
    fixed = keras.layers.Dense(3, name='fixed', trainable=False)
    model = keras.Model(inputs, keras.layers.Dense(2, name='learns')(fixed(inputs)))
    kernel = np.array([[0.0, 1.0], [0.0, 2.0], [1.0, 3.0]], np.float32)
    model.get_layer('learns').set_weights([kernel, np.zeros(2, np.float32)])
    facts = kernel_facts(model)
    assert facts == {'zeros': 0.333, 'most_values_of_a_kernel': 4}
    # A card can hold them.
    assert yaml.safe_load(yaml.safe_dump(facts)) == facts
