# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import yaml

from doa_ros.core.errors import ConfigError
from training.examples.dataset import Shards
from training.examples.recordings import load_recordings
from training.finetune import finetune, measure, read_recordings
from training.runs import load_run
from training.settings import load_settings

# The board sits turned: what training called 0 is heard here at 25 degrees.
TURN_DEG = 25.0
ROOMS, DIRECTIONS = 3, 5


@pytest.fixture(scope='module')
def recordings(tmp_path_factory, plane_wave, uma8):
    folder = tmp_path_factory.mktemp('recordings')
    rate = uma8.sampling_frequency
    rng = np.random.default_rng(4)
    rows = []
    for number in range(ROOMS * DIRECTIONS):
        azimuth_deg = number % DIRECTIONS * 360 / DIRECTIONS - 180
        audio = 1e-4 * rng.standard_normal((2 * rate, len(uma8.positions)))
        audio[rate:] += plane_wave(uma8, np.radians(azimuth_deg), duration=1.0, seed=number)
        room = folder / f'room{number // DIRECTIONS}'
        room.mkdir(exist_ok=True)
        soundfile.write(room / f'{number}.flac', audio, rate)
        row = {'file': f'{room.name}/{number}.flac', 'azimuth_deg': azimuth_deg + TURN_DEG}
        rows.append({**row, 'start': 1, 'end': 2})
    (folder / 'labels.yaml').write_text(yaml.safe_dump({'labels': rows}), encoding='utf-8')
    return folder


@pytest.fixture(scope='module')
def features(trained, recordings, uma8):
    _, settings = load_run(trained)
    return read_recordings(load_recordings(recordings, uma8, settings.features), uma8, settings)


@pytest.fixture
def adapt(trained, data, features, tmp_path):
    """Return the network before, the one after, and the result."""

    def run(**changes):
        model, settings = load_run(trained)
        config = replace(settings.finetune, epochs=2, steps=15, **changes)
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
        assert same == (not old.weights or old.name not in ('azimuth', 'elevation'))
        assert old.trainable == new.trainable


@pytest.mark.parametrize(('mode', 'max_loss'), [('head', 0.0), ('full', 0.05)])
def test_the_bound_holds_whatever_is_learnt(adapt, data, trained, mode, max_loss):
    # Steps that wreck the network, and next to no simulated examples.
    _, after, result = adapt(mode=mode, max_loss=max_loss, learning_rate=0.3, replay=0.05)
    val = Shards(data, 'val', load_run(trained)[1])
    assert measure(after, val) == result.simulated_after
    assert result.simulated_after.within_10 >= result.simulated_before.within_10 - max_loss


def test_the_old_network_stays_where_nothing_is_better(adapt):
    before, after, result = adapt(mode='full', max_loss=0.0, learning_rate=1.0, replay=0.05)
    assert result.step == 0 and 'old network stays' in result.summary()
    assert all(map(np.array_equal, _weights(before), _weights(after)))
    assert result.real_after == result.real_before


def _weights(model):
    return model.get_weights()


def test_what_is_held_out_is_of_other_rooms(features):
    learnt, held_out = features.split(0.25, seed=1)
    rooms = [{number // DIRECTIONS for number in data.clip} for data in (learnt, held_out)]
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


def test_the_verb_leaves_a_run(run_verb, trained, recordings, data, tmp_path, capsys):
    settings = tmp_path / 'gentle.yaml'
    content = {'array': 'uma8', 'finetune': {'epochs': 1, 'steps': 2, 'mode': 'head'}}
    settings.write_text(yaml.safe_dump(content), encoding='utf-8')
    out = tmp_path / 'out'
    run_verb('finetune', '--run', trained, '--recordings', recordings, '--data', data,
             '--out', out, '--settings', settings)  # fmt: skip
    assert load_settings(out / 'settings.yaml').finetune.steps == 2
    assert load_settings(out / 'settings.yaml').train.epochs == 3
    assert (out / 'curves.png').stat().st_size > 5000 and (out / 'history.csv').is_file()
    text = capsys.readouterr().out
    assert 'recordings held out, after' in text and 'simulated val split, before' in text
    assert load_run(out)[0].count_params() == load_run(trained)[0].count_params()


def test_recordings_in_which_nothing_is_heard_are_refused(trained, recordings, uma8):
    _, settings = load_run(trained)
    clips = [replace(c, sources=()) for c in load_recordings(recordings, uma8, settings.features)]
    with pytest.raises(ConfigError, match='no sound stands out'):
        read_recordings(clips, uma8, settings)
    with pytest.raises(ConfigError, match='no sound stands out'):
        read_recordings([], uma8, settings)
