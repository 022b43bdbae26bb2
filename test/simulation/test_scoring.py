# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which frames count, and what the shares are shares of."""

import math

import numpy as np
import pytest

from doa_ros.core.localization.decoding import Estimate
from doa_ros.simulation.scoring import (
    Scorer,
    active_blocks,
    brief_frames,
    silent_frames,
    voiced_frames,
)


def _estimate(azimuth_deg, elevation_deg=math.nan, confidence=1.0):
    return Estimate(math.radians(azimuth_deg), math.radians(elevation_deg), 0.1, 0.1, confidence)


def test_active_blocks_are_within_22_db_of_the_loudest():
    levels = 10 ** (np.array([0, -10, -21, -23, -60, -200]) / 20)
    direct = np.repeat(levels, 100) * np.tile([1, -1], 300)
    expected = [True, True, True, False, False, False]
    assert active_blocks(direct, 100).tolist() == expected
    assert active_blocks(direct * 1e-4, 100).tolist() == expected


def test_incomplete_block_at_the_end_is_left_out():
    assert len(active_blocks(np.ones(250), 100)) == 2


def test_silence_is_never_active():
    assert not active_blocks(np.zeros(500), 100).any()
    assert active_blocks(np.zeros(0), 100).shape == (0,)


def test_a_short_sound_is_expected_for_a_fifth_of_a_second():
    active = np.array([0, 1, 0, 0, 0, 0, 0, 1], dtype=bool)
    assert brief_frames(active, 0.05).tolist() == [False, *[True] * 4, False, False, True]


def test_voiced_is_four_of_the_last_six():
    active = np.array([1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0], dtype=bool)
    expected = [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1]
    assert voiced_frames(active).tolist() == [bool(x) for x in expected]


def test_silent_is_nothing_in_the_last_second():
    active = np.zeros(60, dtype=bool)
    active[10] = True
    silent = silent_frames(active, 0.05)
    assert silent[:10].all()
    assert not silent[10:30].any()
    assert silent[30:].all()


def test_no_frame_is_voiced_and_silent():
    active = np.random.default_rng(1).random(500) < 0.2
    assert not (voiced_frames(active) & silent_frames(active, 0.05)).any()


def test_score_counts_each_kind_of_frame():
    scorer = Scorer()
    right, wrong = [_estimate(5, 30)], [_estimate(60, 30)]
    scorer.add(right, 0.0, math.radians(20), voiced=True, silent=False)
    scorer.add(wrong, 0.0, math.radians(20), voiced=True, silent=False)
    scorer.add([], 0.0, 0.0, voiced=True, silent=False)
    scorer.add([], 0.0, 0.0, voiced=True, silent=False)
    scorer.add(wrong, 0.0, 0.0, voiced=False, silent=True)
    scorer.add([], 0.0, 0.0, voiced=False, silent=True)
    scorer.add(wrong, 0.0, 0.0, voiced=False, silent=False)
    score = scorer.score()
    assert (score.voiced, score.silent) == (4, 2)
    assert score.answered == pytest.approx(0.5)
    assert score.within_10 == pytest.approx(0.5)
    assert score.voiced_within_10 == pytest.approx(0.25)
    assert score.azimuth_mae_deg == pytest.approx(32.5)
    assert score.elevation_mae_deg == pytest.approx(10)
    assert score.silence_answered == pytest.approx(0.5)


def test_error_goes_over_the_wrap():
    scorer = Scorer()
    scorer.add([_estimate(-178)], math.radians(179), 0.0, voiced=True, silent=False)
    assert scorer.score().azimuth_mae_deg == pytest.approx(3)


def test_only_the_strongest_estimate_counts():
    scorer = Scorer()
    estimates = [_estimate(50), _estimate(0, confidence=0.5)]
    scorer.add(estimates, 0.0, 0.0, voiced=True, silent=False)
    assert scorer.score().within_10 == 0


def test_unknown_elevation_is_not_averaged():
    scorer = Scorer()
    scorer.add([_estimate(0)], 0.0, 0.5, voiced=True, silent=False)
    score = scorer.score()
    assert score.azimuth_mae_deg == 0
    assert math.isnan(score.elevation_mae_deg)


def test_score_of_nothing_is_unknown():
    score = Scorer().score()
    assert (score.voiced, score.silent) == (0, 0)
    assert math.isnan(score.answered)
    assert math.isnan(score.within_10)
    assert math.isnan(score.azimuth_mae_deg)
    assert math.isnan(score.silence_answered)
