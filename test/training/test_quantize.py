# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from doa_ros.core.classifier import Classifier, load_card, network_input
from doa_ros.core.errors import ConfigError
from training.dataset import load_dataset
from training.quantize import representative_set
from training.settings import load_settings


def test_both_models_load_in_the_runtime_and_agree(models, data, settings_path, uma8):
    features = load_card(models / 'tiny_int8.tflite').features
    float32, int8 = (
        Classifier(models / f'tiny_{kind}.tflite', uma8, features) for kind in ('float32', 'int8')
    )
    examples = load_dataset(data, 'val', load_settings(settings_path)).gcc.astype(np.float32)
    for gcc in examples[::10]:
        exact, rounded = float32.spectrum(gcc), int8.spectrum(gcc)
        np.testing.assert_allclose(rounded.azimuth, exact.azimuth, atol=0.05)
        np.testing.assert_allclose(rounded.elevation, exact.elevation, atol=0.05)


def test_the_float32_model_is_the_trained_one(models, trained, data, settings_path, uma8):
    import keras

    settings = load_settings(settings_path)
    gcc = load_dataset(data, 'val', settings).gcc[:5].astype(np.float32)
    network = keras.models.load_model(trained / 'model.keras')
    azimuth, elevation = network(network_input(gcc), training=False)
    runtime = Classifier(models / 'tiny_float32.tflite', uma8, settings.features)
    for k in range(5):
        spectrum = runtime.spectrum(gcc[k])
        np.testing.assert_allclose(spectrum.azimuth, azimuth[k], atol=1e-4)
        np.testing.assert_allclose(spectrum.elevation, elevation[k], atol=1e-4)


def test_the_card_reports_accuracy_and_size(models):
    card = load_card(models / 'tiny_int8.tflite')
    assert card.training['parameters'] == 44632 + 1010
    assert 0 <= card.training['validation']['within_10'] <= 1
    int8, float32 = (models / f'tiny_{kind}.tflite' for kind in ('int8', 'float32'))
    assert int8.stat().st_size < float32.stat().st_size / 2


def test_the_representative_set_is_pinned(data, settings_path):
    train = load_dataset(data, 'train', load_settings(settings_path))
    first, second = representative_set(train), representative_set(train)
    np.testing.assert_array_equal(first, second)


def test_nothing_trained_is_said(run_verb, data, tmp_path):
    with pytest.raises(ConfigError, match='run train first'):
        run_verb(
            'quantize', '--run', tmp_path, '--data', data, '--name', 'x', '--out', tmp_path
        )
