# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A new type of features is a class: here a map over direction, as large for every array."""

from dataclasses import replace
from functools import cached_property

import numpy as np
import pytest
import yaml

from doa_ros.core import features
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.feature_type import FeatureType
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.geometry import unit_vector, wrap_angle
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.model_card import load_card
from doa_ros.core.localization.tflite import TFLiteModel
from doa_ros.core.symmetry import symmetries
from training.data.inputs import ArrayInputs
from training.sections import TrainConfig
from training.settings import load_settings

CONFIG = FeatureConfig(averaging_time=0.3)


class DirectionMap(FeatureType):
    """The steered response of GCC-PHAT: channels are elevations, columns are azimuths."""

    name = 'direction_map'
    grid = DirectionGrid(azimuth_count=24, elevation_count=4)

    def __init__(self, array, config):
        super().__init__(array, config)
        self._gcc_phat = GccPhat(array, config)
        directions = unit_vector(self.grid.azimuths, self.grid.elevations[:, None])
        self._directions = directions.reshape(-1, 3)

    @cached_property
    def _matrix(self):
        return self._gcc_phat.steering_matrix(self._directions)

    @property
    def shape(self):
        return self.grid.elevation_count, self.grid.azimuth_count

    def cross_spectra(self, spectra, weight):
        return self._gcc_phat.cross_spectra(spectra, weight)

    def features(self, cross_spectra, weight):
        gcc = self._gcc_phat.features(cross_spectra, weight)
        return (self._matrix @ gcc.ravel()).reshape(self.shape)

    def steering_matrix(self, directions):
        nearest = (directions @ self._directions.T).argmax(axis=1)
        return np.eye(len(self._directions), dtype=np.float32)[nearest]

    def turned_index(self, symmetry):
        azimuths = self.grid.azimuths
        columns = np.empty(len(azimuths), dtype=int)
        turned = np.rint(symmetry.azimuth(azimuths) / self.grid.azimuth_step).astype(int)
        columns[turned % len(azimuths)] = np.arange(len(azimuths))
        return np.arange(len(self._directions)).reshape(self.shape)[:, columns].ravel()

    def dead_values(self, microphones):
        # Every direction is still heard by the other pairs.
        return np.zeros((len(microphones), 1, 1), dtype=bool)


@pytest.fixture(scope='module')
def chosen():
    """Let all features be of the new type."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, 'FEATURE_TYPE', DirectionMap)
        yield


@pytest.fixture(scope='module')
def made(chosen, run_verb, sounds, tmp_path_factory):
    """Return a folder of data and of a tiny int8 model, made by the verbs."""
    folder = tmp_path_factory.mktemp('new_feature_type')
    settings = {
        'array': 'uma8',
        'features': CONFIG.to_mapping(),
        'data_features': CONFIG.to_mapping(),
        'simulate': {
            'train_clips': 8,
            'val_clips': 3,
            'length': 2.5,
            'lead': 1.0,
            'rt60_max': 0.2,
        },
        'train': {'epochs': 1, 'batch': 32, 'dead_microphones': 0.3},
    }
    path, data, run = folder / 'settings.yaml', folder / 'data', folder / 'run'
    path.write_text(yaml.safe_dump(settings), encoding='utf-8')
    run_verb('simulate', '--settings', path, '--sounds', sounds, '--out', data, '--jobs', 1)
    run_verb('train', '--settings', path, '--data', data, '--out', run)
    arguments = ('--run', run, '--data', data, '--kind', 'int8')
    run_verb('quantize', *arguments, '--name', 'map', '--out', folder / 'models')
    return folder


@pytest.fixture
def model(made):
    """Return the .tflite file."""
    return made / 'models' / 'map_int8.tflite'


@pytest.fixture
def window(chosen, uma8, extract, plane_wave):
    """Return the last window of a sound from 0.7 rad."""
    return replace(extract(uma8, plane_wave(uma8, 0.7, 0.4), CONFIG)[-1], activity=1.0)


def test_data_and_network_have_its_shape(made, model):
    with np.load(made / 'data' / 'train' / '00000.npz') as shard:
        assert shard['features'].shape[1:] == (4, 24)
        assert shard['features'].std() > 0.01
    assert TFLiteModel(model).input_shape == (24, 4)


def test_the_network_runs_on_it(model, uma8, window):
    spectrum = Classifier.load(model, uma8, CONFIG).spectrum(window.features)
    assert spectrum.azimuth.sum() == pytest.approx(1, abs=0.1)
    localizer = Localizer(uma8, CONFIG, LocalizerConfig(sensitivity=1.0), model)
    assert len(localizer.locate(window).estimates) == 1


def test_srp_phat_runs_on_it(uma8, window):
    config = LocalizerConfig(method='srp_phat', sensitivity=1.0)
    estimate = Localizer(uma8, CONFIG, config).locate(window).estimates[0]
    assert abs(wrap_angle(estimate.azimuth - 0.7)) <= DirectionMap.grid.azimuth_step


@pytest.mark.usefixtures('chosen')
def test_the_residual_is_of_it_too(uma8, extract, plane_wave):
    config = replace(CONFIG, residual=True)
    residual = extract(uma8, plane_wave(uma8, 0.7, 0.4), config)[-1].residual
    assert residual.features.shape == (4, 24)
    assert abs(wrap_angle(residual.azimuth - 0.7)) <= DirectionMap.grid.azimuth_step


@pytest.mark.usefixtures('chosen')
def test_examples_are_turned(uma8, window, extract, plane_wave):
    feature_type = DirectionMap(uma8, CONFIG)
    for symmetry in symmetries(uma8):
        turned = window.features.ravel()[feature_type.turned_index(symmetry)]
        sound = plane_wave(uma8, symmetry.azimuth(0.7), 0.4)
        expected = extract(uma8, sound, CONFIG)[-1].features
        np.testing.assert_allclose(turned.reshape(expected.shape), expected, atol=0.05)


@pytest.mark.usefixtures('chosen')
@pytest.mark.parametrize(('kind', 'shape'), [('taps', (24, 4)), ('map', (36, 10))])
def test_one_network_takes_it_of_every_flat_array(uma8, square, kind, shape):
    for array in (uma8, square):
        assert ArrayInputs(array, CONFIG, TrainConfig(), kind).shape == shape


@pytest.mark.usefixtures('chosen')
def test_data_of_other_settings_is_refused(made, tmp_path):
    content = yaml.safe_load((made / 'settings.yaml').read_text(encoding='utf-8'))
    content['data_features']['lag_rate'] = 48000.0
    path = tmp_path / 'settings.yaml'
    path.write_text(yaml.safe_dump(content), encoding='utf-8')
    with pytest.raises(ConfigError, match='direction_map has to be stored with the settings'):
        load_settings(path)


def test_a_model_of_another_type_is_refused(model, uma8, monkeypatch):
    monkeypatch.setattr(features, 'FEATURE_TYPE', GccPhat)
    with pytest.raises(ModelError, match=r'input of shape \(24, 4\), but its card promises'):
        Classifier.load(model, uma8, load_card(model).features)
