# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network that rounds to 8 bits as it computes."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.localization.tflite import TFLiteModel
from training.compression.rounding import Rounded, rounded_network, train_to_be_rounded
from training.data.dataset import Shards
from training.deployment.conversion import representative_set, to_tflite
from training.models.architectures import circular, reference
from training.models.blocks import BlockConfig, NetworkConfig, build
from training.settings import TrainConfig, load_settings

FEATURES = FeatureConfig(lag_rate=16000, lag_count=13)
OUTPUTS = ('azimuth', 'elevation', 'activity')
OTHER = NetworkConfig(
    input='map',
    dense=16,
    blocks=(
        BlockConfig('conv', filters=8, kernel=3),
        BlockConfig('separable', filters=12, kernel=3),
        BlockConfig('pool', kernel=3, stride=1),
        BlockConfig('dropout'),
    ),
)


def described(array, features, config):
    return build(OTHER, array, features, config)


@pytest.fixture(scope='module')
def inputs():
    return np.random.default_rng(0).uniform(-0.3, 0.5, (50, 13, 15)).astype(np.float32)


def outputs(model, inputs):
    return [np.asarray(values) for values in model(inputs, training=False)]


@pytest.mark.parametrize('architecture', [reference, circular, described])
@pytest.mark.parametrize('multi_source', [False, True])
def test_rounding_is_as_coarse_as_that_of_tflite(
    architecture, multi_source, uma8, inputs, tmp_path
):
    keras.utils.set_random_seed(2)
    model = architecture(uma8, FEATURES, TrainConfig(multi_source=multi_source, outputs=OUTPUTS))
    # Outputs that say nothing could not be rounded wrongly.
    for weight in model.trainable_weights:
        weight.assign(2 * weight)
    exact = outputs(model, inputs)
    rounded = outputs(rounded_network(model, inputs), inputs)
    file = tmp_path / 'int8.tflite'
    file.write_bytes(to_tflite(model, 'int8', inputs))
    network = TFLiteModel(file)
    converted = list(zip(*(network(x) for x in inputs), strict=True))
    errors = [np.abs(a - b).mean() for a, b in zip(rounded, exact, strict=True)]
    assert min(errors) > 0
    for error, values in zip(errors, exact, strict=True):
        flat = values.reshape(len(inputs), -1)
        theirs = min(
            np.abs(np.asarray(other) - flat).mean()
            for other in converted
            if np.shape(other) == flat.shape
        )
        assert error < 3 * theirs + 1e-3


def test_kernels_are_rounded_to_255_values_by_channel(uma8, inputs):
    rounded = rounded_network(described(uma8, FEATURES, TrainConfig()), inputs)
    for layer in rounded.layers:
        if isinstance(layer, Rounded):
            kernel = next(w for w in layer.inner.weights if 'kernel' in w.name)
            values = np.asarray(layer._rounded_kernel(kernel))
            steps = np.abs(kernel - values).max() / np.abs(np.asarray(kernel)).max()
            assert steps <= 0.51 / 127
            assert len(np.unique(values[..., 0])) <= 255


def test_training_to_be_rounded_keeps_the_fixed_steering_matrix(data, settings_path, uma8):
    settings = load_settings(settings_path)
    settings = replace(settings, quantize=replace(settings.quantize, epochs=1))
    keras.utils.set_random_seed(1)
    model = circular(uma8, settings.features, settings.train)
    representative = representative_set(Shards(data, 'train', settings))
    trained = train_to_be_rounded(model, settings, data, representative)
    for name in ('steering', 'elevation'):
        before, after = (np.asarray(m.get_layer(name).kernel) for m in (model, trained))
        assert np.array_equal(before, after) == (name == 'steering')


def test_a_training_that_learns_nothing_changes_nothing(data, trained, settings_path):
    settings = load_settings(settings_path)
    settings = replace(settings, quantize=replace(settings.quantize, epochs=1, learning_rate=1e-7))
    model = keras.models.load_model(trained / 'model.keras')
    representative = representative_set(Shards(data, 'train', settings))
    after = train_to_be_rounded(model, settings, data, representative)
    for got, expected in zip(
        outputs(after, representative), outputs(model, representative), strict=True
    ):
        np.testing.assert_allclose(got, expected, atol=1e-3)
