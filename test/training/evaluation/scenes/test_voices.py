# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The scenes of `evaluate --bench voices`."""

from dataclasses import replace
import math

import numpy as np
import pytest

from doa_ros.core.geometry import wrap_angle
from training.evaluation.metrics.separation import METRICS
from training.evaluation.scenes import voices
from training.evaluation.scenes.rooms import demo_corpus
from training.evaluation.scenes.voices import CONDITIONS, voices_clips

RATE = 16000


@pytest.fixture
def clips(uma8, monkeypatch):
    array = replace(uma8, sampling_frequency=RATE)

    def draw(*conditions, count=1, split='val'):
        monkeypatch.setattr(voices, 'CONDITIONS', conditions)
        return list(voices_clips(array, demo_corpus(RATE), split, count, 'fast'))

    return draw


def test_goals_are_of_metrics():
    names = {metric.name for metric in METRICS}
    assert all(set(condition.goals) <= names for condition in CONDITIONS)


def test_two_talkers_are_apart(clips):
    for name, clip in clips(CONDITIONS[0], count=4):
        assert name == CONDITIONS[0].name
        first, second = (talker.azimuth for talker in clip.talkers)
        assert 60 <= abs(math.degrees(wrap_angle(first - second))) <= 140


def test_a_noise_is_as_loud_as_the_talker(clips):
    (condition,) = (c for c in CONDITIONS if 'vacuum' in c.name)
    quiet = replace(condition, noise=None)
    ((_, beside),), ((_, alone),) = clips(condition), clips(quiet)
    (talker,) = beside.talkers
    before = beside.centre[: talker.begin]
    # Of the talker, late reverberation and pauses do not count.
    assert 0.8 < np.std(before) / np.std(talker.early[talker.begin :]) < 2.5
    (talker,) = alone.talkers
    assert np.std(alone.centre[: talker.begin]) < 0.3 * np.std(talker.early[talker.begin :])


def test_scenes_are_the_same_in_every_run_and_others_in_every_split(clips):
    one, same, other = (
        clips(CONDITIONS[3], split=split)[0][1].audio for split in ('val', 'val', 'test')
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
