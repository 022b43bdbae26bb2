# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Talkers in rooms, and what a separation should give of them."""

from dataclasses import replace

import numpy as np
import pytest

from doa_ros.simulation.acoustics import Room
from training.evaluation.scenes.conditions import ARRAY_ERRORS
from training.evaluation.scenes.rooms import demo_corpus
from training.simulation.scenes import Place, Scene
from training.simulation.talkers import TalkersSimulator

RATE = 16000
CONFIG = replace(ARRAY_ERRORS, engine='fast', sampling_frequency=RATE, length=4.0, lead=1.0)
SCENE = Scene(
    Room(np.array([6.0, 5.0, 3.0]), 0.0),
    np.array([3.0, 2.5, 1.0]),
    0.4,
    (Place(0.5, 0.1, 1.5), Place(2.5, 0.1, 1.0)),
    snr=60.0,
    sensor_db=-20.0,
)


@pytest.fixture(scope='module')
def clip(uma8):
    array = replace(uma8, sampling_frequency=RATE)
    simulator = TalkersSimulator(array, CONFIG, demo_corpus(RATE))

    def make(scene=SCENE):
        return simulator.clip(np.random.default_rng(1), scene, 'room')

    return make


def test_in_a_free_field_all_is_direct_sound(clip):
    heard = clip()
    wanted = sum(talker.early for talker in heard.talkers)
    assert np.std(heard.centre - wanted) < 0.01 * np.std(heard.centre)


def test_talkers_are_equally_loud_and_begin_after_the_lead(clip):
    levels = [10 * np.log10(np.mean(talker.early**2)) for talker in clip().talkers]
    assert abs(levels[0] - levels[1]) < 3
    for talker in clip().talkers:
        assert RATE <= talker.begin < 2 * RATE
        before, later = np.split(np.abs(talker.early), [talker.begin])
        assert before.max() < 0.2 * later.max()


def test_late_reverberation_is_not_wanted(clip):
    alone = replace(SCENE, room=replace(SCENE.room, rt60=0.5), sources=SCENE.sources[:1])
    heard = clip(alone)
    (talker,) = heard.talkers
    rest = heard.centre - talker.early
    assert 0.05 < np.mean(rest**2) / np.mean(heard.centre**2) < 0.8
    # Its beginning is early all the same.
    start = slice(0, talker.begin + round(0.02 * RATE))
    assert np.std(rest[start]) < 0.1 * np.std(heard.centre[start])


def test_dead_microphones_are_silent_and_the_rest_stays(clip):
    heard = clip()
    dead = heard.without(np.array([2, 4]))
    assert not dead.audio[:, [2, 4]].any()
    assert np.array_equal(dead.audio[:, [0, 1, 3, 5]], heard.audio[:, [0, 1, 3, 5]])
    assert heard.audio[:, [2, 4]].any()
