# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The network of an array, where the default one is asked for."""

from dataclasses import replace

import pytest

from doa_ros import network_choice
from doa_ros.core.errors import ConfigError
from doa_ros.network_choice import find_network
from doa_ros.nodes.configs import EstimatorConfig, GccPhatConfig
from doa_ros.resources import DEFAULT_MODEL, find_resource


@pytest.fixture
def shipped(monkeypatch):
    """Let the network for every array be one that is there."""
    monkeypatch.setattr(network_choice, 'ANY_ARRAY_MODEL', 'uma8_several_int8')


def test_the_default_network_is_for_its_array(uma8, shipped):
    larger = replace(uma8, positions=1.05 * uma8.positions[::-1])
    for array in (uma8, larger):
        assert find_network(DEFAULT_MODEL, array) == find_resource('models', DEFAULT_MODEL)


def test_other_arrays_get_the_one_for_every_array(square, make_array, shipped):
    line = make_array([[0.03 * k, 0, 0] for k in range(4)])
    for array in (square, line):
        assert find_network(DEFAULT_MODEL, array).stem == 'uma8_several_int8'


def test_one_that_is_named_is_taken(square, shipped, tmp_path):
    assert find_network('uma8_reference_int8', square).stem == 'uma8_reference_int8'
    path = tmp_path / f'{DEFAULT_MODEL}.tflite'
    path.touch()
    assert find_network(str(path), square) == path
    with pytest.raises(ConfigError, match="no model named 'other'"):
        find_network('other', square)


def test_nodes_have_that_of_their_array(square, uma8, shipped):
    for kind in (GccPhatConfig, EstimatorConfig):
        assert kind().network_for(uma8).stem == DEFAULT_MODEL
        assert kind().network_for(square).stem == 'uma8_several_int8'
        assert kind(method='srp_phat').network_for(square) is None


def test_where_none_is_shipped_it_is_the_default_one(square, monkeypatch):
    monkeypatch.setattr(network_choice, 'ANY_ARRAY_MODEL', 'not_shipped')
    assert find_network(DEFAULT_MODEL, square).stem == DEFAULT_MODEL
