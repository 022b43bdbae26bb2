# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bearings meet where the source is, and the covariance is as large as the errors are."""

import doctest
import math

import numpy as np
import pytest
from scipy import stats

from doa_ros.core import triangulation
from doa_ros.core.errors import TriangulationError
from doa_ros.core.triangulation import Bearing, triangulate

_TRIALS = 400


def _bearing(place, source, stddev=0.05, error=0.0):
    (x, y), (source_x, source_y) = place, source
    return Bearing(x, y, math.atan2(source_y - y, source_x - x) + error, stddev)


def _two_arrays(angle_deg):
    """Return two places 2 m apart, and a source whose bearings differ by an angle."""
    return [(0.0, 1.0), (0.0, -1.0)], (1 / math.tan(math.radians(angle_deg) / 2), 0.0)


def test_the_example_is_right():
    assert doctest.testmod(triangulation).failed == 0


@pytest.mark.parametrize('source', [(3.0, 0.5), (-2.0, 4.0), (0.5, -0.3), (-30.0, 1.0)])
def test_true_bearings_meet_at_the_source(source):
    places = [(0, 1), (0, -1), (2, 2)]
    fix = triangulate([_bearing(place, source, 0.01) for place in places])
    np.testing.assert_allclose([fix.x, fix.y], source, atol=1e-6)
    assert fix.misfit < 1e-9


def test_turning_and_moving_everything_turns_and_moves_the_position(rng):
    places, source = [(0, 1), (0, -1), (2, 2)], (3.0, 0.5)
    bearings = [_bearing(place, source, 0.05, rng.gauss(0, 0.05)) for place in places]
    fix = triangulate(bearings)
    yaw, shift = rng.uniform(-3, 3), np.array([rng.uniform(-9, 9), rng.uniform(-9, 9)])
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    moved = triangulate(
        [Bearing(*(turn @ [b.x, b.y] + shift), b.azimuth + yaw, b.stddev) for b in bearings]
    )
    np.testing.assert_allclose([moved.x, moved.y], turn @ [fix.x, fix.y] + shift, atol=1e-6)
    np.testing.assert_allclose(moved.covariance, turn @ fix.covariance @ turn.T, rtol=1e-4)


def test_the_surer_bearing_counts_more():
    source = (2.0, 0.0)
    places = [(0, 1), (0, -1), (2, -2)]
    wrong = [_bearing(places[0], source, error=0.2), *(_bearing(p, source) for p in places[1:])]
    doubted = [wrong[0]._replace(stddev=0.5), *wrong[1:]]
    errors = [math.hypot(f.x - 2, f.y) for f in (triangulate(wrong), triangulate(doubted))]
    assert errors[1] < errors[0] / 10


# Fewer than 68 and 95 % within the ellipses would be pride, more would be waste.
@pytest.mark.parametrize('stddev_deg', [1, 3, 5])
@pytest.mark.parametrize('angle_deg', [90, 60, 30])
def test_the_covariance_covers_the_errors(angle_deg, stddev_deg):
    _check_coverage(*_two_arrays(angle_deg), math.radians(stddev_deg), least_95=0.90)


@pytest.mark.parametrize('stddev_deg', [3, 6])
def test_the_covariance_covers_the_errors_of_a_robot_that_drives(stddev_deg):
    places = [(0.4 * k, 0.0) for k in range(8)]
    _check_coverage(places, (1.4, 2.5), math.radians(stddev_deg), least_95=0.92)


def _check_coverage(places, source, stddev, least_95):
    rng = np.random.default_rng(0)
    distances, misfits = [], []
    for _ in range(_TRIALS):
        errors = rng.normal(0, stddev, len(places))
        fix = triangulate(
            [_bearing(p, source, stddev, e) for p, e in zip(places, errors, strict=True)]
        )
        error = np.array([fix.x, fix.y]) - source
        distances.append(error @ np.linalg.solve(fix.covariance, error))
        misfits.append(fix.misfit)
    within = [np.mean(distances < stats.chi2.ppf(share, 2)) for share in (0.68, 0.95)]
    assert 0.61 < within[0] < 0.80
    assert least_95 < within[1] < 0.98
    # Two bearings always meet; what more there are leave as much as their errors are.
    assert np.mean(misfits) == pytest.approx(len(places) - 2, rel=0.15, abs=1e-6)


@pytest.mark.parametrize(
    ('bearings', 'reason'),
    [
        ([], 'fewer than two'),
        ([Bearing(0, 0, 0, 0.1)], 'fewer than two'),
        ([Bearing(0, 1, 0, 0.1), Bearing(0, -1, 0, 0.1)], 'parallel'),
        ([Bearing(0, 1, 0.5, 0.1), Bearing(0, -1, -0.5, 0.1)], 'behind'),
        ([Bearing(0, 1, -0.1, 0.2), Bearing(0, -1, 0.1, 0.2)], 'too much alike'),
        ([Bearing(0, 0, 0, 0.1), Bearing(0, 0, 1, 0.1)], 'meet at an array'),
        ([Bearing(0, 1, 0, math.nan), Bearing(0, -1, 0.5, 0.1)], 'standard deviation'),
        ([Bearing(0, 1, 0, 0.0), Bearing(0, -1, 0.5, 0.1)], 'standard deviation'),
        ([Bearing(0, 1, math.inf, 0.1), Bearing(0, -1, 0.5, 0.1)], 'azimuth'),
    ],
)
def test_bearings_that_give_no_position(bearings, reason):
    with pytest.raises(TriangulationError, match=reason):
        triangulate(bearings)


def test_any_bearings_give_a_position_or_one_error():
    rng = np.random.default_rng(1)
    for _ in range(300):
        count = rng.integers(2, 5)
        rows = np.column_stack(
            [rng.normal(0, 2, (count, 2)), rng.uniform(-4, 4, count), rng.uniform(0.001, 2, count)]
        )
        try:
            fix = triangulate([Bearing(*row) for row in rows])
        except TriangulationError:
            continue
        assert np.isfinite([fix.x, fix.y]).all()
        assert np.linalg.eigvalsh(fix.covariance)[0] > 0
