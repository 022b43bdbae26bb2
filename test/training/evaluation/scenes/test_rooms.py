# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The clips that methods are compared on."""

from dataclasses import replace

import numpy as np
import pytest

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.geometry import wrap_angle
from training.evaluation.scenes.conditions import DIFFICULTIES, rooms_of
from training.evaluation.scenes.heard import (
    CONVERSATION,
    CONVERSATION_BESIDE_NOISES,
    FAN,
    NOISES,
    SHORT_SOUNDS,
    SPEECH_BESIDE_NOISES,
)
from training.evaluation.scenes.rooms import demo_corpus, room_clips, with_dead_microphones

RATE = 16000


@pytest.fixture(scope='module')
def corpus():
    return demo_corpus(RATE)


@pytest.fixture(scope='module')
def clips(uma8, corpus):
    array = replace(uma8, sampling_frequency=RATE)
    return {split: list(room_clips(array, corpus, split, 2, 'fast')) for split in ('val', 'test')}


def test_rooms_are_as_difficult_as_they_say(clips):
    for name, clip in clips['test']:
        (difficulty,) = (d for d in DIFFICULTIES if d.name == name)
        assert (clip.rt60, clip.snr) == (difficulty.rt60, difficulty.snr)
        assert 20 * np.log10(np.abs(clip.audio).max()) == pytest.approx(-30, abs=0.1)
        (source,) = clip.sources
        assert 0.8 <= source.distance <= 3.5
        assert 0 <= source.elevation[0] <= np.radians(60)


def test_speech_comes_amid_noise_alone(clips):
    for _, clip in clips['test']:
        (source,) = clip.sources
        assert len(clip.silent) == 160
        heard = np.flatnonzero(source.voiced)
        assert 30 <= heard[0] and heard[-1] < 135 and len(heard) > 30
        assert clip.silent[:30].all() and not (clip.silent & source.voiced).any()


def test_short_sounds_are_short(uma8, corpus):
    array = replace(uma8, sampling_frequency=RATE)
    for _, clip in room_clips(array, corpus, 'test', 1, 'fast', heard=SHORT_SOUNDS):
        (source,) = clip.sources
        assert source.kind == 'impulse'
        heard = np.flatnonzero(source.voiced)
        lengths = [len(part) for part in np.split(heard, np.flatnonzero(np.diff(heard) > 1) + 1)]
        # Expected for 0.2 s after each short sound.
        assert len(lengths) >= 2 and max(lengths) <= 7


def test_a_fan_is_heard_all_the_time(uma8, corpus):
    array = replace(uma8, sampling_frequency=RATE)
    for _, clip in room_clips(array, corpus, 'test', 1, 'fast', heard=FAN):
        assert clip.sources == () and clip.silent.all() and clip.ego_noise


def test_two_talkers_speak_and_pause_apart_from_each_other(uma8, corpus):
    array = replace(uma8, sampling_frequency=RATE)
    voiced = []
    for _, clip in room_clips(array, corpus, 'test', 3, 'fast', heard=CONVERSATION):
        first, second = clip.sources
        apart = np.degrees(np.abs(wrap_angle(first.azimuth - second.azimuth)))
        assert (apart >= 40).all()
        assert not any((source.silent & source.voiced).any() for source in clip.sources)
        np.testing.assert_array_equal(clip.silent, first.silent & second.silent)
        voiced.append((first.voiced, second.voiced))
    count = np.array(voiced).sum(axis=1)
    # Alone, together and not at all.
    assert all(np.mean(count == number) > 0.05 for number in (0, 1, 2))


def loudness(clip, blocks):
    """Return the level of some blocks [dB]."""
    windows = clip.audio.reshape(len(clip.silent), -1)[blocks]
    return 10 * np.log10(np.mean(windows**2))


@pytest.mark.parametrize('heard', [SPEECH_BESIDE_NOISES, CONVERSATION_BESIDE_NOISES])
def test_talkers_are_heard_beside_loud_noises(uma8, corpus, clips, heard):
    array = replace(uma8, sampling_frequency=RATE)
    levels = []
    for _, clip in room_clips(array, corpus, 'val', 2, 'fast', heard=heard):
        assert [source.kind for source in clip.sources] == ['speech'] * len(clip.sources)
        assert clip.audio.shape == clips['val'][0][1].audio.shape
        voiced = np.any([source.voiced for source in clip.sources], axis=0)
        assert voiced.sum() > 30 and clip.silent[:30].all()
        levels.append(loudness(clip, clip.silent) - loudness(clip, voiced))
    quiet = [loudness(c, c.silent) - loudness(c, c.sources[0].voiced) for _, c in clips['val']]
    assert np.mean(levels) > np.mean(quiet) + 3
    places = {clip.sources[0].distance for _, clip in clips['val']}
    assert not places & {source.distance for source in clip.sources}


def test_speech_beside_loud_noises_is_labelled_in_its_band(uma8):
    array = replace(uma8, sampling_frequency=RATE)
    config = rooms_of(DIFFICULTIES[0], array, 'fast')
    for seed in range(10):
        scene = SPEECH_BESIDE_NOISES.draw(np.random.default_rng(seed), config, ambiguity_of(array))
        assert scene.label_band == (300, 6000)
        assert 1 <= len(scene.noises) <= 3


def test_nothing_may_be_answered_to_loud_noises_alone(uma8, corpus):
    array = replace(uma8, sampling_frequency=RATE)
    for _, clip in room_clips(array, corpus, 'val', 1, 'fast', heard=NOISES):
        assert clip.sources == () and clip.silent.all() and not clip.ego_noise


def test_no_room_is_in_two_splits(clips):
    places = {
        split: {(c.sources[0].azimuth[0], c.sources[0].distance) for _, c in found}
        for split, found in clips.items()
    }
    assert len(places['val']) == len(places['test']) == 6
    assert not places['val'] & places['test']


def test_the_clips_are_the_same_every_time(uma8, corpus, clips):
    array = replace(uma8, sampling_frequency=RATE)
    _, again = next(room_clips(array, corpus, 'test', 1, 'fast'))
    np.testing.assert_array_equal(again.audio, clips['test'][0][1].audio)


def test_dead_microphones_are_silent_and_others_in_each_room(clips):
    def dead(count):
        found = with_dead_microphones(clips['test'], count)
        return [np.flatnonzero(~clip.audio.any(axis=0)) for _, clip in found]

    one, two = dead(1), dead(2)
    assert [len(d) for d in one] == [1] * 6 and [len(d) for d in two] == [2] * 6
    assert all(set(few) < set(many) for few, many in zip(one, two, strict=True))
    assert len({tuple(d) for d in one}) > 2
    assert not any(len(d) for d in dead(0))
    for (_, whole), (_, part) in zip(
        clips['test'], with_dead_microphones(clips['test'], 2), strict=True
    ):
        alive = part.audio.any(axis=0)
        np.testing.assert_array_equal(part.audio[:, alive], whole.audio[:, alive])
