# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import zlib

from doa_ros.core.features.config import FeatureConfig
from doa_ros.resources import find_resource
from training.deployment.costs import feature_cost, measure_cost


def test_cost_of_a_shipped_model():
    path = find_resource('models', 'uma8_reference_int8')
    cost = measure_cost(path)
    assert cost.size == path.stat().st_size
    assert cost.compressed_size == len(zlib.compress(path.read_bytes(), 9)) < cost.size
    assert 1e-6 < cost.latency < 1e-2
    assert cost.parameters > 10000


def test_a_card_without_parameters(write_network, square, tmp_path):
    assert measure_cost(write_network(tmp_path / 'a.tflite', square)).parameters is None


def test_features_of_more_windows_cost_more(uma8):
    # Ten times as many windows cost more.
    seldom, often = (feature_cost(uma8, FeatureConfig(hop=hop)) for hop in (0.1, 0.01))
    assert 1e-4 < seldom < often / 3 < 1
