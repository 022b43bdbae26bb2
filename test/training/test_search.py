# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import keras
import numpy as np
import pytest
import yaml

from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.model_card import load_card
from training.models.blocks import load_network
from training.runs import load_run


@pytest.fixture(scope='module')
def search_settings(settings_path, tmp_path_factory):
    """Return settings of a short search."""
    content = yaml.safe_load(settings_path.read_text(encoding='utf-8'))
    content['train'] = {**content['train'], 'epochs': 1}
    content['search'] = {
        'trials': 2,
        'epochs': 1,
        'batches': 3,
        'darts_epochs': 2,
        'darts_warm_up': 1,
        'cells': 2,
        'filters': 4,
    }
    path = tmp_path_factory.mktemp('search') / 'search.yaml'
    path.write_text(yaml.safe_dump(content), encoding='utf-8')
    return path


@pytest.fixture(scope='module', params=['optuna', 'darts'])
def method(request):
    return request.param


# Both leave the same kinds of files, of which a run is made by the same code.
one_method = pytest.mark.parametrize(
    'method', ['optuna', pytest.param('darts', marks=pytest.mark.nightly)], indirect=True
)


@pytest.fixture(scope='module')
def found(run_verb, method, data, search_settings, tmp_path_factory):
    out = tmp_path_factory.mktemp(method)
    run_verb(
        'search', '--method', method, '--settings', search_settings, '--data', data, '--out', out
    )
    return out


def test_a_search_leaves_a_description_and_a_plot(method, found):
    assert load_network(found / 'architecture.yaml').blocks
    plot = {'optuna': 'pareto.png', 'darts': 'mixing.png'}[method]
    assert (found / plot).stat().st_size > 5000


def test_what_was_found_is_trained_in_a_run_that_can_be_moved(found, tmp_path):
    moved = tmp_path / 'moved'
    moved.mkdir()
    for path in (found / 'run').glob('*.*'):
        (moved / path.name).write_bytes(path.read_bytes())
    model, settings = load_run(moved)
    assert settings.train.architecture == str(moved / 'architecture.yaml')
    assert load_network(moved / 'architecture.yaml').name == model.name


@one_method
def test_what_was_found_is_quantised_for_the_runtime(run_verb, found, data, tmp_path, uma8):
    run_verb(
        'quantize', '--run', found / 'run', '--data', data, '--name', 'found', '--out', tmp_path,
        '--kind', 'int8',
    )  # fmt: skip
    path = tmp_path / 'found_int8.tflite'
    card = load_card(path)
    spectrum = Classifier.load(path, uma8, card.features).spectrum(np.zeros((15, 13), np.float32))
    assert spectrum.azimuth.shape == (36,)
    # It says what the network is, not where its file was.
    name = load_network(found / 'architecture.yaml').name
    assert card.training['architecture'] == card.training['train']['architecture'] == name


@one_method
def test_train_takes_what_was_found_by_its_settings(run_verb, found, data, tmp_path):
    settings = found / 'settings.yaml'
    run_verb('train', '--settings', settings, '--data', data, '--out', tmp_path)
    model, _ = load_run(tmp_path)
    assert model.name == load_network(found / 'architecture.yaml').name


def test_what_is_finished_is_not_repeated(
    run_verb, method, found, data, search_settings, monkeypatch
):
    def fit(*args, **kwargs):
        raise AssertionError('trains again')

    monkeypatch.setattr(keras.Model, 'fit', fit)
    run_verb(
        'search', '--method', method, '--settings', search_settings, '--data', data, '--out', found
    )


def test_the_folder_of_another_search_is_refused(
    run_verb, method, found, data, search_settings, tmp_path
):
    content = yaml.safe_load(search_settings.read_text(encoding='utf-8'))
    content['search']['batches'] = 4
    path = tmp_path / 'settings.yaml'
    path.write_text(yaml.safe_dump(content), encoding='utf-8')
    with pytest.raises(ConfigError, match='a search with other settings; use another folder'):
        run_verb('search', '--method', method, '--settings', path, '--data', data, '--out', found)


def test_a_study_is_joined_by_its_folder(run_verb, data, found, method, tmp_path):
    arguments = ('search', '--method', method, '--data', data, '--join')
    if method == 'darts':
        with pytest.raises(ConfigError, match='only a search of --method optuna'):
            run_verb(*arguments, found)
        return
    # It has all of its trials.
    run_verb(*arguments, found)
    assert len((found / 'trials.csv').read_text(encoding='utf-8').splitlines()) == 1 + 2
    with pytest.raises(ConfigError, match='settings.yaml: cannot be read'):
        run_verb(*arguments, tmp_path)
