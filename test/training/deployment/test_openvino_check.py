# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO against the TFLite interpreter.

Nothing here may depend on the processor, which decides what kernels both runtimes take.
"""

import sys

import numpy as np
import pytest
from scipy import special

from doa_ros.core.errors import ModelError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.geometry import unit_vector
from doa_ros.core.localization.tflite import TFLiteModel
from doa_ros.resources import find_resource
from training.deployment import openvino_check
from training.deployment.openvino_check import compare
from training.quantize import openvino_faults

pytest.importorskip('openvino')


@pytest.fixture
def inputs(uma8):
    """Return features of sources in all directions, in noise."""
    rng = np.random.default_rng(1)
    directions = unit_vector(rng.uniform(-np.pi, np.pi, 50), rng.uniform(0, 1.4, 50))
    peaks = 7 * GccPhat(uma8, FeatureConfig()).steering_matrix(directions).reshape(50, 15, 13)
    return (peaks + rng.normal(0, 0.05, peaks.shape)).swapaxes(1, 2).astype(np.float32)


def _loader_of(path):
    """Return in the place of `_load` what loads another file."""
    load = openvino_check._load
    return lambda _: load(path)


@pytest.mark.parametrize('kind', ['int8', 'float32'])
def test_shipped_models_agree(kind, inputs):
    comparison = compare(find_resource('models', f'uma8_reference_{kind}'), inputs)
    assert comparison.agreement >= 0.95
    if kind == 'float32':
        assert comparison.difference <= 1e-5


def test_logits_that_are_a_step_off_are_no_disagreement(inputs, monkeypatch):
    rng = np.random.default_rng(2)
    logit_step, probability_step = 0.22, 1 / 256

    def load(path):
        interpreter = TFLiteModel(path)
        (tensor,) = interpreter._interpreter.get_input_details()

        def run(values):
            scale, zero_point = tensor['quantization']
            values = scale * (values[0].astype(float) - zero_point)
            outputs = []
            for probability in interpreter(values):
                logits = np.log(probability + 1 / 512)
                logits += logit_step * rng.integers(-1, 2, logits.shape)
                levels = np.rint(special.softmax(logits) / probability_step) - 128
                outputs.append(np.clip(levels, -128, 127).astype(np.int8)[None])
            return outputs

        return run

    monkeypatch.setattr(openvino_check, '_load', load)
    comparison = compare(find_resource('models', 'uma8_reference_int8'), inputs)
    assert comparison.difference > 2 * probability_step
    assert comparison.agreement >= 0.95


def _weights_changed(shape, values):
    """Return a change to the weights of the layer whose weights have a shape."""

    def change(model):
        (number,) = [t.buffer for t in model.subgraphs[0].tensors if tuple(t.shape) == shape]
        weights = np.array(model.buffers[number].data, dtype=np.uint8).reshape(shape)
        model.buffers[number].data = values(weights).ravel().tolist()

    return change


@pytest.mark.parametrize(
    ('layer', 'damage'),
    [
        # Of the pairs, of the taps, of the azimuths (turned by 20 degrees) and of the elevations.
        ((64, 1, 3, 15), lambda w: w[..., ::-1]),
        ((64, 1, 3, 15), lambda w: w[:, :, ::-1]),
        ((36, 100), lambda w: np.roll(w, 2, axis=0)),
        ((10, 100), lambda w: w[::-1]),
        ((100, 256), lambda w: np.where(np.arange(256) < 128, w, 0)),
    ],
    ids=['pairs', 'taps', 'azimuths', 'elevations', 'half of a layer'],
)
def test_damaged_int8_network_disagrees(
    layer, damage, inputs, monkeypatch, tmp_path, changed_network
):
    model = find_resource('models', 'uma8_reference_int8')
    damaged = tmp_path / 'damaged.tflite'
    damaged.write_bytes(changed_network(model, _weights_changed(layer, damage)))
    monkeypatch.setattr(openvino_check, '_load', _loader_of(damaged))
    (fault,) = openvino_faults(model, inputs)
    assert 'OpenVINO finds the same directions in' in fault


def test_an_activity_that_is_lost_is_a_disagreement(
    uma8, inputs, monkeypatch, tmp_path, write_network
):
    # Its activity is always 1: somebody is there.
    outputs = ('azimuth', 'elevation', 'activity')
    model = write_network(tmp_path / 'small.tflite', uma8, outputs=outputs)
    load = openvino_check._load

    def silent(path):
        run = load(path)
        return lambda tensor: [
            np.zeros_like(output) if output.size == 1 else output for output in run(tensor)
        ]

    assert compare(model, inputs).agreement == 1
    monkeypatch.setattr(openvino_check, '_load', silent)
    assert compare(model, inputs).agreement < 0.5


def test_a_difference_is_seen(inputs, monkeypatch):
    load = openvino_check._load

    def upside_down(path):
        run = load(path)
        return lambda tensor: [output[..., ::-1] for output in run(tensor)]

    monkeypatch.setattr(openvino_check, '_load', upside_down)
    comparison = compare(find_resource('models', 'uma8_reference_float32'), inputs)
    assert comparison.difference > 0.1
    assert comparison.agreement < 0.5


def test_without_openvino_the_extra_is_named(monkeypatch, inputs):
    monkeypatch.setitem(sys.modules, 'openvino', None)
    with pytest.raises(
        ModelError, match=r"openvino is not installed; try: pip install 'doa_ros\[openvino\]'"
    ):
        compare(find_resource('models', 'uma8_reference_float32'), inputs)


def test_model_that_it_does_not_load(monkeypatch, tmp_path):
    path = tmp_path / 'garbage.tflite'
    path.write_bytes(b'\x20\0\0\0TFL3' + bytes(50))
    with pytest.raises(ModelError, match=f'{path}: OpenVINO cannot load this model'):
        openvino_check._load(path)
