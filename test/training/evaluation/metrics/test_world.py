# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of `evaluate --bench world`, of estimates that are known."""

from dataclasses import replace
import math

import numpy as np
from pandas import DataFrame
import pytest

from doa_ros.core.localization.decoding import Estimate
from training.data.clips import Clip, Source
from training.evaluation.methods.localizer import PREDICTED
from training.evaluation.methods.method import DirectionMethod
from training.evaluation.metrics.metric import summarise
from training.evaluation.metrics.world import METRICS, collect_world
from training.evaluation.metrics.world.recovery import RECOVERY

RATE, BLOCKS = 16000, 60


def estimate(azimuth_deg, confidence=0.9, elevation_deg=10.0, **attributes):
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    return Estimate(azimuth, elevation, 0.05, 0.05, confidence, attributes)


def clip(elevation_deg=10.0):
    """Somebody in front speaks in the last second of three, and is silent before."""
    voiced = np.arange(BLOCKS) >= 40
    talker = Source(
        np.zeros(BLOCKS), np.full(BLOCKS, math.radians(elevation_deg)), voiced, silent=~voiced
    )
    audio = np.zeros((BLOCKS * RATE // 20, 2), dtype=np.float32)
    return Clip(audio, RATE, (talker,), ~voiced, 'room')


class Says(DirectionMethod):
    """Gives the same estimates all the time, or while somebody speaks."""

    name = 'says'

    def __init__(self, *estimates, in_silence=False):
        self._estimates, self._in_silence = estimates, in_silence

    def estimates(self, clip):
        voiced = clip.clip.sources[0].voiced
        return [self._estimates if voiced[b] or self._in_silence else () for b in clip.blocks]


@pytest.fixture
def figures(uma8):
    def measure(*estimates, elevation_deg=10.0, **options):
        clips = [('here', clip(elevation_deg))]
        matches = collect_world(uma8, [Says(*estimates, **options)], clips, math.nan)
        return summarise(matches, METRICS)

    return measure


def test_who_is_found_alone_is_no_phantom(figures):
    found = figures(estimate(4))
    assert found['recall'] == 1 and found['phantoms'] == found['wrong_and_confident'] == 0
    assert found['strongest_azimuth_mae_deg'] == pytest.approx(4)
    assert found['unanswered'] == found['silence_answered'] == 0
    assert math.isnan(found['recovery']) and math.isnan(found['predicted_in_silence'])


def test_a_second_estimate_far_away_is_a_phantom(figures):
    found = figures(estimate(0), estimate(60, 0.9), estimate(-60, 0.6), estimate(18, 0.9))
    assert found['recall'] == 1
    assert found['phantoms'] == pytest.approx(2 / 4)
    assert found['confident_phantoms'] == pytest.approx(1 / 4)
    assert found['wrong_and_confident'] == 1
    assert figures(estimate(0), estimate(60, 0.7))['wrong_and_confident'] == 0


def test_phantoms_count_in_pauses_but_not_in_silence(uma8):
    heard = clip()
    (talker,) = heard.sources
    blocks = np.arange(BLOCKS)
    # Somebody pauses in the second before they are voiced, and is silent before.
    pausing = replace(talker, silent=blocks < 20)
    method = Says(estimate(0), estimate(90), in_silence=True)
    clips = [('here', replace(heard, sources=(pausing,)))]
    matches = collect_world(uma8, [method], clips, math.nan)
    windows = [block for block in range(9, BLOCKS, 5) if block >= 20]
    assert matches['beside_talkers'].sum() == 2 * len(windows)
    assert matches['phantoms'].sum() == len(windows)


def test_who_says_nothing_leaves_all_unanswered(figures):
    found = figures()
    assert found['unanswered'] == 1 and found['recall'] == 0
    assert math.isnan(found['phantoms']) and math.isnan(found['strongest_azimuth_mae_deg'])


def test_near_the_zenith_the_azimuth_hardly_matters(figures):
    found = figures(estimate(40, elevation_deg=80), elevation_deg=80)
    assert found['strongest_azimuth_mae_deg'] == pytest.approx(40)
    assert found['strongest_great_circle_deg'] == pytest.approx(6.8, abs=0.1)
    assert found['phantoms'] == found['wrong_and_confident'] == 0


def test_a_wrong_elevation_makes_no_phantom(figures):
    found = figures(estimate(5, elevation_deg=50))
    assert found['phantoms'] == 0
    assert found['elevation_bias_deg'] == pytest.approx(40)
    assert figures(estimate(5, elevation_deg=0))['elevation_bias_deg'] == pytest.approx(-10)


def test_elevations_within_the_stated_deviation(figures):
    # The deviation is 2.9 degrees, and somebody is at 10.
    assert figures(estimate(0, elevation_deg=12))['elevation_covered'] == 1
    assert figures(estimate(0, elevation_deg=14))['elevation_covered'] == 0
    unstated = Estimate(0.0, 0.2, math.nan, math.nan, 0.9)
    assert math.isnan(figures(unstated)['elevation_covered'])


def test_without_elevation_the_azimuth_counts(figures):
    found = figures(estimate(30, elevation_deg=math.nan))
    assert found['phantoms'] == 1 and math.isnan(found['strongest_great_circle_deg'])


def test_tracks_in_silence_are_predicted_or_not(figures):
    flagged, plain = estimate(0, **{PREDICTED: 1.0}), estimate(5, **{PREDICTED: 0.0})
    found = figures(flagged, plain, in_silence=True)
    assert found['silence_answered'] == 1 and found['predicted_in_silence'] == 0.5


@pytest.mark.parametrize(
    ('found', 'expected'),
    [([1, 1, 1, 1, 1, 1], 0.25), ([1, 0, 0, 1, 1, 1], 1.0), ([0, 0, 0, 0, 0, 0], 1.5)],
)
def test_right_again(found, expected):
    time = 2.0 + 0.25 * np.arange(6)
    before = DataFrame({'time': [1.0, 1.25], 'found': [1, 1]})
    table = DataFrame({'time': time + 0.25, 'found': found})
    rows = [before, table]
    matches = DataFrame(
        {name: np.concatenate([r[name] for r in rows]) for name in ('time', 'found')}
    ).assign(talkers=1, room='a', noise_begin=2.0)
    values = RECOVERY.values(matches)
    assert np.nanmean(values) == pytest.approx(expected)
    assert np.count_nonzero(~np.isnan(values)) == 1
