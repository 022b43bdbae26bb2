# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import keras
import numpy as np
import pytest

from doa_ros.core.errors import ModelError
from doa_ros.core.features.extractor import FeatureConfig
from training.compression.legacy import from_legacy, to_legacy
from training.models.architectures import circular, reference
from training.models.blocks import BlockConfig, NetworkConfig, build
from training.sections import TrainConfig

FEATURES = FeatureConfig(lag_rate=16000, lag_count=13)
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


def outputs(model, inputs):
    return [np.asarray(values) for values in model(inputs, training=False)]


@pytest.fixture(scope='module')
def inputs():
    return np.random.default_rng(0).uniform(-0.3, 0.5, (6, 13, 15)).astype(np.float32)


@pytest.mark.parametrize('architecture', [reference, circular, described])
@pytest.mark.parametrize('multi_source', [False, True])
def test_there_and_back_a_network_stays_the_same(architecture, multi_source, uma8, inputs):
    model = architecture(uma8, FEATURES, TrainConfig(multi_source=multi_source))
    legacy = to_legacy(model)
    for got, expected in zip(outputs(legacy, inputs), outputs(model, inputs), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-6)
    fixed = {layer.name for layer in model.layers if not layer.trainable}
    assert {layer.name for layer in legacy.layers if not layer.trainable} == fixed

    for weight in legacy.trainable_weights:
        weight.assign(weight * 0.5)
    back = from_legacy(legacy, model)
    for got, expected in zip(outputs(back, inputs), outputs(legacy, inputs), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-6)
    # The network that it came from is left alone.
    assert np.abs(outputs(model, inputs)[0] - outputs(back, inputs)[0]).max() > 1e-4


def test_an_unknown_layer_is_named():
    inputs = keras.Input((4, 4))
    model = keras.Model(inputs, keras.layers.RMSNormalization(name='odd')(inputs))
    with pytest.raises(ModelError, match="'odd' is a RMSNormalization"):
        to_legacy(model)


def test_a_network_without_a_graph_is_refused():
    with pytest.raises(ModelError, match='not functional'):
        to_legacy(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))
