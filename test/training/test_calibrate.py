# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
import shutil

import numpy as np
import pytest

from doa_ros.core.array_size import SIZE_STDDEV
from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.hmm_filter import HmmFilterConfig
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.model_card import load_card, save_card
from doa_ros.resources import find_resource
from training import calibrate
from training.evaluation.scenes.heard import (
    CONVERSATION,
    CONVERSATION_BESIDE_NOISES,
    FAN,
    NOISES,
    SHORT_SOUNDS,
    SPEECH,
    SPEECH_BESIDE_NOISES,
)
from training.fitting import hmm


@pytest.fixture
def model(models, tmp_path):
    """Return a copy of the tiny model."""
    for suffix in ('.tflite', '.yaml'):
        shutil.copy(models / f'tiny_int8{suffix}', tmp_path / f'tiny{suffix}')
    return tmp_path / 'tiny.tflite'


def test_the_card_gets_a_filter_that_the_runtime_uses(
    run_verb, model, sounds, uma8, extract, plane_wave, monkeypatch
):
    monkeypatch.setattr(hmm, '_EVALUATIONS', 12)
    before = load_card(model)
    assert before.hmm is None and before.calibration is None
    run_verb('calibrate', '--model', model, '--sounds', sounds, '--scenes', 1)
    card = load_card(model)
    assert card.hmm is not None and card.calibration is not None
    assert card.srp_weight == 40
    assert card.sha256 == before.sha256 and card.training == before.training
    localizer = Localizer(uma8, card.features, LocalizerConfig(), model)
    window = extract(uma8, plane_wave(uma8, 0.5), card.features)[-1]
    first, second = (localizer.locate(window).spectrum.azimuth for _ in range(2))
    assert not np.allclose(first, second)
    localizer.reset()
    np.testing.assert_array_equal(localizer.locate(window).spectrum.azimuth, first)


@pytest.mark.parametrize('whitening', [False, True])
@pytest.mark.parametrize('multi_source', [False, True])
def test_only_whitened_features_hear_loud_noises(uma8, monkeypatch, whitening, multi_source):
    rooms = []

    def rooms_of(array, corpus, split, count, engine, heard, which, size):
        assert (split, size) == ('val', SIZE_STDDEV)
        rooms.append((len(range(count)[which]), heard))
        return iter(())

    monkeypatch.setattr(calibrate, 'room_clips', rooms_of)
    name = 'uma8_several_int8' if multi_source else 'uma8_rooms_int8'
    card = load_card(find_resource('models', name))
    card = replace(card, features=replace(card.features, whitening=whitening))
    for clips in (calibrate._talkers, calibrate._others):
        list(clips(card, uma8, None, 12, slice(None)))
    talkers = {SPEECH: 24, **({CONVERSATION: 24} if multi_source else {})}
    noisy = {SPEECH_BESIDE_NOISES: 12, NOISES: 2}
    if multi_source:
        noisy[CONVERSATION_BESIDE_NOISES] = 12
    total = {heard: sum(count for count, what in rooms if what == heard) for _, heard in rooms}
    assert total == {**talkers, SHORT_SOUNDS: 4, FAN: 1, **(noisy if whitening else {})}


def test_deviations_alone_keep_all_else(run_verb, model, sounds):
    arguments = ['--model', model, '--sounds', sounds, '--scenes', 1, '--deviations']
    with pytest.raises(ConfigError, match='has no calibration yet'):
        run_verb('calibrate', *arguments)
    before = replace(load_card(model), hmm=HmmFilterConfig(), calibration=Calibration())
    save_card(before, model)
    run_verb('calibrate', *arguments)
    card = load_card(model)
    changed = {
        name for name, value in card.calibration.to_mapping().items()
        if value != getattr(Calibration(), name)
    }  # fmt: skip
    assert {'azimuth_spread', 'elevation_spread'} <= changed
    assert all(name.endswith(('spread', 'power', 'fading')) for name in changed)
    kept = replace(card, calibration=before.calibration)
    assert kept.to_mapping() == before.to_mapping()


def test_a_model_without_activity_is_refused(run_verb, sounds):
    path = find_resource('models', 'uma8_reference_int8')
    with pytest.raises(ConfigError, match='train one with outputs'):
        run_verb('calibrate', '--model', path, '--sounds', sounds)


@pytest.mark.parametrize('what', ['array', 'interrupted'])
def test_a_model_that_cannot_be_calibrated_stays_as_it_was(
    run_verb, model, sounds, monkeypatch, what
):
    before = model.with_suffix('.yaml').read_text()
    arguments = ['--model', model, '--sounds', sounds, '--scenes', 1]
    if what == 'array':
        with pytest.raises(ModelError, match='does not fit'):
            run_verb('calibrate', *arguments, '--array', 'respeaker_usb_4mic')
    else:

        def interrupt(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr(calibrate, 'label_outputs', interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_verb('calibrate', *arguments)
    assert model.with_suffix('.yaml').read_text() == before


def test_no_scenes_are_refused(run_verb, model, sounds):
    with pytest.raises(ConfigError, match='--scenes must be at least 1'):
        run_verb('calibrate', '--model', model, '--sounds', sounds, '--scenes', 0)
