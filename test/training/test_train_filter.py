# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A recurrent filter for a model of several sources, from simulation to calibration."""

from dataclasses import replace
import hashlib
import shutil

import numpy as np
import pytest
import yaml

from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.model_card import load_card, save_card
from doa_ros.core.localization.recurrent_filter import RecurrentFilterConfig
from doa_ros.resources import find_resource
from training import calibrate
from training.fitting.history import read_history
from training.simulation import shard_jobs

SETTINGS = {
    'array': 'uma8',
    'simulate': {'lead': 1.0, 'rt60_max': 0.2, 'sources_max': 2},
    'train_filter': {
        'train_clips': 3, 'val_clips': 1, 'length': 3.0, 'states': 4, 'epochs': 3, 'batch': 2,
        'walking': 0.5, 'dead_microphones': 0.5,
    },
}  # fmt: skip


def plain_model(folder):
    """Return a copy of the model of several sources without its filter."""
    path = folder / 'model.tflite'
    original = find_resource('models', 'uma8_several_int8')
    shutil.copy(original, path)
    card = replace(load_card(original), srp_weight=0.0, recurrent_filter=None, calibration=None)
    save_card(card, path)
    return path


def write_settings(folder, **changes):
    path = folder / 'settings.yaml'
    content = {**SETTINGS, 'train_filter': {**SETTINGS['train_filter'], **changes}}
    path.write_text(yaml.safe_dump(content), encoding='utf-8')
    return path


def arguments(folder, model, sounds):
    settings = folder / 'settings.yaml'
    where = ['--sounds', sounds, '--out', folder / 'out', '--jobs', 1]
    return ['--settings', settings, '--model', model, *where]


@pytest.fixture(scope='module')
def made(run_verb, sounds, tmp_path_factory):
    """Return a model with a recurrent filter, and the folder that was left."""
    folder = tmp_path_factory.mktemp('filter')
    model = plain_model(folder)
    write_settings(folder)
    run_verb('train_filter', *arguments(folder, model, sounds))
    return model, folder / 'out'


@pytest.fixture
def model(made, tmp_path):
    """Return a copy of the model with a recurrent filter."""
    for path in made[0].parent.glob('model*'):
        shutil.copy(path, tmp_path)
    return tmp_path / 'model.tflite'


def test_the_model_is_filtered(made, uma8, extract, plane_wave):
    path, out = made
    card = load_card(path)
    content = path.with_name('model_filter.tflite').read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    assert card.recurrent_filter == RecurrentFilterConfig(sha256, elevation_share=0.2)
    assert card.calibration is None
    # What it has learnt from.
    assert card.srp_weight == 0.5
    config = LocalizerConfig(report_stationary=True)
    localizer = Localizer(uma8, card.features, config, path)
    window = extract(uma8, plane_wave(uma8, 0.5), card.features)[-1]
    first, second = (localizer.locate(window).spectrum.azimuth for _ in range(2))
    assert not np.allclose(first, second)
    localizer.reset()
    np.testing.assert_array_equal(localizer.locate(window).spectrum.azimuth, first)
    assert len(read_history(out / 'history.csv')) == 3
    assert (out / 'filter.keras').is_file() and (out / 'curves.png').is_file()


def test_it_is_calibrated_with_its_filter(run_verb, model, sounds, monkeypatch):
    monkeypatch.setattr(calibrate, 'ENGINES', ('fast',))
    monkeypatch.setattr(calibrate, '_others', lambda *_: iter(()))
    before = load_card(model)
    asked = ['--model', model, '--sounds', sounds, '--scenes', 1]
    with pytest.raises(ConfigError, match='has no calibration yet'):
        run_verb('calibrate', *asked, '--deviations')
    run_verb('calibrate', *asked)
    card = load_card(model)
    assert replace(card, calibration=None).to_mapping() == before.to_mapping()
    changed = {
        name
        for name, value in card.calibration.to_mapping().items()
        if value != getattr(Calibration(), name)
    }
    assert {'confidence_weight', 'elevation_scale', 'azimuth_spread'} <= changed
    again = replace(card.calibration, azimuth_spread=9.0)
    save_card(replace(card, calibration=again), model)
    run_verb('calibrate', *asked, '--deviations')
    deviations = load_card(model).calibration
    assert deviations.azimuth_spread != 9.0
    assert deviations.confidence_weight == card.calibration.confidence_weight


