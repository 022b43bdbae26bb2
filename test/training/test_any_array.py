# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One network for every array: made by the verbs, and run on arrays that it never heard."""

from dataclasses import replace
import math

import numpy as np
import pytest
import yaml

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.array_file import load_array
from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.compatibility import adapted_array, default_features
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.model_card import load_card, save_card
from doa_ros.resources import find_resource
from training import calibrate
from training.data.dataset import Dataset
from training.data.inputs import MAP_GRID, inputs_for
from training.evaluation.scenes import rooms
from training.fitting import hmm
from training.settings import Settings, load_settings

SETTINGS = {
    'array': 'any',
    'features': {'lag_rate': 48000},
    'data_features': {'lag_rate': 48000},
    'simulate': {'train_clips': 8, 'val_clips': 2, 'length': 2.5, 'lead': 1.0, 'rt60_max': 0.2},
    'train': {
        'architecture': 'circular',
        'azimuth_classes': 72,
        'elevation_classes': 19,
        'elevation_min_deg': -90,
        'outputs': ['azimuth', 'elevation', 'activity'],
        'epochs': 1,
    },
}
TILT = np.array([[0.8, 0, -0.6], [0, 1, 0], [0.6, 0, 0.8]])
AZIMUTH, ELEVATION = 0.7, 0.5


@pytest.fixture(scope='session')
def any_settings(tmp_path_factory):
    path = tmp_path_factory.mktemp('any') / 'any.yaml'
    path.write_text(yaml.safe_dump(SETTINGS), encoding='utf-8')
    return path


@pytest.fixture(scope='session')
def made(run_verb, sounds, any_settings, make_once):
    """Return a folder of data, a run and a model."""

    def make(out):
        data, run = out / 'data', out / 'run'
        given = ('--settings', any_settings)
        run_verb('simulate', *given, '--sounds', sounds, '--out', data, '--jobs', 1)
        run_verb('train', *given, '--data', data, '--out', run)
        arguments = ('--run', run, '--data', data, '--kind', 'int8')
        run_verb('quantize', *arguments, '--name', 'any', '--out', out, '--edgetpu')

    return make_once('any_array', make)


@pytest.fixture
def model(made, tmp_path):
    """Return the .tflite file; its directions are those of SRP-PHAT, as it has learnt little."""
    file = tmp_path / 'any_int8.tflite'
    file.write_bytes((made / 'any_int8.tflite').read_bytes())
    save_card(replace(load_card(made / 'any_int8.tflite'), srp_weight=500.0), file)
    return file


@pytest.fixture
def arrays(uma8, square, tetrahedron, make_array):
    return {
        'ring': uma8,
        'square': square,
        'with height': tetrahedron,
        'tilted': make_array(square.positions @ TILT),
        'upright': make_array(square.positions[:, [2, 0, 1]]),
        'large': load_array(find_resource('arrays', 'minidsp_uma16')),
    }


def test_clips_are_heard_by_random_arrays_and_stored_as_maps(made):
    shard = Dataset.load(made / 'data' / 'train' / '00000.npz', 'simulate')
    assert shard.features.shape[1:] == (72, 19)
    assert len(np.unique(shard.clip)) == 8
    # Of some arrays only a half of the map is shown.
    shown = [np.any(shard.features[shard.clip == n][:, :, :9]) for n in np.unique(shard.clip)]
    assert 0 < np.mean(shown) < 1


def test_the_card_is_of_any_array(made):
    card = load_card(made / 'any_int8.tflite')
    assert card.array is None and card.input == 'map' and card.grid.elevation_count == 19
    content = yaml.safe_load((made / 'any_int8.yaml').read_text(encoding='utf-8'))
    assert content['array'] == 'any' and content['input'] == 'map'


