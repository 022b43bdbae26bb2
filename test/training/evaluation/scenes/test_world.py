# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The scenes of `evaluate --bench world`."""

from dataclasses import replace
import math

import numpy as np
import pytest

from doa_ros.core.geometry import wrap_angle
from doa_ros.simulation.labels import active_blocks
from training.evaluation.metrics.world import METRICS
from training.evaluation.scenes.blocks import FIRST_BLOCK
from training.evaluation.scenes.rooms import demo_corpus
from training.evaluation.scenes.world import FAMILIES
from training.evaluation.scenes.world import clips as drawing
from training.evaluation.scenes.world.clips import situation_clips
from training.evaluation.scenes.world.sounds import (
    babble,
    beginning,
    chords,
    claps,
    door_slam,
    hum,
    machine,
    pink_noise,
    rain,
    room_fan,
    rumble,
    uneven_words,
    vacuum_cleaner,
)
from training.sections import SimulateConfig
from training.simulation.scenes import draw_scene
from training.simulation.simulator import Simulator

RATE = 16000
SITUATIONS = {s.name: s for family in FAMILIES for s in family.situations}
NOISES = (vacuum_cleaner, room_fan, pink_noise, machine)


@pytest.fixture(scope='module')
def corpus():
    return demo_corpus(RATE)


@pytest.fixture
def clips(uma8, corpus):
    array = replace(uma8, sampling_frequency=RATE)

    def draw(name, count=1, split='val', **changes):
        situation = replace(SITUATIONS[name], **changes)
        drawn = situation_clips(array, situation, corpus, split, count, 'fast')
        return [clip for _, clip in drawn]

    return draw


@pytest.fixture
def scenes(monkeypatch, clips):
    """Draw scenes without the sound of them."""

    def draw(name, count):
        seen = []
        monkeypatch.setattr(Simulator, 'clip', lambda self, rng, scene, room: seen.append(scene))
        monkeypatch.setattr(drawing, '_clipped', lambda clip, clipped_db: clip)
        clips(name, count)
        return seen

    return draw


def test_names_stand_once_and_goals_are_of_metrics_in_the_tables():
    assert len(SITUATIONS) == sum(len(family.situations) for family in FAMILIES)
    known = {metric.name for metric in METRICS}
    for family in FAMILIES:
        assert set(family.metrics) <= known
        for situation in family.situations:
            assert set(situation.goals) <= set(family.metrics), situation.name


@pytest.mark.parametrize('name', SITUATIONS)
def test_talkers_and_noises_are_where_they_should_be(scenes, name):
    situation = SITUATIONS[name]
    for scene in scenes(name, 3):
        azimuths = [place.azimuth for place in (*scene.sources, *scene.noises)]
        doors = situation.slam is not None
        assert len(azimuths) == situation.directions + doors
        talkers, others = azimuths[: situation.talkers], azimuths[situation.talkers :]
        for one, other in zip(talkers, talkers[1:], strict=False):
            apart = math.degrees(abs(wrap_angle(one - other)))
            assert situation.apart_deg[0] - 1e-6 <= apart <= situation.apart_deg[1] + 1e-6
        for number, azimuth in enumerate(others, len(talkers)):
            rest = azimuths[:number] + azimuths[number + 1 :]
            assert all(abs(wrap_angle(azimuth - r)) >= math.radians(40) for r in rest)
        for place in (*scene.sources, *scene.noises):
            assert scene.room.contains(scene.position(place))
            assert np.degrees(place.elevation) <= situation.elevation_deg[1]


def test_arrays_are_beside_walls_and_on_tables_where_a_situation_says_so(scenes):
    for name, count in (('beside one of uneven walls', 1), ('in a corner of uneven walls', 2)):
        for scene in scenes(name, 5):
            gaps = np.minimum(scene.centre, scene.room.size - scene.centre)[:2]
            assert np.sum(gaps <= 0.4) == count and len(set(scene.room.walls)) > 1
    (scene,) = scenes('on a table, among furniture', 1)
    table, *others = scene.reflectors
    assert 0 < scene.centre[2] - table.centre[2] < 0.1 and others
    (usual,) = scenes('uneven walls', 1)
    assert usual.room.walls and not usual.reflectors


def test_noise_is_as_loud_as_it_says(clips):
    (clip,) = clips('one noise at -10 dB', rt60=0.0, snr=(90.0, 90.0))
    block = RATE // 20
    before = np.mean(np.square(clip.audio[: round(1.4 * RATE)], dtype=float))
    active = clip.sources[0].voiced
    power = np.mean(np.square(clip.audio, dtype=float).reshape(-1, block * clip.audio.shape[1]), 1)
    ratio = 10 * np.log10(power[: len(active)][active].mean() / before)
    assert ratio == pytest.approx(10 * np.log10(1 + 10), abs=1.5)


def test_two_noises_are_together_as_loud_as_one(scenes):
    (scene,) = scenes('two noises at 0 dB', 1)
    assert [place.level_db for place in scene.noises] == pytest.approx([-3.01, -3.01], abs=0.01)


