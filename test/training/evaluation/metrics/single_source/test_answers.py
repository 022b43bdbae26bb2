# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which blocks are scored, against which truth."""

import math

import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.decoding import Estimate
from training.data.clips import Clip, Source
from training.evaluation.methods.method import DirectionMethod
from training.evaluation.metrics.single_source.angular_error import azimuth_error, elevation_error
from training.evaluation.metrics.single_source.answers import collect_answers, is_guessed

RATE, BLOCKS = 16000, 40


def _clip(*directions_deg, silent=False):
    sources = tuple(
        Source(
            azimuth=np.full(BLOCKS, math.radians(azimuth)),
            elevation=np.full(BLOCKS, math.radians(elevation)),
            voiced=np.arange(BLOCKS) >= 20,
            distance=azimuth / 10,
        )
        for azimuth, elevation in directions_deg
    )
    return Clip(
        audio=np.zeros((BLOCKS * 800, 6), dtype=np.float32),
        sampling_frequency=RATE,
        sources=sources,
        silent=np.full(BLOCKS, silent),
        room='a',
        rt60=0.3,
        snr=5.0,
    )


class _Constant(DirectionMethod):
    """Says the same at every block."""

    name, least_confidence = 'constant', 0.5

    def __init__(self, azimuth_deg, confidence):
        self._guess = azimuth_deg is not None and Estimate(
            math.radians(azimuth_deg), 0.0, math.nan, math.nan, confidence
        )

    def estimates(self, clip):
        return [[self._guess] if self._guess else []] * len(clip.blocks)


def test_blocks_come_every_quarter_of_a_second_once_half_a_second_is_heard(uma8):
    answers = collect_answers(uma8, [_Constant(0, 1)], [('x', _clip((10, 0)))])
    np.testing.assert_allclose(answers['time'], [0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0])
    assert answers['voiced'].tolist() == [False] * 3 + [True] * 4
    assert set(answers['condition']) == {'x'}
    np.testing.assert_allclose(np.degrees(azimuth_error(answers)[3:]), 10)


def test_of_several_sources_the_nearest_is_the_truth(uma8):
    answers = collect_answers(uma8, [_Constant(80, 1)], [('x', _clip((10, 0), (90, 20)))])
    voiced = answers[answers['voiced']]
    assert (voiced['sources'] == 2).all()
    np.testing.assert_allclose(np.degrees(voiced['azimuth']), 90)
    np.testing.assert_allclose(np.degrees(elevation_error(voiced)), 20)
    np.testing.assert_allclose(voiced['distance'], 9)


@pytest.mark.parametrize(
    'azimuth_deg,confidence,heard',
    [(0, 0.5, True), (0, 0.4, False), (0, math.nan, True), (None, 1, False)],
)
def test_the_least_confidence_of_a_method_decides_what_is_heard(
    uma8, azimuth_deg, confidence, heard
):
    answers = collect_answers(uma8, [_Constant(azimuth_deg, confidence)], [('x', _clip((10, 0)))])
    assert (answers['heard'] == heard).all()
    assert is_guessed(answers).any() == (azimuth_deg is not None)
    # Missed sources have their place in the tables all the same.
    np.testing.assert_allclose(np.degrees(answers['azimuth'][answers['voiced']]), 10)


def test_no_block_at_all_is_an_error(uma8):
    with pytest.raises(ConfigError, match='nothing to evaluate'):
        collect_answers(uma8, [_Constant(0, 1)], [])