@pytest.mark.parametrize('name', ['ring', 'square', 'with height', 'tilted', 'upright', 'large'])
def test_one_network_runs_on_every_array(model, arrays, name, extract, plane_wave):
    known, difference = adapted_array(arrays[name], model)
    assert known is arrays[name] and not difference
    features = default_features(known, model)
    localizer = Localizer(known, features, LocalizerConfig(sensitivity=1.0), model)
    window = extract(known, plane_wave(known, AZIMUTH, ELEVATION), features)[-1]
    found = localizer.locate(replace(window, activity=1.0))
    (estimate,) = found.estimates
    assert wrap_angle(estimate.azimuth - AZIMUTH) == pytest.approx(0, abs=math.radians(6))
    assert estimate.elevation == pytest.approx(ELEVATION, abs=math.radians(10))
    folded = ambiguity_of(known).fold(estimate.azimuth, estimate.elevation)
    assert folded == pytest.approx((estimate.azimuth, estimate.elevation))
    assert localizer.grid == load_card(model).grid


def test_answers_are_those_that_the_array_can_tell(made, uma8, extract, plane_wave):
    # Without the response, what a network that has learnt little says may be below the array.
    model = made / 'any_int8.tflite'
    features = default_features(uma8, model)
    localizer = Localizer(uma8, features, LocalizerConfig(sensitivity=1.0), model)
    for azimuth in (-2, 0, 2):
        window = extract(uma8, plane_wave(uma8, azimuth), features)[-1]
        (estimate,) = localizer.locate(replace(window, activity=1.0)).estimates
        assert estimate.elevation >= 0


def test_dead_microphones_are_those_of_another_array(model, uma8, extract, plane_wave):
    features = default_features(uma8, model)
    sound = plane_wave(uma8, AZIMUTH, ELEVATION)
    left = replace(
        uma8,
        **{name: getattr(uma8, name)[:-1] for name in ('positions', 'labels', 'channels')},
    )
    whole = extract(uma8, sound, features)[-1].features
    whole[np.any(uma8.pairs == 5, axis=1)] = 0
    rest = extract(left, sound[:, :-1], features)[-1].features
    found, expected = (
        Classifier.load(model, array, features).spectrum(values)
        for array, values in ((uma8, whole), (left, rest))
    )
    np.testing.assert_allclose(found.elevation, expected.elevation, atol=0.02)
    np.testing.assert_allclose(found.activity, expected.activity, atol=0.02)


def test_random_arrays_calibrate_it_in_rooms_of_their_own(
    run_verb, model, sounds, uma8, extract, plane_wave, monkeypatch
):
    monkeypatch.setattr(hmm, '_EVALUATIONS', 12)
    monkeypatch.setattr(calibrate, 'ENGINES', ('fast',))
    monkeypatch.setattr(rooms, 'DIFFICULTIES', rooms.DIFFICULTIES[:1])
    heard = []
    label = calibrate.label_outputs

    def noted(classifier, array, clips, *, sources):
        labelled = label(classifier, array, clips, sources=sources)
        heard.append((len(array.positions), classifier.features.lag_count, len(labelled.brief)))
        return labelled

    monkeypatch.setattr(calibrate, 'label_outputs', noted)
    run_verb('calibrate', '--model', model, '--sounds', sounds, '--scenes', 2)
    card = load_card(model)
    assert card.hmm is not None and card.calibration is not None and card.array is None
    # Short sounds and a fan are in one room each.
    assert [clips for *_, clips in heard] == [3, 1] and heard[0] != heard[1]
    features = default_features(uma8, model)
    localizer = Localizer(uma8, features, LocalizerConfig(), model)
    window = extract(uma8, plane_wave(uma8, AZIMUTH), features)[-1]
    assert localizer.locate(window).spectrum.azimuth.sum() == pytest.approx(1, abs=1e-3)


def test_it_can_be_calibrated_for_one_array(run_verb, model, sounds, monkeypatch):
    arrays = []

    def calibrated(card, model, given, *rest):
        arrays.extend(given)
        return card

    monkeypatch.setattr(calibrate, '_calibrated', calibrated)
    arguments = ('--model', model, '--sounds', sounds, '--scenes', 2)
    run_verb('calibrate', *arguments, '--array', 'matrix_creator')
    run_verb('calibrate', *arguments)
    assert [array.name for array in arrays] == ['matrix_creator', 'random', 'random']


