# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Cards: what cannot be built, what format 1 becomes, and how files are written."""

from dataclasses import replace
from pathlib import Path
import shutil

import pytest
import yaml

from doa_ros.core.errors import ModelError
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.hmm_filter import HmmFilter, HmmFilterConfig
from doa_ros.core.localization.model_card import (
    filter_file,
    find_filter_file,
    load_card,
    parse_card,
    save_card,
)
from doa_ros.core.localization.recurrent_filter import RecurrentFilter
from doa_ros.core.localization.source_filter import NoFilter
from doa_ros.resources import find_resource

# The cards of models as they were in format 1, and the same in format 2.
_OLD = sorted(Path(__file__).with_name('format_1_cards').glob('*.yaml'))
_NEW = Path(__file__).with_name('format_2_cards')


@pytest.fixture
def card():
    return load_card(find_resource('models', 'uma8_rooms_int8'))


@pytest.mark.parametrize('old', _OLD, ids=lambda path: path.stem)
def test_a_card_of_format_1_says_the_same(old):
    new = parse_card(yaml.safe_load((_NEW / old.name).read_text()), 'here').to_mapping()
    found = parse_card(yaml.safe_load(old.read_text()), 'here').to_mapping()
    # That part is for people.
    assert found.pop('training').keys() > new.pop('training').keys()
    # This came later.
    for card in (found, new):
        card.get('calibration', {}).pop('sensitivity_power', None)
    assert found == new


def test_the_recurrent_filter_beside_an_old_card_is_found(tmp_path):
    model = tmp_path / 'uma8_several_int8.tflite'
    (old,) = (path for path in _OLD if path.stem == model.stem)
    shutil.copy(old, tmp_path)
    model.write_bytes(b'')
    follower = tmp_path / 'uma8_several_int8_follower.tflite'
    follower.write_bytes(b'one')
    assert find_filter_file(model) == follower
    # A card of today finds it, too, and then prefers the name of today.
    save_card(load_card(model), model)
    assert yaml.safe_load(model.with_suffix('.yaml').read_text())['format'] == 2
    assert find_filter_file(model) == follower
    new = model.with_name('uma8_several_int8_filter.tflite')
    new.write_bytes(b'another')
    assert find_filter_file(model) == filter_file(model) == new


def test_a_recurrent_filter_of_another_model_is_refused(tmp_path, uma8):
    shipped = find_resource('models', 'uma8_several_int8')
    for path in (shipped, shipped.with_suffix('.yaml'), filter_file(shipped)):
        shutil.copy(path, tmp_path)
    model = tmp_path / shipped.name
    features = load_card(model).features
    classifier = Classifier.load(model, uma8, features)
    assert isinstance(classifier.source_filter(), RecurrentFilter)
    filter_file(model).write_bytes(b'another')
    with pytest.raises(ModelError, match='_filter.tflite: its SHA-256 is not'):
        Classifier.load(model, uma8, features)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'memory': 5}, 'calibration: must be a mapping'),
        ({'memory': {'colour': 1.0}}, 'unknown colour'),
        ({'memory': {'offset': -1.0}}, 'offset must be at least'),
        ({'follower': '0' * 64}, 'recurrent_filter'),
        ({'multilabel': 'yes'}, 'multi_source must be true or false'),
        ({'steered_response': 'much'}, 'could not convert'),
    ],
)
def test_what_is_wrong_in_a_card_of_format_1_is_said(changes, message):
    (old,) = (path for path in _OLD if path.stem == 'uma8_rooms_int8')
    with pytest.raises(ModelError, match=f'^here: .*{message}'):
        parse_card(yaml.safe_load(old.read_text()) | changes, 'here')


def test_a_filter_without_calibration_is_that_of_format_1():
    (old,) = (path for path in _OLD if path.stem == 'uma8_rooms_int8')
    content = yaml.safe_load(old.read_text()) | {'memory': {'onset': 2.0}}
    card = parse_card(content, 'here')
    assert card.hmm == HmmFilterConfig(onset=2.0) and card.calibration is None


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'outputs': ('azimuth', 'azimuth')}, 'outputs must name azimuth'),
        ({'input': 'maps'}, "input must be taps or map, not 'maps'"),
        ({'array': None}, 'array any needs input map'),
        ({'srp_weight': -1.0}, 'srp_weight must be at least 0'),
        ({'hmm': None}, 'calibration needs hmm or recurrent_filter'),
        ({'multi_source': True, 'srp_weight': 0.0}, 'hmm needs .* a single source'),
    ],
)
def test_a_card_that_contradicts_itself_cannot_be_built(card, changes, message):
    with pytest.raises(ModelError, match=message):
        replace(card, **changes)


def test_a_classifier_is_built_from_a_card_in_memory(card, uma8):
    path = find_resource('models', 'uma8_rooms_int8')
    other = replace(card, hmm=None, calibration=None)
    filtered, unfiltered = (Classifier(c, path, uma8, card.features) for c in (card, other))
    assert isinstance(filtered.source_filter(), HmmFilter)
    assert isinstance(unfiltered.source_filter(), NoFilter)
    with pytest.raises(ModelError, match='its SHA-256 is not the one in its card'):
        Classifier(replace(card, sha256='0' * 64), path, uma8, card.features)


def test_a_card_is_written_as_a_whole(card, tmp_path, monkeypatch):
    model = tmp_path / 'a.tflite'
    model.touch()
    save_card(card, model)
    before = model.with_suffix('.yaml').read_text()

    def fail(*_):
        raise OSError('no space left')

    monkeypatch.setattr(Path, 'write_bytes', fail)
    with pytest.raises(OSError, match='no space left'):
        save_card(replace(card, calibration=Calibration()), model)
    assert model.with_suffix('.yaml').read_text() == before