def test_the_kinds_of_noise_take_turns(scenes):
    made = [scene.noises[0].sound for scene in scenes('one noise at 0 dB', 4)]
    assert len(set(made)) == 4


def test_hum_is_no_speech(uma8, corpus):
    """Labels follow the band of speech where a scene says so."""
    array = replace(uma8, sampling_frequency=RATE)
    config = SimulateConfig(length=3.0, lead=0.5, tail=0.5, engine='fast')
    simulator = Simulator(array, config, corpus, 0.05)

    def hum(rng, corpus, samples):
        seconds = np.arange(samples) / corpus.rate
        voice = np.where(seconds < 1, 0.01 * np.sin(2 * np.pi * 1000 * seconds), 0)
        return np.sin(2 * np.pi * 50 * seconds) + voice

    scene = draw_scene(np.random.default_rng(3), replace(config, noise_only=0.0))
    place = replace(scene.sources[0], kind='speech', sound=hum, distance=1.0)
    voiced = []
    for band in (None, (300.0, 6000.0)):
        rng = np.random.default_rng(1)
        heard = simulator.clip(rng, replace(scene, sources=(place,), label_band=band), 'hum')
        voiced.append(heard.sources[0].voiced)
    wide, narrow = voiced
    assert wide[35:48].all() and narrow[20:28].all() and not narrow[35:].any()


@pytest.mark.parametrize('sound', NOISES)
def test_noises_are_steady_and_others_each_time(corpus, sound):
    made = [sound(np.random.default_rng(seed), corpus, 4 * RATE) for seed in (1, 2)]
    assert all(noise.shape == (4 * RATE,) and np.isfinite(noise).all() for noise in made)
    assert abs(np.corrcoef(made)[0, 1]) < 0.2
    for noise in made:
        seconds = np.std(noise.reshape(4, RATE), axis=1)
        assert seconds.max() < 1.5 * seconds.min()


@pytest.mark.parametrize('sound', [babble, chords, claps, door_slam, rain, uneven_words])
def test_sounds_are_as_long_as_they_should_be(corpus, sound):
    for seed in range(3):
        made = sound(np.random.default_rng(seed), corpus, 4 * RATE)
        assert made.shape == (4 * RATE,) and np.isfinite(made).all() and made.any()


@pytest.mark.parametrize('sound', [hum, rumble])
def test_what_is_below_speech_stays_there(corpus, sound):
    made = sound(np.random.default_rng(1), corpus, 4 * RATE)
    power = np.square(np.abs(np.fft.rfft(made * np.hanning(len(made)))))
    assert power[np.fft.rfftfreq(len(made), 1 / RATE) > 200].sum() < 1e-3 * power.sum()


def test_a_door_slams_once_and_hands_clap_several_times(corpus):
    for sound, few, many in ((door_slam, 1, 1), (claps, 3, 8)):
        made = sound(np.random.default_rng(2), corpus, 5 * RATE)
        active = active_blocks(made, RATE // 20)
        assert few <= np.count_nonzero(active[1:] & ~active[:-1]) <= many


def test_words_are_15_db_apart(corpus):
    made = uneven_words(np.random.default_rng(1), corpus, 6 * RATE)
    parts = np.std(made.reshape(10, -1), axis=1)
    apart = 20 * np.log10(np.median(parts[::2]) / np.median(parts[1::2]))
    assert 9 < abs(apart) < 21


def test_another_array_listens_and_an_array_may_be_larger_than_it_says(scenes, clips):
    assert SITUATIONS['4 microphones, 3 talkers 45 degrees apart'].array
    larger, usual = clips('array 2.3 % larger'), clips('array 2.3 % larger', array_scale=1.0)
    assert np.any(larger[0].audio != usual[0].audio)
    assert larger[0].sources[0].azimuth[0] == usual[0].sources[0].azimuth[0]


def test_nobody_but_the_talker_who_fell_silent_is_silent(clips):
    (clip,) = clips('talker falls silent')
    scored = clip.silent[FIRST_BLOCK:]
    first = int(np.argmax(clip.sources[0].voiced))
    assert not scored[:first].any() and scored[-40:].all()


def test_a_noise_begins(corpus):
    made = beginning(pink_noise, 1.0)(np.random.default_rng(1), corpus, 2 * RATE)
    assert not made[:RATE].any() and active_blocks(made, RATE // 20)[21:].all()


def test_clipped_sound_is_flat_at_the_top(clips):
    (clip,) = clips('one talker, clipped by 18 dB')
    highest = np.abs(clip.audio).max()
    assert 20 * np.log10(highest) == pytest.approx(-48, abs=0.1)
    assert np.mean(np.abs(clip.audio) == highest) > 1e-3


def test_every_split_has_scenes_of_its_own_and_they_stay_the_same(clips):
    name = 'one noise at 0 dB'
    (val,), (again,), (test,) = clips(name), clips(name), clips(name, split='test')
    np.testing.assert_array_equal(val.audio, again.audio)
    assert val.sources[0].distance != test.sources[0].distance
