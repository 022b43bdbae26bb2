# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Metrics against values worked out by hand, and intervals that know of rooms."""

import math

import numpy as np
from pandas import DataFrame
import pytest

from training.evaluation.metrics.metric import summarise
from training.evaluation.metrics.single_source import METRICS, results_of
from training.evaluation.metrics.single_source.binning import BINNINGS
from training.evaluation.metrics.single_source.calibration import reliability
from training.evaluation.metrics.single_source.trade_off import trade_off


def make_answers(errors_deg, **columns) -> DataFrame:
    """Return answers to a true azimuth of 5 degrees and answers that are off by so much."""
    errors = np.radians(np.asarray(errors_deg, dtype=float))
    count = len(errors)
    defaults = {
        'method': 'm',
        'condition': 'c',
        'room': [f'room {k}' for k in range(count)],
        'time': 1.0,
        'voiced': True,
        'silent': False,
        'sources': 1,
        'azimuth': math.radians(5.5),
        'elevation': math.radians(30),
        'distance': 1.0,
        'rt60': 0.3,
        'snr': 10.0,
        'answer_azimuth': math.radians(5.5) + errors,
        'answer_elevation': math.radians(33),
        'azimuth_stddev': math.radians(5),
        'elevation_stddev': math.radians(2),
        'confidence': 0.8,
        'heard': True,
        'azimuth_classes': 36,
        'sensitivity_power': 1.5,
    }
    values = {**defaults, **columns}
    return DataFrame({name: np.broadcast_to(value, count) for name, value in values.items()})


