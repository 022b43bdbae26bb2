# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the shares of a score are shares of."""

import math

import pytest

from doa_ros.cli.demo_score import Scorer
from doa_ros.core.localization.decoding import Estimate


def _estimate(azimuth_deg, elevation_deg=math.nan, confidence=1.0):
    return Estimate(math.radians(azimuth_deg), math.radians(elevation_deg), 0.1, 0.1, confidence)


def test_score_counts_each_kind_of_block():
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
