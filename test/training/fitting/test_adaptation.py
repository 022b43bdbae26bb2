# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from training.data.dataset import Shards
from training.data.recordings import load_recordings
from training.fitting import adaptation
from training.fitting.adaptation import finetune, measure, read_recordings
from training.models.architectures import inputs_of
from training.runs import load_run


@pytest.fixture(scope='module')
def features(trained, recordings, uma8):
    _, settings = load_run(trained)
    return read_recordings(load_recordings(recordings, uma8, settings.features), uma8, settings)


@pytest.fixture
def adapt(trained, data, features, tmp_path):
    """Return the network before, the one after, and the result."""

    def run(**changes):
        model, settings = load_run(trained)
        config = replace(settings.finetune, **{'epochs': 2, 'steps': 15, **changes})
        settings = replace(settings, finetune=config)
        result = finetune(model, settings, features, data, tmp_path)
        return load_run(trained)[0], load_run(tmp_path)[0], result

    return run


def test_the_whole_network_learns_the_board(adapt):
    before, after, result = adapt(mode='full', max_loss=1.0, learning_rate=3e-3)
    assert result.step > 0
    assert result.real_after.azimuth_mae_deg < result.real_before.azimuth_mae_deg
    assert not any(map(np.array_equal, _weights(before), _weights(after)))


def test_a_frozen_body_does_not_change_and_can_learn_later(adapt):
    before, after, result = adapt(mode='head', max_loss=1.0, learning_rate=3e-3)
    assert result.step > 0
    for old, new in zip(before.layers, after.layers, strict=True):
        same = all(map(np.array_equal, old.get_weights(), new.get_weights()))
        assert same == (not old.weights or old.name not in ('azimuth', 'elevation', 'activity'))
        assert old.trainable == new.trainable


@pytest.mark.parametrize(
    ('mode', 'max_loss'), [pytest.param('head', 0.0, marks=pytest.mark.nightly), ('full', 0.05)]
)
def test_the_bound_holds_whatever_is_learnt(adapt, data, trained, mode, max_loss):
    # Steps that wreck the network, and next to no simulated examples.
    _, after, result = adapt(mode=mode, max_loss=max_loss, learning_rate=0.3, replay=0.05)
    settings = load_run(trained)[1]
    val = Shards(data, 'val', settings)
    assert measure(after, val, settings.train, inputs_of(settings)) == result.simulated_after
    assert result.simulated_after.within_10 >= result.simulated_before.within_10 - max_loss


def test_the_old_network_stays_where_nothing_is_better(adapt, monkeypatch):
    # A network that has learnt little may gain from a part of any way.
    monkeypatch.setattr(adaptation, '_STEPS', (1.0, 0.0))
    before, after, result = adapt(mode='full', max_loss=0.0, learning_rate=1.0, replay=0.05)
    assert result.step == 0 and 'old network stays' in result.summary()
    assert all(map(np.array_equal, _weights(before), _weights(after)))
    assert result.real_after == result.real_before


def _weights(model):
    return model.get_weights()


def test_an_interrupted_one_goes_on(adapt, tmp_path, interrupted):
    with interrupted():
        adapt(mode='full', max_loss=1.0, learning_rate=3e-3, epochs=3)
    assert not (tmp_path / 'model.keras').exists()
    _, _, result = adapt(mode='full', max_loss=1.0, learning_rate=3e-3, epochs=3)
    lines = (tmp_path / 'history.csv').read_text(encoding='utf-8').splitlines()
    # The epoch in which it was interrupted is done again.
    assert [line.split(',')[0] for line in lines] == ['epoch', '0', '1', '1', '2']
    assert result.step > 0
    assert not (tmp_path / 'best.keras').exists()


def test_what_is_held_out_is_of_other_rooms(features):
    learnt, held_out = features.split(0.25, seed=1)
    # Five clips each.
    rooms = [{number // 5 for number in data.clip} for data in (learnt, held_out)]
    assert not rooms[0] & rooms[1]
    assert len(rooms[0]) == 2 and len(rooms[1]) == 1
    assert learnt.single.any() and held_out.single.any()


@pytest.mark.parametrize('count', [1, 2])
def test_few_recordings_are_split_too(recordings, trained, uma8, count):
    _, settings = load_run(trained)
    clips = list(load_recordings(recordings, uma8, settings.features))[:count]
    one_room = [replace(clip, room='only') for clip in clips]
    learnt, held_out = read_recordings(one_room, uma8, settings).split(0.25, seed=1)
    assert learnt.single.any() and held_out.single.any()
    assert len(np.intersect1d(learnt.clip, held_out.clip)) == (count == 1)


def test_recordings_in_which_nothing_is_heard_are_refused(trained, recordings, uma8):
    _, settings = load_run(trained)
    clips = [replace(c, sources=()) for c in load_recordings(recordings, uma8, settings.features)]
    with pytest.raises(ConfigError, match='no sound stands out'):
        read_recordings(clips, uma8, settings)
    with pytest.raises(ConfigError, match='no sound stands out'):
        read_recordings([], uma8, settings)
