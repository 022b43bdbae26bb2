# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How tracks are scored against the paths of talkers."""

import math

import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from training.data.clips import Clip, Source
from training.evaluation.methods.method import TrackingMethod
from training.evaluation.metrics.metric import summarise
from training.evaluation.metrics.tracking import METRICS, collect_tracks

RATE, BLOCKS, FIRST = 16000, 69, 9
ALWAYS, NEVER = np.ones(BLOCKS, dtype=bool), np.zeros(BLOCKS, dtype=bool)


def talker(azimuths_deg, voiced=ALWAYS, silent=NEVER):
    azimuth = np.radians(np.broadcast_to(np.asarray(azimuths_deg, dtype=float), BLOCKS))
    return Source(azimuth, np.zeros(BLOCKS), voiced, silent=silent)


def clip_of(*talkers):
    audio = np.zeros((BLOCKS * 800, 6), dtype=np.float32)
    return Clip(audio, RATE, talkers, np.full(BLOCKS, not talkers), 'a')


class _Scripted(TrackingMethod):
    """Tracks by number: azimuths [deg] per block, NaN where there is none."""

    name = 'scripted'

    def __init__(self, tracks=True, **azimuths_deg):
        self.has_identities = tracks
        self._azimuths = {
            int(name[1:]) * tracks: np.broadcast_to(np.asarray(values, dtype=float), BLOCKS)
            for name, values in azimuths_deg.items()
        }

    def tracks(self, clip):
        return [
            [
                (number, math.radians(values[block]))
                for number, values in self._azimuths.items()
                if not math.isnan(values[block])
            ]
            for block in range(BLOCKS)
        ]


def figures(uma8, clip, method):
    matches, _ = collect_tracks(uma8, [method], [('x', clip)])
    return summarise(matches, METRICS)


def test_a_talker_who_is_followed_all_the_time(uma8):
    path = np.linspace(170, 230, BLOCKS)
    found = figures(uma8, clip_of(talker(path)), _Scripted(t1=path + 3))
    assert found['azimuth_rmse_deg'] == pytest.approx(3)
    assert found['ospa_deg'] == pytest.approx(3)
    assert (found['found'], found['kept'], found['changes'], found['prompt']) == (1, 1, 0, 1)
    assert found['false_tracks'] == 0
    assert math.isnan(found['silence_answered'])


def test_another_track_for_the_same_talker_is_a_change(uma8):
    early = np.where(np.arange(BLOCKS) < 40, 0.0, np.nan)
    late = np.where(np.arange(BLOCKS) < 40, np.nan, 0.0)
    found = figures(uma8, clip_of(talker(0)), _Scripted(t1=early, t2=late))
    assert (found['kept'], found['changes'], found['false_tracks']) == (0, 1, 0)


def test_talkers_who_swap_their_tracks_do_not_keep_their_identity(uma8):
    """Near each other, nobody can say whose track it is."""
    path = np.linspace(-90, 90, BLOCKS)
    turning = np.abs(path)
    clip = clip_of(talker(path), talker(-path))
    kept = figures(uma8, clip, _Scripted(t1=path, t2=-path))
    assert (kept['kept'], kept['through'], kept['changes']) == (1, 1, 0)
    swapped = figures(uma8, clip, _Scripted(t1=turning, t2=-turning))
    assert (swapped['kept'], swapped['through'], swapped['changes']) == (0, 0, 2)
    assert swapped['azimuth_rmse_deg'] == pytest.approx(0)


def test_a_change_long_before_the_meeting_does_not_count_for_it(uma8):
    path = np.linspace(-90, 90, BLOCKS)
    early = np.arange(BLOCKS) < 15
    first, later = np.where(early, path, np.nan), np.where(early, np.nan, path)
    clip = clip_of(talker(path), talker(-path))
    found = figures(uma8, clip, _Scripted(t1=first, t2=-path, t3=later))
    assert (found['kept'], found['through'], found['changes']) == (0, 1, 1)


