# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import csv
from dataclasses import replace

import keras
import numpy as np
import pytest

from doa_ros.core.classifier import Classifier, load_card, network_input
from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.tflite import TFLiteModel
from training import quantize
from training.examples.dataset import Shards
from training.networks.architectures import circular
from training.quantize import (
    KINDS,
    openvino_faults,
    output_names,
    representative_set,
    to_tflite,
    train_to_be_rounded,
)
from training.scores import edgetpu
from training.settings import load_settings


@pytest.fixture(scope='module')
def examples(data, settings_path) -> np.ndarray:
    """Return features of the val split, shape (rows, pairs, lags)."""
    shards = Shards(data, 'val', load_settings(settings_path))
    return np.concatenate([shard.gcc for shard in shards]).astype(np.float32)


@pytest.mark.parametrize('kind', [kind for kind in KINDS if kind != 'float32'])
def test_every_format_loads_in_the_runtime_and_agrees(models, examples, uma8, kind):
    features = load_card(models / f'tiny_{kind}.tflite').features
    exact, other = (
        Classifier(models / f'tiny_{name}.tflite', uma8, features) for name in ('float32', kind)
    )
    for gcc in examples[::10]:
        expected, got = exact.spectrum(gcc), other.spectrum(gcc)
        # Of quantisation-aware training, the network itself is another one.
        np.testing.assert_allclose(got.azimuth, expected.azimuth, atol=0.05)
        np.testing.assert_allclose(got.elevation, expected.elevation, atol=0.05)


def test_the_float32_model_is_the_trained_one(models, trained, examples, settings_path, uma8):
    settings = load_settings(settings_path)
    network = keras.models.load_model(trained / 'model.keras')
    azimuth, elevation = network(network_input(examples[:5]), training=False)
    runtime = Classifier(models / 'tiny_float32.tflite', uma8, settings.features)
    for k in range(5):
        spectrum = runtime.spectrum(examples[k])
        np.testing.assert_allclose(spectrum.azimuth, azimuth[k], atol=1e-4)
        np.testing.assert_allclose(spectrum.elevation, elevation[k], atol=1e-4)


def test_the_card_and_the_table_report_accuracy_and_size(models):
    card = load_card(models / 'tiny_int8.tflite')
    assert card.training['parameters'] == 44632 + 1010
    assert 0 <= card.training['validation']['within_10'] <= 1
    with (models / 'tiny_models.csv').open(encoding='utf-8') as file:
        rows = {row['format']: row for row in csv.DictReader(file)}
    assert tuple(rows) == KINDS
    size = {kind: float(row['file [KiB]']) for kind, row in rows.items()}
    assert size['int8'] < size['float16'] < size['float32']
    assert size['qat'] < size['float32'] / 2
    for kind, row in rows.items():
        file = models / f'tiny_{kind}.tflite'
        assert size[kind] == pytest.approx(file.stat().st_size / 1024, abs=0.1)
        assert 0 < float(row['compressed [KiB]']) < size[kind]
        assert float(row['latency [us]']) > 0
        assert int(row['parameters']) == 44632 + 1010
    assert '| qat |' in (models / 'tiny_models.md').read_text(encoding='utf-8')


@pytest.mark.parametrize('kind', ['int8', 'qat'])
def test_int8_models_meet_the_requirements_of_the_edge_tpu(models, kind):
    assert edgetpu.problems(models / f'tiny_{kind}.tflite') == []


def test_the_representative_set_is_pinned(data, settings_path, models):
    shards = Shards(data, 'train', load_settings(settings_path))
    first, second = representative_set(shards), representative_set(shards)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, np.load(models / 'tiny_representative.npy'))


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


def test_outputs_of_the_same_size_are_told_apart(tmp_path):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((3, 4))
    flat = keras.layers.Flatten()(inputs)
    outputs = [keras.layers.Dense(6, activation='softmax')(flat) for _ in range(2)]
    file = tmp_path / 'same.tflite'
    for order in ((0, 1), (1, 0)):
        model = keras.Model(inputs, [outputs[k] for k in order])
        file.write_bytes(to_tflite(model, 'float32', np.zeros((1, 3, 4), np.float32)))
        network = TFLiteModel(file)
        names = output_names(network, model)
        probe = np.full((3, 4), 0.2, np.float32)
        for name, got in zip(names, network(probe), strict=True):
            expected = model(probe[None])[('azimuth', 'elevation').index(name)][0]
            np.testing.assert_allclose(got, expected, atol=1e-5)


def test_a_model_that_fails_a_check_is_written_and_said(
    run_verb, trained, data, tmp_path, monkeypatch
):
    monkeypatch.setattr(edgetpu, 'problems', lambda path: ['operator 3 (WHERE) is not supported'])
    arguments = ('--run', trained, '--data', data, '--name', 'x', '--out', tmp_path)
    with pytest.raises(ModelError, match=r'x_int8.tflite for the Edge TPU: operator 3 \(WHERE\)'):
        run_verb('quantize', *arguments, '--kind', 'int8', '--edgetpu')
    assert (tmp_path / 'x_int8.tflite').is_file()
    with (tmp_path / 'x_models.csv').open(encoding='utf-8') as file:
        assert [row['Edge TPU'] for row in csv.DictReader(file)] == ['no']
    # It is made to compare with, and was not asked for.
    assert not (tmp_path / 'x_float32.tflite').exists()


def test_openvino_agrees(models):
    pytest.importorskip('openvino')
    inputs = np.load(models / 'tiny_representative.npy')[:40]
    for kind in ('float32', 'int8'):
        assert openvino_faults(models / f'tiny_{kind}.tflite', inputs) == []


def test_another_class_in_openvino_is_said(models, monkeypatch):
    comparison = quantize.openvino_check.Comparison(difference=0.5, agreement=0.5)
    monkeypatch.setattr(quantize.openvino_check, 'compare', lambda *_: comparison)
    faults = openvino_faults(models / 'tiny_int8.tflite', np.zeros((1, 13, 15), np.float32))
    assert faults == ['tiny_int8.tflite: OpenVINO gives the same class in 50.0 % only']


def test_nothing_trained_is_said(run_verb, data, tmp_path):
    with pytest.raises(ConfigError, match='run train first'):
        run_verb(
            'quantize', '--run', tmp_path, '--data', data, '--name', 'x', '--out', tmp_path
        )
