# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import keras
import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from training.models.architectures import ARCHITECTURES, CIRCULAR, REFERENCE, find_architecture
from training.models.blocks import build
from training.sections import TrainConfig

CONFIG = TrainConfig()


@pytest.mark.parametrize(('lags', 'parameters'), [(13, 44632), (39, 44632 + 100 * 64 * 13)])
def test_the_reference_has_its_parameters(lags, parameters):
    elevation_head = 100 * 10 + 10
    assert build(REFERENCE, (lags, 15), CONFIG).count_params() - elevation_head == parameters


@pytest.mark.parametrize('name', ARCHITECTURES)
@pytest.mark.parametrize('multi_source', [False, True])
def test_every_network_has_both_heads_for_any_array(name, multi_source):
    config = replace(CONFIG, multi_source=multi_source, azimuth_classes=24, elevation_classes=7)
    model = build(find_architecture(name), (24, 6), config)
    azimuth, elevation = model(np.random.default_rng(0).normal(0, 0.3, (5, 24, 6)))
    assert azimuth.shape == (5, 24)
    assert elevation.shape == ((5, 24, 7) if multi_source else (5, 7))
    np.testing.assert_allclose(np.sum(elevation, axis=-1), 1, atol=1e-5)
    sums = np.sum(azimuth, axis=1)
    assert np.allclose(sums, 1, atol=1e-5) != multi_source


def test_the_circular_network_turns_with_the_source():
    keras.utils.set_random_seed(1)
    model = build(CIRCULAR, (36, 10), CONFIG)
    response = np.random.default_rng(0).normal(0, 0.3, (36, 10))
    turns = (0, 1, 20)
    azimuth, elevation = model(np.stack([np.roll(response, turn, axis=0) for turn in turns]))
    for number, turn in enumerate(turns):
        np.testing.assert_allclose(np.roll(azimuth[0], turn), azimuth[number], atol=1e-5)
        np.testing.assert_allclose(elevation[0], elevation[number], atol=1e-5)


def test_an_unknown_architecture_is_named():
    with pytest.raises(ConfigError, match="named 'resnet'.*reference"):
        find_architecture('resnet')