def test_metrics_are_those_worked_out_by_hand():
    answers = make_answers(
        [0, -2, 8, 12, np.nan, 90],
        heard=[True, True, False, True, False, True],
        voiced=[True, True, True, True, True, False],
        silent=[False, False, False, False, False, True],
    )
    found = summarise(answers, METRICS)
    expected = {
        # Classes lie at 0, 10, 20: 5.5 and 13.5 are of the second, 3.5 of the first.
        'class_accuracy': 2 / 4,
        'azimuth_mae_deg': 22 / 4,
        'azimuth_median_deg': 5,
        'within_5': 2 / 4,
        'within_10': 3 / 4,
        'within_15': 1,
        'elevation_mae_deg': 3,
        'unanswered': 2 / 5,
        'answered_azimuth_mae_deg': 14 / 3,
        'answered_within_10': 2 / 3,
        'silence_answered': 1,
        # Three in four are right, one in silence cannot be, and 0.8 was said.
        'calibration_error': 0.2,
        'answered_elevation_mae_deg': 3,
        'azimuth_covered': 2 / 3,
        'elevation_covered': 0,
        'azimuth_stddev_median_deg': 5,
        'elevation_stddev_median_deg': 2,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name
    assert found['great_circle_median_deg'] == pytest.approx(
        np.mean([_angle(5.5, 30, 3.5, 33), _angle(5.5, 30, 13.5, 33)])
    )


def _angle(*degrees):
    a, b, c, d = np.radians(degrees)
    cosine = math.sin(b) * math.sin(d) + math.cos(b) * math.cos(d) * math.cos(a - c)
    return math.degrees(math.acos(cosine))


def test_nothing_counted_is_nan():
    figures = summarise(make_answers([1, 2], voiced=False), METRICS)
    assert math.isnan(figures['azimuth_mae_deg'])
    assert math.isnan(figures['azimuth_median_deg_low'])


def test_intervals_cover_the_value_and_repeat():
    errors = np.random.default_rng(0).exponential(5, 60)
    first, second = (summarise(make_answers(errors), METRICS) for _ in range(2))
    assert first == second
    for name in ('azimuth_mae_deg', 'azimuth_median_deg', 'within_5'):
        assert first[f'{name}_low'] < first[name] < first[f'{name}_high']
    # The bootstrap of a mean is close to its standard error.
    width = 2 * 1.96 * errors.std() / math.sqrt(len(errors))
    found = first['azimuth_mae_deg_high'] - first['azimuth_mae_deg_low']
    assert found == pytest.approx(width, rel=0.15)


def test_blocks_of_one_room_are_not_independent():
    # In each of 10 rooms all 40 blocks err by the same.
    errors = np.repeat(np.random.default_rng(1).exponential(5, 10), 40)
    rooms = np.repeat([f'room {k}' for k in range(10)], 40)
    clustered = summarise(make_answers(errors, room=rooms), METRICS)
    naive = summarise(make_answers(errors), METRICS)
    for name in ('azimuth_mae_deg', 'azimuth_median_deg', 'calibration_error'):
        width, naive_width = (f[f'{name}_high'] - f[f'{name}_low'] for f in (clustered, naive))
        assert width > 3 * naive_width, name
        assert clustered[name] == pytest.approx(naive[name])


def test_one_room_has_no_interval():
    figures = summarise(make_answers([1, 2, 3], room='kitchen'), METRICS)
    assert figures['azimuth_mae_deg'] == pytest.approx(2)
    assert math.isnan(figures['azimuth_mae_deg_low'])


def test_figures_are_grouped_by_method_condition_and_bins():
    answers = make_answers(
        [1, 2, 3, 4],
        method=['a', 'a', 'b', 'b'],
        condition=['x', 'y', 'x', 'x'],
        snr=[-7, 0, 12, np.nan],
    )
    keys = ['method', 'condition', 'binning', 'label']
    found = results_of(answers).set_index(keys)
    mae = found['azimuth_mae_deg']
    assert found.loc[('b', 'x', '', ''), 'voiced'] == 2
    assert mae['a', '', '', ''] == pytest.approx(1.5)
    assert mae['a', 'y', '', ''] == pytest.approx(2)
    assert mae['a', '', 'snr', '< 0'] == pytest.approx(1)
    assert mae['a', '', 'snr', '0..5'] == pytest.approx(2)
    assert found.loc[('b', '', 'snr', '10..15'), 'voiced'] == 1
    assert sum(key[:3] == ('b', '', 'snr') for key in found.index) == 1


def test_the_lower_edge_belongs_to_a_bin_despite_rounding():
    binning = next(b for b in BINNINGS if b.name == 'elevation')
    elevation = np.radians([0, 15, 30, 45, 60, 75, 90]).astype(np.float32)
    index = binning.index(make_answers(np.zeros(7), elevation=elevation))
    assert [binning.labels[k] for k in index] == [
        '0..15', '15..30', '30..45', '45..60', '60..75', '>= 75', '>= 75',
    ]  # fmt: skip


def test_reliability_is_the_share_that_is_right_in_each_bin():
    answers = make_answers([0, 0, 50, 0], confidence=[0.52, 0.58, 0.55, 1.0])
    confidence, right, number = reliability(answers)
    assert number.tolist() == [0, 0, 0, 0, 0, 3, 0, 0, 0, 1]
    assert confidence[5] == pytest.approx(0.55)
    assert right[5] == pytest.approx(2 / 3)
    assert right[9] == 1
    error = summarise(answers, METRICS)['calibration_error']
    assert error == pytest.approx((3 * abs(0.55 - 2 / 3)) / 4)


def test_more_sensitivity_answers_more_and_is_wrong_more_often():
    answers = make_answers(
        [0, 50, 0, 0],
        confidence=[0.9, 0.7, 0.3, 0.6],
        voiced=[True, True, True, False],
        silent=[False, False, False, True],
    )
    traded = trade_off(answers)
    at = {round(s, 2): k for k, s in enumerate(traded.sensitivity)}
    unanswered, false = traded.unanswered, traded.false
    assert unanswered[at[0]] == 1 and false[at[0]] == 0
    # From a confidence of 0.89 on.
    assert unanswered[at[0.2]] == pytest.approx(2 / 3) and false[at[0.2]] == 0
    # One is wrong, one in silence.
    assert unanswered[at[0.5]] == pytest.approx(1 / 3) and false[at[0.5]] == 2 / 4
    assert unanswered[at[1]] == 0
    assert traded.silence[[at[0], at[0.2], at[0.5], at[1]]].tolist() == [0, 0, 1, 1]


def test_the_sensitivity_trades_by_the_power_of_the_method():
    given = {'confidence': [0.9, 0.7], 'sensitivity_power': 3.0}
    traded = trade_off(make_answers([0, 0], **given), np.array([0.3, 0.4, 0.5]))
    # From confidences of 0.927, 0.771 and 0.5 on.
    assert traded.unanswered.tolist() == [1, 0.5, 0]


def test_standard_deviations_that_are_not_given_cover_nothing():
    figures = summarise(make_answers([1, 2], azimuth_stddev=np.nan, elevation_stddev=0.0), METRICS)
    assert math.isnan(figures['azimuth_covered'])
    assert math.isnan(figures['elevation_covered'])


def test_methods_without_confidence_have_no_calibration():
    figures = summarise(make_answers([1, 2], confidence=np.nan), METRICS)
    assert math.isnan(figures['calibration_error'])
    assert figures['within_10'] == 1