def test_who_has_no_track_before_the_meeting_keeps_none_through_it(uma8):
    path = np.linspace(-90, 90, BLOCKS)
    late = np.where(np.arange(BLOCKS) < 35, np.nan, path)
    found = figures(uma8, clip_of(talker(path), talker(-path)), _Scripted(t1=late, t2=-path))
    assert found['through'] == 0
    # One alone meets nobody.
    assert math.isnan(figures(uma8, clip_of(talker(path)), _Scripted(t1=path))['through'])


def test_who_is_lost_for_long_does_not_keep_his_identity(uma8):
    part = np.where(np.arange(BLOCKS) < 30, 0.0, np.nan)
    found = figures(uma8, clip_of(talker(0)), _Scripted(t1=part))
    assert found['kept'] == 0
    assert found['found'] == pytest.approx(21 / 60)


@pytest.mark.parametrize('begin,prompt,delay', [(20, 1, 0.0), (26, 1, 0.3), (27, 0, 0.35)])
def test_the_delay_counts_from_where_the_talker_is_expected(uma8, begin, prompt, delay):
    voiced = np.arange(BLOCKS) >= 20
    late = np.where(np.arange(BLOCKS) < begin, np.nan, 0.0)
    found = figures(uma8, clip_of(talker(0, voiced, ~voiced)), _Scripted(t1=late))
    assert found['prompt'] == prompt
    assert found['delay'] == pytest.approx(delay)


def test_tracks_of_nobody_are_false_and_those_in_pauses_are_not(uma8):
    voiced = np.arange(BLOCKS) < 30
    found = figures(uma8, clip_of(talker(0, voiced)), _Scripted(t1=0, t2=120, t3=20))
    # One in 69 blocks.
    assert found['false_tracks'] == pytest.approx(10 / (BLOCKS * 0.05 / 60))


def test_in_noise_every_track_is_false(uma8):
    part = np.where(np.arange(BLOCKS) < 39, 50.0, np.nan)
    found = figures(uma8, clip_of(), _Scripted(t4=part))
    assert found['false_tracks'] == pytest.approx(10 / (BLOCKS * 0.05 / 60))
    assert found['silence_answered'] == pytest.approx(0.5)
    assert math.isnan(found['kept']) and math.isnan(found['ospa_deg'])


def test_ospa_counts_what_is_missing_and_what_is_too_much(uma8):
    clip = clip_of(talker(0), talker(90))
    assert figures(uma8, clip, _Scripted(t1=10))['ospa_deg'] == pytest.approx((10 + 30) / 2)
    too_many = _Scripted(t1=0, t2=96, t3=200)
    assert figures(uma8, clip, too_many)['ospa_deg'] == pytest.approx((0 + 6 + 30) / 3)
    # Two pairs of 29 degrees are worse than one of 0 and one that is cut off.
    assert figures(uma8, clip_of(talker(0), talker(29)), _Scripted(t1=29, t2=58))[
        'ospa_deg'
    ] == pytest.approx(15)


def test_estimates_have_no_identity(uma8):
    found = figures(uma8, clip_of(talker(0)), _Scripted(False, t1=4))
    assert found['azimuth_rmse_deg'] == pytest.approx(4)
    for name in ('kept', 'changes', 'prompt', 'delay', 'false_tracks'):
        assert math.isnan(found[name])


def test_the_first_clips_of_a_condition_are_traced(uma8):
    clip = clip_of(talker(0))
    clips = [('x', clip), ('y', clip), ('x', clip), ('x', clip)]
    _, traces = collect_tracks(uma8, [_Scripted(t1=0)], clips, traced=2)
    assert [trace.condition for trace in traces] == ['x', 'y', 'x']
    assert len(traces[0].tracks) == BLOCKS


def test_no_clip_at_all_is_an_error(uma8):
    with pytest.raises(ConfigError, match='nothing to evaluate'):
        collect_tracks(uma8, [_Scripted(t1=0)], [])