def test_an_array_on_a_line_is_refused_in_a_sentence(model, make_array):
    line = make_array([[0.03 * k, 0, 0] for k in range(4)])
    with pytest.raises(ConfigError, match='no elevations, which networks need.*srp_phat works'):
        Classifier.load(model, line, default_features(line, model))


def test_a_low_rate_is_refused_in_a_sentence(model, square):
    slow = replace(square, sampling_frequency=12000)
    with pytest.raises(ModelError, match='up to 7000 Hz, and those of array .square. end at 6000'):
        Classifier.load(model, slow, default_features(slow, model))


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'architecture': 'reference'}, 'the architecture has to take input map, not taps'),
        ({'azimuth_classes': 36}, 'azimuth_classes has to be 72 and elevation_min_deg -90'),
        ({'elevation_min_deg': 0.0}, 'azimuth_classes has to be 72 and elevation_min_deg -90'),
        ({'dead_microphones': 0.1}, 'dead_microphones has to be 0: an array without some'),
    ],
)
def test_other_settings_are_refused_in_a_sentence(run_verb, made, tmp_path, changes, message):
    path = tmp_path / 'settings.yaml'
    content = {**SETTINGS, 'train': {**SETTINGS['train'], **changes}}
    path.write_text(yaml.safe_dump(content), encoding='utf-8')
    arguments = ('--settings', path, '--data', made / 'data', '--out', tmp_path / 'run')
    with pytest.raises(ConfigError, match=message):
        run_verb('train', *arguments)


def test_maps_are_of_the_features_of_the_model(made, tmp_path):
    path = tmp_path / 'settings.yaml'
    path.write_text(yaml.safe_dump({**SETTINGS, 'features': {}}), encoding='utf-8')
    with pytest.raises(ConfigError, match='features and data_features are the same'):
        load_settings(path)


def test_verbs_for_one_array_say_so(run_verb, made, any_settings, sounds, recordings, tmp_path):
    given = ('--settings', any_settings, '--sounds', sounds, '--out', tmp_path)
    with pytest.raises(ConfigError, match='--audio is for the data of one array'):
        run_verb('simulate', *given, '--audio')
    arguments = ('--run', made / 'run', '--recordings', recordings, '--data', made / 'data')
    with pytest.raises(ConfigError, match='needs settings of one array'):
        run_verb('finetune', *arguments, '--out', tmp_path)
    arguments = ('--settings', any_settings, '--data', made / 'data', '--out', tmp_path)
    with pytest.raises(ConfigError, match='optuna tries networks on taps.* use darts'):
        run_verb('search', '--method', 'optuna', *arguments)


def test_turned_maps_fit_their_labels(any_settings):
    rng = np.random.default_rng(3)
    settings: Settings = load_settings(any_settings)
    inputs = inputs_for(settings, 'map')
    classes = rng.integers(72, size=50)
    maps = np.eye(72, dtype=np.float16)[classes][:, :, None] * np.ones(19, np.float16)
    rows = np.zeros(50)
    azimuth = classes[:, None] * MAP_GRID.azimuth_step
    data = Dataset(maps, rows, rows, rows, azimuth, *[azimuth] * 3, *[rows] * 5)
    varied, labelled = inputs.varied(data, rng)
    expected = wrap_angle(varied[:, :, 0].argmax(axis=1) * MAP_GRID.azimuth_step)
    assert len(np.unique(varied[:, :, 0].argmax(axis=1) - classes)) > 10
    np.testing.assert_allclose(wrap_angle(labelled.azimuth[:, 0] - expected), 0, atol=1e-6)
    plain = replace(settings, train=replace(settings.train, symmetries=False))
    np.testing.assert_array_equal(inputs_for(plain, 'map').varied(data, rng)[0], maps)
