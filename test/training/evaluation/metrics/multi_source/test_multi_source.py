# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""All estimates of a block against all talkers in it."""

import math

import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.decoding import Estimate
from training.data.clips import Clip, Source
from training.evaluation.methods.method import DirectionMethod
from training.evaluation.metrics.matching import match
from training.evaluation.metrics.metric import results_by_condition, summarise
from training.evaluation.metrics.multi_source import METRICS, collect_matches

RATE, BLOCKS = 16000, 30
ALWAYS, NEVER = np.ones(BLOCKS, dtype=bool), np.zeros(BLOCKS, dtype=bool)


def talker(azimuth_deg, state='voiced', elevation_deg=20):
    return Source(
        azimuth=np.full(BLOCKS, math.radians(azimuth_deg)),
        elevation=np.full(BLOCKS, math.radians(elevation_deg)),
        voiced=ALWAYS if state == 'voiced' else NEVER,
        silent=ALWAYS if state == 'silent' else NEVER,
    )


def clip_of(*talkers, room='a'):
    audio = np.zeros((BLOCKS * 800, 6), dtype=np.float32)
    return Clip(audio, RATE, talkers, NEVER, room)


class _Constant(DirectionMethod):
    """Says the same at every block."""

    name = 'constant'

    def __init__(self, *azimuths_deg, elevation_deg=math.nan):
        self._estimates = [
            Estimate(math.radians(a), math.radians(elevation_deg), math.nan, math.nan, 1.0)
            for a in azimuths_deg
        ]

    def estimates(self, clip):
        return [self._estimates] * len(clip.blocks)


def first_row(array, clip, *azimuths_deg, **options):
    matches = collect_matches(array, [_Constant(*azimuths_deg, **options)], [('x', clip)])
    return matches.iloc[0]


@pytest.mark.parametrize(
    'azimuths_deg,found,spurious,counted',
    [
        ([], 0, 0, 0),
        ([0], 1, 0, 1),
        ([14.9, 75.1], 2, 0, 2),
        ([15.1], 0, 1, 1),
        # A second estimate of one talker is of nobody, and takes none from the other.
        ([-10, 10], 1, 1, 2),
        ([10, -10, 80], 2, 1, 3),
        ([180], 0, 1, 1),
    ],
)
def test_estimates_and_talkers_are_matched_one_to_one(
    uma8, azimuths_deg, found, spurious, counted
):
    row = first_row(uma8, clip_of(talker(0), talker(90)), *azimuths_deg)
    assert (row['talkers'], row['given']) == (2, len(azimuths_deg))
    assert (row['found'], row['spurious'], row['counted']) == (found, spurious, counted)


@pytest.mark.parametrize(
    'state,spurious,counted,certain',
    [('silent', 1, 2, True), ('neither', 0, 1, False)],
)
def test_of_a_talker_in_between_nothing_is_expected(uma8, state, spurious, counted, certain):
    row = first_row(uma8, clip_of(talker(0), talker(90, state)), 0, 85)
    assert (row['talkers'], row['found'], row['certain']) == (1, 1, certain)
    assert (row['spurious'], row['counted']) == (spurious, counted)


def test_pairs_are_as_many_as_possible_then_as_near_as_possible():
    degrees = np.radians
    # The nearest pair alone would leave one over.
    assert match(degrees([0, 12]), degrees([10, 20]), degrees(15)) == [(0, 0), (1, 1)]
    assert match(degrees([2, 0]), degrees([1, 3]), degrees(15)) == [(0, 1), (1, 0)]
    assert match(degrees([-175]), degrees([175]), degrees(15)) == [(0, 0)]
    assert match(np.array([]), degrees([0]), degrees(15)) == []


def test_figures_are_shares_of_pairs_and_estimates(uma8):
    clips = [
        ('x', clip_of(talker(0), talker(90), room='a')),
        ('x', clip_of(talker(0), talker(-90, 'silent'), room='b')),
        ('x', clip_of(talker(0, 'silent'), room='c')),
    ]
    matches = collect_matches(uma8, [_Constant(5, elevation_deg=24)], clips)
    figures = summarise(matches, METRICS)
    assert {metric.name: figures[metric.name] for metric in METRICS} == pytest.approx(
        {
            'recall': 2 / 3,
            'spurious': 1 / 3,
            'spurious_in_speech': 0.0,
            'recall_of_one': 1.0,
            'recall_of_two': 0.5,
            'right_count': 1 / 3,
            'silence_answered': 1.0,
            'azimuth_mae_deg': 5.0,
            'elevation_mae_deg': 4.0,
        }
    )
    assert figures['recall_low'] == pytest.approx(0.5)
    assert figures['recall_high'] == pytest.approx(1.0)


def test_elevations_that_are_not_known_do_not_count(uma8):
    matches = collect_matches(uma8, [_Constant(0)], [('x', clip_of(talker(0)))])
    assert math.isnan(summarise(matches, METRICS)['elevation_mae_deg'])


def test_results_come_by_condition_and_method(uma8):
    other = _Constant(180)
    other.name = 'other'
    clips = [(name, clip_of(talker(0), room=name)) for name in ('x', 'y')]
    matches = collect_matches(uma8, [_Constant(0), other], clips)
    results = results_by_condition(matches, METRICS)
    assert list(zip(results['condition'], results['method'], strict=True)) == [
        ('x', 'constant'), ('x', 'other'), ('y', 'constant'), ('y', 'other')
    ]  # fmt: skip
    assert results['recall'].tolist() == [1, 0, 1, 0]
    assert (results['count'] == 5).all() and (results['rooms'] == 1).all()


def test_no_block_at_all_is_an_error(uma8):
    with pytest.raises(ConfigError, match='nothing to evaluate'):
        collect_matches(uma8, [_Constant(0)], [])
