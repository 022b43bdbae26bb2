# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import csv

import keras
import pytest
import yaml

from doa_ros.core.errors import ConfigError
from training.examples.dataset import Shards
from training.settings import load_settings


def test_training_learns_and_leaves_its_traces(trained):
    with (trained / 'history.csv').open(encoding='utf-8') as file:
        losses = [float(row['loss']) for row in csv.DictReader(file)]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert (trained / 'curves.png').stat().st_size > 5000
    assert load_settings(trained / 'settings.yaml').train.epochs == 3


def test_data_of_other_features_is_refused(data, settings_path, tmp_path):
    content = yaml.safe_load(settings_path.read_text(encoding='utf-8'))
    content['data_features']['averaging'] = 0.3
    other = tmp_path / 'other.yaml'
    other.write_text(yaml.safe_dump(content), encoding='utf-8')
    with pytest.raises(ConfigError, match='other data_features'):
        Shards(data, 'train', load_settings(other))


def test_a_damaged_shard_is_named(data, settings_path, tmp_path):
    settings = load_settings(settings_path)
    (tmp_path / 'train').mkdir()
    (tmp_path / 'settings.yaml').write_bytes((data / 'settings.yaml').read_bytes())
    whole = (data / 'train' / '00000.npz').read_bytes()
    (tmp_path / 'train' / '00000.npz').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match='00000.npz: not a usable shard'):
        list(Shards(tmp_path, 'train', settings))


def test_lags_that_are_not_in_the_data_are_refused(settings_path, tmp_path):
    content = yaml.safe_load(settings_path.read_text(encoding='utf-8'))
    content['features']['lag_rate'] = 20000
    other = tmp_path / 'other.yaml'
    other.write_text(yaml.safe_dump(content), encoding='utf-8')
    with pytest.raises(ConfigError, match='lag axis'):
        load_settings(other)


def test_an_interrupted_run_goes_on_and_keeps_its_best_network(
    run_verb, data, settings_path, tmp_path, monkeypatch
):
    arguments = ('train', '--settings', settings_path, '--data', data, '--out', tmp_path)

    def interrupt(self, epoch, logs=None):
        on_epoch_end(self, epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt

    on_epoch_end = keras.callbacks.CSVLogger.on_epoch_end
    monkeypatch.setattr(keras.callbacks.CSVLogger, 'on_epoch_end', interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_verb(*arguments)
    monkeypatch.undo()
    # As if the epochs before the interruption had been better than any to come.
    history = tmp_path / 'history.csv'
    rows = list(csv.reader(history.read_text(encoding='utf-8').splitlines()))
    best = rows[0].index('val_loss')
    for row in rows[1:]:
        row[best] = '0.001'
    history.write_text(''.join(','.join(row) + '\n' for row in rows), encoding='utf-8')
    kept = (tmp_path / 'model.keras').stat().st_mtime_ns

    run_verb(*arguments)
    with history.open(encoding='utf-8') as file:
        assert [row['epoch'] for row in csv.DictReader(file)] == ['0', '1', '2']
    assert (tmp_path / 'model.keras').stat().st_mtime_ns == kept
