# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A new output head, from training to estimates: it needs two classes in two registries."""

from dataclasses import replace
import shutil

import numpy as np
import pytest
import yaml

from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.hmm_filter import HmmFilterConfig
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.model_card import load_card, save_card
from doa_ros.core.localization.output_heads import OUTPUT_HEADS, SourceAttribute
from doa_ros.core.localization.spectrum import MultiSourceSpectrum
from training.models.heads import TRAINED_HEADS, TrainedHead
from training.sections import TrainConfig

OUTPUTS = ('azimuth', 'elevation', 'activity', 'distance')


class Distance(SourceAttribute):
    """The distance of the source [m]; of several sources, at each azimuth class."""

    name = 'distance'

    def shape(self, grid, *, multi_source):
        return (grid.azimuth_count,) if multi_source else (1,)

    def decode(self, values, azimuth):
        return float(values[round(azimuth / (2 * np.pi / len(values))) % len(values)])


class TrainedDistance(TrainedHead):
    """The mean squared error of the distance where it is known."""

    name = 'distance'
    weight = 0.1

    def activation(self, config):
        return 'softplus'

    def loss(self, config):
        return 'mean_squared_error'

    def targets(self, sources):
        distance = np.where(sources.data.voiced, sources.data.distance, np.nan)
        known = np.isfinite(distance).any(axis=1)
        nearest = np.fmin.reduce(distance, axis=1, where=known[:, None], initial=np.inf)
        targets = np.where(known, nearest, 0)[:, None]
        return targets.astype(np.float32), known.astype(np.float32)

    def errors(self, values, data):
        return {'distance_mae': np.abs(values[:, 0] - np.nanmin(data.distance, axis=1))}


@pytest.fixture(scope='module')
def registered():
    """Have the new head in both registries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OUTPUT_HEADS, 'distance', Distance())
        patch.setitem(TRAINED_HEADS, 'distance', TrainedDistance())
        yield


@pytest.fixture(scope='module')
def model(registered, run_verb, data, settings_path, tmp_path_factory):
    """Return a tiny model with the new head, made by the verbs."""
    settings = yaml.safe_load(settings_path.read_text(encoding='utf-8'))
    settings['train'] |= {'outputs': list(OUTPUTS), 'epochs': 1}
    folder = tmp_path_factory.mktemp('new_head')
    path = folder / 'settings.yaml'
    path.write_text(yaml.safe_dump(settings), encoding='utf-8')
    run_verb('train', '--settings', path, '--data', data, '--out', folder / 'run')
    arguments = ('--run', folder / 'run', '--data', data, '--kind', 'float32')
    run_verb('quantize', *arguments, '--name', 'far', '--out', folder / 'models')
    return folder / 'models' / 'far_float32.tflite'


def test_the_card_names_it_and_its_error(model):
    card = load_card(model)
    assert set(card.outputs) == set(OUTPUTS)
    assert card.shapes['distance'] == (1,)
    assert 0 < card.training['validation']['distance_mae'] < 10


def test_spectra_and_estimates_have_it(model, uma8, extract, plane_wave):
    features = load_card(model).features
    window = replace(extract(uma8, plane_wave(uma8, 0.7, 0.4), features)[-1], activity=1.0)
    spectrum = Classifier.load(model, uma8, features).spectrum(window.features)
    (expected,) = spectrum.attributes['distance'].tolist()
    assert expected > 0
    localizer = Localizer(uma8, features, LocalizerConfig(sensitivity=1.0), model)
    found = localizer.locate(window)
    assert found.estimates[0].attributes == {'distance': expected}
    assert found.detections[0].attributes == {'distance': expected}


def test_a_filter_passes_it_on(model, uma8, extract, plane_wave, tmp_path):
    card = load_card(model)
    filtered = shutil.copy(model, tmp_path / model.name)
    save_card(replace(card, hmm=HmmFilterConfig()), filtered)
    localizer = Localizer(uma8, card.features, LocalizerConfig(sensitivity=1.0), filtered)
    windows = extract(uma8, plane_wave(uma8, 0.7, 0.4), card.features)
    estimates = [localizer.locate(window).estimates[0] for window in windows]
    assert all(estimate.attributes['distance'] > 0 for estimate in estimates)


@pytest.mark.usefixtures('registered')
def test_of_several_sources_each_has_its_own():
    azimuth, distance = np.zeros(72), np.full(72, np.nan)
    azimuth[[10, 40]], distance[[10, 40]] = (0.9, 0.8), (1.5, 3.0)
    outputs = {'azimuth': azimuth, 'distance': distance}
    spectrum = MultiSourceSpectrum.from_outputs(outputs)
    found = [spectrum.estimate(peak).attributes['distance'] for peak in spectrum.peaks()[:2]]
    assert found == [1.5, 3.0]


def test_without_the_registries_it_is_refused(model, monkeypatch):
    monkeypatch.delitem(OUTPUT_HEADS, 'distance')
    with pytest.raises(ModelError, match='outputs must name azimuth, and may name elevation'):
        load_card(model)
    with pytest.raises(ConfigError, match='outputs must name azimuth and elevation'):
        TrainConfig(outputs=OUTPUTS)
