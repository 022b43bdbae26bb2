# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import keras
import numpy as np

from training.compression.rounding import train_to_be_rounded
from training.data.dataset import Shards
from training.deployment.conversion import representative_set
from training.models.architectures import circular
from training.settings import load_settings


def test_training_to_be_rounded_keeps_the_fixed_steering_matrix(data, settings_path, uma8):
    settings = load_settings(settings_path)
    settings = replace(settings, quantize=replace(settings.quantize, epochs=1))
    keras.utils.set_random_seed(1)
    model = circular(uma8, settings.features, settings.train)
    representative = representative_set(Shards(data, 'train', settings))
    rounded = train_to_be_rounded(model, settings, data, representative)
    after = {
        name: weight.numpy()
        for weight in rounded.weights
        for name in ('steering', 'elevation')
        if weight.name.startswith(name) and '/kernel:' in weight.name
    }
    before = {name: model.get_layer(name).kernel for name in after}
    np.testing.assert_array_equal(after['steering'], before['steering'])
    assert not np.array_equal(after['elevation'], before['elevation'])


def test_a_short_training_finds_the_ranges_of_the_activations(data, trained, settings_path):
    settings = load_settings(settings_path)
    settings = replace(settings, quantize=replace(settings.quantize, epochs=1, learning_rate=1e-7))
    model = keras.models.load_model(trained / 'model.keras')
    representative = representative_set(Shards(data, 'train', settings))
    rounded = train_to_be_rounded(model, settings, data, representative)
    exact, coarse = (
        np.asarray(network(representative, training=False)[0]) for network in (model, rounded)
    )
    # With the ranges that the toolkit begins with, this is ten times as much.
    assert np.abs(exact - coarse).mean() < 0.005 * exact.mean()
