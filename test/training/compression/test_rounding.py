# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network that rounds to 8 bits as it computes."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from doa_ros.core.localization.tflite import TFLiteModel
from training.compression.rounding import Rounded, rounded_network, train_to_be_rounded
from training.data.dataset import Shards
from training.deployment.conversion import representative_set, to_tflite
from training.models.architectures import CIRCULAR, REFERENCE, inputs_of
from training.models.blocks import BlockConfig, NetworkConfig, build
from training.settings import TrainConfig, load_settings

SHAPE = 36, 10
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


@pytest.fixture(scope='module')
def inputs():
    return np.random.default_rng(0).uniform(-0.3, 0.5, (50, *SHAPE)).astype(np.float32)


def outputs(model, inputs):
    return [np.asarray(values) for values in model(inputs, training=False)]


@pytest.mark.parametrize('network', [REFERENCE, CIRCULAR, OTHER])
@pytest.mark.parametrize('multi_source', [False, True])
def test_rounding_is_as_coarse_as_that_of_tflite(network, multi_source, inputs, tmp_path):
    keras.utils.set_random_seed(2)
    model = build(network, SHAPE, TrainConfig(multi_source=multi_source, outputs=OUTPUTS))
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


def test_kernels_are_rounded_to_255_values_by_channel(inputs):
    rounded = rounded_network(build(OTHER, SHAPE, TrainConfig()), inputs)
    for layer in rounded.layers:
        if isinstance(layer, Rounded):
            kernel = next(w for w in layer.inner.weights if 'kernel' in w.name)
            values = np.asarray(layer._rounded_kernel(kernel))
            steps = np.abs(kernel - values).max() / np.abs(np.asarray(kernel)).max()
            assert steps <= 0.51 / 127
            assert len(np.unique(values[..., 0])) <= 255


def test_networks_that_take_maps_are_trained_to_be_rounded(data, settings_path):
    settings = load_settings(settings_path)
    quantize = replace(settings.quantize, epochs=1)
    settings = replace(settings.with_architecture('circular'), quantize=quantize)
    keras.utils.set_random_seed(1)
    inputs = inputs_of(settings)
    model = build(CIRCULAR, inputs.shape, settings.train)
    representative = representative_set(Shards(data, 'train', settings), inputs)
    trained = train_to_be_rounded(model, settings, data, inputs, representative)
    before, after = (np.asarray(m.get_layer('elevation').kernel) for m in (model, trained))
    assert not np.array_equal(before, after)


def test_a_training_that_learns_nothing_changes_nothing(data, trained, settings_path):
    settings = load_settings(settings_path)
    settings = replace(settings, quantize=replace(settings.quantize, epochs=1, learning_rate=1e-7))
    model = keras.models.load_model(trained / 'model.keras')
    inputs = inputs_of(settings)
    representative = representative_set(Shards(data, 'train', settings), inputs)
    after = train_to_be_rounded(model, settings, data, inputs, representative)
    for got, expected in zip(
        outputs(after, representative), outputs(model, representative), strict=True
    ):
        np.testing.assert_allclose(got, expected, atol=1e-3)
