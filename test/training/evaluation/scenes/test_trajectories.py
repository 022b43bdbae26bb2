# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How talkers walk in the benchmark of tracks."""

from dataclasses import replace

import numpy as np
import pytest

from doa_ros.core.geometry import wrap_angle
from training.evaluation.metrics.tracking import METRICS
from training.evaluation.scenes import trajectories
from training.evaluation.scenes.conditions import DIFFICULTIES
from training.evaluation.scenes.rooms import demo_corpus
from training.evaluation.scenes.trajectories import (
    NOISE,
    SCENARIOS,
    noise_clips,
    tracking_goals,
    trajectory_clips,
)

RATE = 16000


@pytest.fixture(scope='module')
def clips(uma8):
    array = replace(uma8, sampling_frequency=RATE)
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        # How somebody walks does not depend on the room.
        patch.setattr(trajectories, 'DIFFICULTIES', DIFFICULTIES[:1])
        for name, clip in trajectory_clips(array, demo_corpus(RATE), 'test', 2, 'fast'):
            found.setdefault(name.split(',')[0], []).append(clip)
    return found


def paths_deg(clip):
    return [np.degrees(np.unwrap(source.azimuth)) for source in clip.sources]


def test_one_walks_around_the_array(clips):
    for clip in clips['walking']:
        (path,) = paths_deg(clip)
        rates = np.abs(np.diff(path))[40:200] / 0.05
        assert 20 <= rates.min() and rates.max() <= 90
        np.testing.assert_allclose(rates, rates[0])
        # Pauses are short.
        voiced = np.flatnonzero(clip.sources[0].voiced)
        assert np.diff(voiced).max() <= 20 and len(voiced) > 100


def test_one_walks_past_another_who_stays(clips):
    for clip in clips['passing']:
        moving, still = paths_deg(clip)
        assert np.ptp(still) == pytest.approx(0, abs=1e-9)
        assert 140 <= np.ptp(moving) <= 220


def test_two_who_cross_walk_in_opposite_directions(clips):
    for clip in clips['crossing']:
        first, second = paths_deg(clip)
        assert np.ptp(first) > 69 and np.ptp(second) > 69
        assert np.sign(first[-1] - first[0]) == -np.sign(second[-1] - second[0])


@pytest.mark.parametrize('scenario', ['passing', 'crossing'])
def test_they_meet_once_and_are_far_apart_before_and_after(clips, scenario):
    for clip in clips[scenario]:
        first, second = (source.azimuth for source in clip.sources)
        apart = np.degrees(wrap_angle(first - second))
        assert np.count_nonzero(np.diff(np.sign(apart[apart != 0]))) == 1
        assert np.sign(apart[0]) != np.sign(apart[-1])
        assert 69 <= abs(apart[0]) <= 111 and 69 <= abs(apart[-1]) <= 111


def test_noise_is_of_every_kind_and_silent(uma8):
    array = replace(uma8, sampling_frequency=RATE)
    found = list(noise_clips(array, demo_corpus(RATE), 'test', 2.0, 'fast'))
    assert [name for name, _ in found] == [NOISE] * 4
    assert all(clip.sources == () and clip.silent.all() for _, clip in found)
    assert [clip.ego_noise for _, clip in found] == [False, False, True, True]
    assert sum(len(clip.silent) for _, clip in found) * 0.05 == pytest.approx(120)


def test_goals_are_those_of_conditions_and_metrics():
    goals = tracking_goals()
    assert len(goals) == 1 + len(SCENARIOS) * len(DIFFICULTIES)
    names = {metric.name for metric in METRICS}
    assert all(set(asked) <= names for asked in goals.values())
    assert sum('azimuth_rmse_deg' in asked for asked in goals.values()) == 1
