# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO against the TFLite interpreter."""

import sys

import numpy as np
import pytest

from doa_ros.core.classifier import network_input
from doa_ros.core.errors import ModelError
from doa_ros.core.features import FeatureConfig
from doa_ros.core.geometry import unit_vector
from doa_ros.core.srp_phat import steering_matrix
from doa_ros.resources import find_resource
from training.scores import openvino_check
from training.scores.openvino_check import compare

pytest.importorskip('openvino')


@pytest.fixture
def inputs(uma8):
    """Return features of sources in all directions, in noise."""
    rng = np.random.default_rng(1)
    directions = unit_vector(rng.uniform(-np.pi, np.pi, 50), rng.uniform(0, 1.4, 50))
    peaks = 7 * steering_matrix(uma8, FeatureConfig().lags, directions).reshape(50, 15, 13)
    return network_input(peaks + rng.normal(0, 0.05, peaks.shape)).astype(np.float32)


@pytest.mark.parametrize(
    ('name', 'step'),
    # A step of an int8 probability is 1 / 256.
    [('uma8_reference_int8', 2 / 256), ('uma8_reference_float32', 1e-5)],
)
def test_shipped_models_agree(name, step, inputs):
    comparison = compare(find_resource('models', name), inputs)
    assert comparison.difference <= step
    assert comparison.agreement >= 0.95


def test_a_difference_is_seen(uma8, inputs, monkeypatch):
    load = openvino_check._load

    def upside_down(path):
        run = load(path)
        return lambda tensor: [output[..., ::-1] for output in run(tensor)]

    monkeypatch.setattr(openvino_check, '_load', upside_down)
    comparison = compare(find_resource('models', 'uma8_reference_float32'), inputs)
    assert comparison.difference > 0.1
    assert comparison.agreement < 0.5


def test_without_openvino(monkeypatch, inputs):
    monkeypatch.setitem(sys.modules, 'openvino', None)
    with pytest.raises(ModelError, match='OpenVINO is not installed .*pip install openvino'):
        compare(find_resource('models', 'uma8_reference_float32'), inputs)


def test_model_that_it_does_not_load(monkeypatch, tmp_path):
    path = tmp_path / 'garbage.tflite'
    path.write_bytes(b'\x20\0\0\0TFL3' + bytes(50))
    with pytest.raises(ModelError, match=f'{path}: OpenVINO cannot load this model'):
        openvino_check._load(path)