def test_calibration_needs_a_recurrent_filter(run_verb, sounds, tmp_path):
    with pytest.raises(ConfigError, match='run train_filter first'):
        run_verb('calibrate', '--model', plain_model(tmp_path), '--sounds', sounds)


def test_it_goes_on_where_it_was_interrupted(
    run_verb, made, sounds, tmp_path, interrupted, monkeypatch
):
    model = plain_model(tmp_path)
    write_settings(tmp_path)
    for name in ('settings.yaml', 'train', 'val'):
        copy = shutil.copytree if (made[1] / name).is_dir() else shutil.copy
        (tmp_path / 'out').mkdir(exist_ok=True)
        copy(made[1] / name, tmp_path / 'out' / name)
    asked = arguments(tmp_path, model, sounds)
    card = model.with_suffix('.yaml').read_text()

    def simulate_again(*_):
        raise AssertionError

    monkeypatch.setattr(shard_jobs, '_make_shard', simulate_again)
    with interrupted():
        run_verb('train_filter', *asked)
    # Nothing is half done.
    assert model.with_suffix('.yaml').read_text() == card
    assert not (tmp_path / 'model_filter.tflite').exists()
    run_verb('train_filter', *asked)
    epochs = [row['epoch'] for row in read_history(tmp_path / 'out' / 'history.csv')]
    assert epochs == ['0', '1', '2']
    assert load_card(model).recurrent_filter is not None
    # A shard that was cut off is made again.
    (tmp_path / 'out' / 'val' / '00000.npz').write_bytes(b'PK')
    with pytest.raises(AssertionError):
        run_verb('train_filter', *asked)


def test_clips_of_other_settings_are_not_mixed(run_verb, made, sounds, tmp_path):
    _, out = made
    model = plain_model(tmp_path)
    shutil.copytree(out, tmp_path / 'out')
    write_settings(tmp_path, walking=0.4)
    with pytest.raises(ConfigError, match='holds data of other settings'):
        run_verb('train_filter', *arguments(tmp_path, model, sounds))


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda card: replace(card, multi_source=False), 'train one with multi_source: true'),
        (lambda card: replace(card, outputs=('azimuth',)), 'outputs:'),
        (
            lambda card: replace(card, features=replace(card.features, residual=False)),
            'residual: true',
        ),
    ],
)
def test_models_that_cannot_have_a_filter_are_refused(run_verb, sounds, tmp_path, change, message):
    model = plain_model(tmp_path)
    save_card(change(load_card(model)), model)
    write_settings(tmp_path)
    with pytest.raises(ConfigError, match=message):
        run_verb('train_filter', *arguments(tmp_path, model, sounds))
    assert not (tmp_path / 'out').exists()


def test_a_model_of_another_array_is_refused(run_verb, sounds, tmp_path):
    model = plain_model(tmp_path)
    settings = write_settings(tmp_path)
    content = yaml.safe_load(settings.read_text()) | {'array': 'respeaker_usb_4mic'}
    settings.write_text(yaml.safe_dump(content), encoding='utf-8')
    with pytest.raises(ModelError, match='does not fit'):
        run_verb('train_filter', *arguments(tmp_path, model, sounds))


def test_no_jobs_are_refused(run_verb, sounds, tmp_path):
    model = plain_model(tmp_path)
    write_settings(tmp_path)
    with pytest.raises(ConfigError, match='--jobs must be at least 1'):
        run_verb('train_filter', *arguments(tmp_path, model, sounds), '--jobs', 0)
