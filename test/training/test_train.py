# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import csv

import pytest
import yaml

from doa_ros.core.errors import ConfigError
from training.data.dataset import Shards
from training.fitting.history import read_history
from training.fitting.loop import backup
from training.runs import load_run
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
    content['data_features']['averaging_time'] = 0.3
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
    run_verb, data, settings_path, tmp_path, interrupted
):
    arguments = ('train', '--settings', settings_path, '--data', data, '--out', tmp_path)

    with interrupted():
        run_verb(*arguments)
    # As if the epochs before the interruption had been better than any to come.
    history = tmp_path / 'history.csv'
    rows = list(csv.reader(history.read_text(encoding='utf-8').splitlines()))
    best = rows[0].index('val_loss')
    for row in rows[1:]:
        row[best] = '0.001'
    history.write_text(''.join(','.join(row) + '\n' for row in rows), encoding='utf-8')
    kept = (tmp_path / 'model.keras').stat().st_mtime_ns
    (tmp_path / 'partial.keras').write_bytes(b'cut off')

    run_verb(*arguments)
    # The second epoch, whose end was interrupted, is done again.
    assert [row['epoch'] for row in read_history(history)] == ['0', '1', '2']
    assert (tmp_path / 'model.keras').stat().st_mtime_ns == kept


def test_a_backup_that_was_cut_goes_back_to_the_one_before(tmp_path):
    for name, suffix, content in (
        ('training_metadata.json', '', ''),
        ('training_metadata.json', '.bkp', '{"epoch": 1}'),
        ('latest.weights.h5', '', 'cut'),
        ('latest.weights.h5', '.bkp', 'whole'),
    ):
        (tmp_path / f'{name}{suffix}').write_text(content, encoding='utf-8')
    backup(tmp_path)
    left = {path.name: path.read_text(encoding='utf-8') for path in tmp_path.iterdir()}
    assert left == {'training_metadata.json': '{"epoch": 1}', 'latest.weights.h5': 'whole'}


@pytest.mark.parametrize('share', [0.0, 0.5, 0.99])
def test_a_damaged_network_is_named(trained, tmp_path, share):
    whole = (trained / 'model.keras').read_bytes()
    (tmp_path / 'model.keras').write_bytes(whole[: round(share * len(whole))])
    (tmp_path / 'settings.yaml').write_bytes((trained / 'settings.yaml').read_bytes())
    with pytest.raises(ConfigError, match='model.keras: cannot be read'):
        load_run(tmp_path)


@pytest.mark.parametrize(
    'section, message',
    [
        ({'rt60_min': 0.5, 'rt60_max': 0.2}, r'rt60_min \(0.5\) must not exceed rt60_max'),
        ({'distance_min': 3, 'distance_max': 1}, 'distance_min .* must not exceed distance_max'),
        ({'snr_min': 10, 'snr_max': 0}, 'snr_min .* must not exceed snr_max'),
        ({'length': 1.0, 'lead': 1.0}, 'lead .* must be shorter than length'),
    ],
)
def test_ranges_that_make_no_sense_are_refused(tmp_path, section, message):
    path = tmp_path / 'bad.yaml'
    path.write_text(yaml.safe_dump({'array': 'uma8', 'simulate': section}), encoding='utf-8')
    with pytest.raises(ConfigError, match=f'bad.yaml: simulate: {message}'):
        load_settings(path)
