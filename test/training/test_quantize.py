# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import csv

import keras
import numpy as np
import pytest

from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.model_card import load_card
from training import quantize
from training.data.dataset import Shards
from training.deployment import edgetpu
from training.deployment.conversion import KINDS
from training.quantize import openvino_faults
from training.settings import load_settings


@pytest.fixture(scope='module')
def examples(data, settings_path) -> np.ndarray:
    """Return features of the val split, shape (rows, pairs, lags)."""
    shards = Shards(data, 'val', load_settings(settings_path))
    return np.concatenate([shard.features for shard in shards]).astype(np.float32)


@pytest.mark.parametrize('kind', [kind for kind in KINDS if kind != 'float32'])
def test_every_format_loads_in_the_runtime_and_agrees(models, examples, uma8, kind):
    features = load_card(models / f'tiny_{kind}.tflite').features
    exact, other = (
        Classifier.load(models / f'tiny_{name}.tflite', uma8, features)
        for name in ('float32', kind)
    )
    for gcc in examples[::10]:
        expected, got = exact.spectrum(gcc), other.spectrum(gcc)
        # Of quantisation-aware training, the network itself is another one.
        np.testing.assert_allclose(got.azimuth, expected.azimuth, atol=0.05)
        np.testing.assert_allclose(got.elevation, expected.elevation, atol=0.05)


def test_the_float32_model_is_the_trained_one(models, trained, examples, settings_path, uma8):
    settings = load_settings(settings_path)
    network = keras.models.load_model(trained / 'model.keras')
    azimuth, elevation, activity = network(examples[:5].swapaxes(1, 2), training=False)
    runtime = Classifier.load(models / 'tiny_float32.tflite', uma8, settings.features)
    for k in range(5):
        spectrum = runtime.spectrum(examples[k])
        np.testing.assert_allclose(spectrum.azimuth, azimuth[k], atol=1e-4)
        np.testing.assert_allclose(spectrum.elevation, elevation[k], atol=1e-4)
        np.testing.assert_allclose(spectrum.activity, activity[k], atol=1e-4)


def test_the_card_and_the_table_report_accuracy_and_size(models):
    card = load_card(models / 'tiny_int8.tflite')
    assert card.training['parameters'] == 44632 + 1010 + 101
    assert 0 <= card.training['validation']['within_10'] <= 1
    assert card.training['median_azimuth_difference_to_float32_deg'] > 0
    exact = load_card(models / 'tiny_float32.tflite')
    assert exact.training['median_azimuth_difference_to_float32_deg'] == 0
    assert card.training['zeros'] < 0.01 and card.training['most_values_of_a_kernel'] > 1000
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
        assert int(row['parameters']) == 44632 + 1010 + 101
    assert '| qat |' in (models / 'tiny_models.md').read_text(encoding='utf-8')


@pytest.mark.parametrize('kind', ['int8', 'qat'])
def test_int8_models_meet_the_requirements_of_the_edge_tpu(models, kind):
    assert edgetpu.problems(models / f'tiny_{kind}.tflite') == []


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


def test_models_agree_with_openvino(models):
    pytest.importorskip('openvino')
    inputs = np.load(models / 'tiny_representative.npy')[:40]
    for kind in ('float32', 'int8'):
        assert openvino_faults(models / f'tiny_{kind}.tflite', inputs) == []


def test_another_class_in_openvino_is_said(models, monkeypatch):
    comparison = quantize.openvino_check.Comparison(difference=0.5, agreement=0.5)
    monkeypatch.setattr(quantize.openvino_check, 'compare', lambda *_: comparison)
    faults = openvino_faults(models / 'tiny_int8.tflite', np.zeros((1, 13, 15), np.float32))
    assert faults == ['tiny_int8.tflite: OpenVINO finds the same directions in 50.0 % only']


def test_nothing_trained_is_said(run_verb, data, tmp_path):
    with pytest.raises(ConfigError, match='run train first'):
        run_verb('quantize', '--run', tmp_path, '--data', data, '--name', 'x', '--out', tmp_path)
