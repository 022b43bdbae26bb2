# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever a user's account asks of Keras, training makes the same networks."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from doa_ros.resources import config_directory
from training import __main__, environment
from training.fitting.loop import DivergedError, fit_compiled, fit_on

OTHER = {
    'backend': 'torch',
    'floatx': 'float16',
    'epsilon': 1e-3,
    'image_data_format': 'channels_first',
}


@pytest.fixture
def account(monkeypatch, tmp_path):
    """Return the keras.json of a home of its own; the environment is as it was afterwards."""
    for name in ('KERAS_HOME', 'KERAS_BACKEND', 'TF_USE_LEGACY_KERAS', 'TF_CPP_MIN_LOG_LEVEL'):
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)
    monkeypatch.setenv('HOME', str(tmp_path))
    path = tmp_path / '.keras' / 'keras.json'
    path.parent.mkdir()
    return path


def test_plain_account_asks_for_nothing_else(account):
    assert environment.prepare() == []
    # So do processes that it starts.
    assert os.environ['KERAS_BACKEND'] == 'tensorflow'
    assert environment.prepare() == []


@pytest.mark.parametrize('legacy', ['0', '1'])
def test_what_does_not_count_is_said(account, monkeypatch, legacy):
    account.write_text(json.dumps(OTHER), encoding='utf-8')
    monkeypatch.setenv('KERAS_BACKEND', 'jax')
    monkeypatch.setenv('TF_USE_LEGACY_KERAS', legacy)
    assert environment.prepare() == [
        f'backend torch of {account}',
        f'floatx float16 of {account}',
        f'epsilon 0.001 of {account}',
        f'image_data_format channels_first of {account}',
        'KERAS_BACKEND=jax',
    ]
    assert 'TF_USE_LEGACY_KERAS' not in os.environ
    assert environment.prepare() == []


def test_home_of_keras_is_looked_into(account, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', str(account.parent))
    account.write_text('{"floatx": "float64"}', encoding='utf-8')
    assert environment.prepare() == [f'floatx float64 of {account}']


def test_home_of_nobody_asks_for_nothing(account, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', '~nobody_of_this_name')
    assert environment.prepare() == []


@pytest.mark.parametrize('content', ['', 'no JSON', '[1]', '{"epsilon": ', '[' * 100_000])
def test_unusable_file_asks_for_nothing(account, content):
    account.write_text(content, encoding='utf-8')
    assert environment.prepare() == []


def _train(data, settings_path, out, **variables):
    """Run the verb as users do; return the process that has ended."""
    return subprocess.run(
        [sys.executable, '-m', 'training', 'train', '--settings', settings_path]
        + ['--data', data, '--out', out],
        cwd=config_directory().parent,
        env={**os.environ, 'CUDA_VISIBLE_DEVICES': '', **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_training_is_the_same_on_another_account(data, settings_path, trained, tmp_path, account):
    account.write_text(json.dumps(OTHER), encoding='utf-8')
    done = _train(
        data, settings_path, tmp_path / 'run', KERAS_HOME=str(account.parent), KERAS_BACKEND='jax'
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith('doa-train: ')]
    assert len(said) == 1 and 'KERAS_BACKEND=jax' in said[0] and 'floatx float16' in said[0]
    networks = [
        keras.models.load_model(folder / 'model.keras', compile=False)
        for folder in (trained, tmp_path / 'run')
    ]
    shapes = [[w.shape for w in network.get_weights()] for network in networks]
    assert shapes[0] == shapes[1]
    assert {w.dtype for w in networks[1].get_weights()} == {np.dtype('float32')}


def _network():
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network.compile('adam', 'mse')
    return network


@pytest.mark.parametrize('bad', [np.nan, np.inf])
@pytest.mark.parametrize('where', ['train', 'val'])
def test_loss_that_is_not_finite_ends_training(tmp_path, bad, where):
    good = np.zeros((4, 2), np.float32), np.zeros((4, 1), np.float32)
    wrong = np.full((4, 2), bad, np.float32), good[1]

    def batches(split):
        import tensorflow as tf

        return tf.data.Dataset.from_tensors(wrong if split == where else good)

    with pytest.raises(DivergedError, match='has diverged in epoch 1 .*loss (nan|inf)'):
        fit_compiled(
            _network(), batches('train'), batches('val'), tmp_path / 'model.keras', epochs=3
        )
    # No network that does not work is left, and none is gone on with.
    assert not (tmp_path / 'model.keras').exists()
    assert not list((tmp_path / 'backup').glob('*'))


def test_loss_of_a_network_that_is_made_smaller_is_looked_at(monkeypatch, uma8):
    class Stream:
        def __init__(self, value):
            self._value = value

        def stream(self):
            import tensorflow as tf

            inputs = np.full((4, 2), self._value, np.float32)
            return tf.data.Dataset.from_tensors((inputs, np.zeros((4, 1), np.float32)))

    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    monkeypatch.setattr(
        'training.fitting.loop.compile_heads',
        lambda model, rate, config: model.compile('adam', 'mse'),
    )
    with pytest.raises(DivergedError):
        fit_on(network, None, Stream(np.nan), Stream(0.0), epochs=2, learning_rate=0.1)


def test_diverged_training_ends_with_a_sentence_and_a_status(
    monkeypatch, capsys, data, settings_path, tmp_path
):
    def infinite(wanted, got):
        return keras.ops.sum(got, axis=-1) * np.inf

    monkeypatch.setattr('training.fitting.loop.losses', lambda config: [infinite] * 3)
    arguments = ['train', '--settings', settings_path, '--data', data, '--out', tmp_path]
    monkeypatch.setattr(sys, 'argv', ['doa-train', *map(str, arguments)])
    assert __main__.main() == 1
    assert 'doa-train train: training has diverged in epoch 1' in capsys.readouterr().err
