# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import keras
import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.feature_type import network_input
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.geometry import unit_vector
from doa_ros.core.localization.srp_phat import SrpPhat
from training.models.architectures import ARCHITECTURES, circular, find_architecture, reference
from training.sections import TrainConfig

CONFIG = TrainConfig()
FINE = FeatureConfig(lag_rate=48000.0, lag_count=39)


@pytest.mark.parametrize(
    ('features', 'parameters'), [(FeatureConfig(), 44632), (FINE, 44632 + 100 * 64 * 13)]
)
def test_the_reference_has_its_parameters(uma8, features, parameters):
    elevation_head = 100 * 10 + 10
    assert reference(uma8, features, CONFIG).count_params() - elevation_head == parameters


@pytest.mark.parametrize('name', ARCHITECTURES)
@pytest.mark.parametrize('multi_source', [False, True])
def test_every_network_has_both_heads_for_any_array(square, name, multi_source):
    config = replace(CONFIG, multi_source=multi_source, azimuth_classes=24, elevation_classes=7)
    model = find_architecture(name)(square, FeatureConfig(), config)
    azimuth, elevation = model(np.random.default_rng(0).normal(0, 0.3, (5, 13, 6)))
    assert azimuth.shape == (5, 24)
    assert elevation.shape == ((5, 24, 7) if multi_source else (5, 7))
    np.testing.assert_allclose(np.sum(elevation, axis=-1), 1, atol=1e-5)
    sums = np.sum(azimuth, axis=1)
    assert np.allclose(sums, 1, atol=1e-5) != multi_source


def test_the_circular_network_turns_with_the_source(uma8):
    keras.utils.set_random_seed(1)
    model = circular(uma8, FINE, CONFIG)
    azimuths = np.radians([20.0, 80.0, 200.0])  # a hexagon's own steps apart
    gcc = GccPhat(uma8, FINE).steering_matrix(unit_vector(azimuths, 0.4)).reshape(3, 15, 39) * 15
    azimuth, elevation = (np.asarray(head) for head in model(network_input(gcc)))
    np.testing.assert_allclose(np.roll(azimuth[0], 6), azimuth[1], atol=1e-3)
    np.testing.assert_allclose(np.roll(azimuth[0], 18), azimuth[2], atol=1e-3)
    np.testing.assert_allclose(elevation[0], elevation[2], atol=1e-3)


def test_the_map_of_the_circular_network_is_the_steered_response(uma8):
    model = circular(uma8, FINE, replace(CONFIG, azimuth_classes=72))
    response = keras.Model(model.input, model.get_layer('steering').output)
    gcc = np.random.default_rng(0).normal(0, 0.2, (15, 39)).astype(np.float32)
    columns = np.asarray(response(network_input(gcc)[None])).reshape(72 + 12, 5)
    # SRP-PHAT has 10 elevations, every second of them is one of the map's.
    srp_phat = SrpPhat(GccPhat(uma8, FINE))._matrix @ gcc.ravel()
    np.testing.assert_allclose(columns[6:-6].T, srp_phat.reshape(10, 72)[::2], atol=1e-5)
    np.testing.assert_allclose(columns[:6], columns[-12:-6], atol=1e-6)


def test_an_unknown_architecture_is_named():
    with pytest.raises(ConfigError, match="named 'resnet'.*reference"):
        find_architecture('resnet')
