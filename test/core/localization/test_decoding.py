# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Angles between the classes, their spread and the confidence.

Errors for targets as wide as in training (von Mises of 5..10 degrees in azimuth, Gaussian of
5..10 degrees in elevation): below 1 degree of azimuth, 1.5 of elevation.
"""

import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import decode_azimuth, decode_azimuths, decode_elevation

_GRIDS = st.sampled_from([DirectionGrid(72, 10), DirectionGrid(72, 19), DirectionGrid(36, 10)])
_DEGREE = math.radians(1)


def _von_mises(grid, angle, width):
    probability = np.exp((np.cos(grid.azimuths - angle) - 1) / width**2)
    return probability / probability.sum()


def _gauss(grid, angle, width):
    probability = np.exp(-(((grid.elevations - angle) / width) ** 2) / 2)
    return probability / probability.sum()


def test_grid_divides_circle_and_quarter():
    grid = DirectionGrid(72, 10)
    np.testing.assert_allclose(np.degrees(grid.azimuths), np.arange(72) * 5)
    np.testing.assert_allclose(np.degrees(grid.elevations), np.arange(10) * 10)
    assert math.isnan(DirectionGrid(72, 0).elevation_step)
    assert DirectionGrid(72, 0).elevations.shape == (0,)


@given(_GRIDS, st.floats(-math.pi, math.pi), st.floats(5, 10))
def test_azimuth_between_classes(grid, angle, degrees):
    azimuth, stddev, confidence = decode_azimuth(_von_mises(grid, angle, math.radians(degrees)))
    assert abs(wrap_angle(azimuth - angle)) < _DEGREE
    assert -math.pi < azimuth <= math.pi
    assert 0 < stddev < math.radians(15)
    assert 0 <= confidence <= 1


@pytest.mark.parametrize('degrees', [177, 179, 180, -180, -179.9, -178, -1, 0, 2.5, 359])
def test_azimuth_over_the_wrap(degrees):
    grid = DirectionGrid(72, 10)
    azimuth = decode_azimuth(_von_mises(grid, math.radians(degrees), 0.15))[0]
    assert abs(wrap_angle(azimuth - math.radians(degrees))) < _DEGREE


@given(_GRIDS, st.integers(0, 35))
def test_azimuth_of_a_class_is_exact(grid, number):
    azimuth, stddev, confidence = decode_azimuth(np.eye(grid.azimuth_count)[number])
    assert abs(wrap_angle(azimuth - grid.azimuths[number])) < 1e-6
    assert stddev == pytest.approx(0, abs=1e-6)
    assert confidence == pytest.approx(1)


@given(_GRIDS, st.floats(0, math.pi / 2), st.floats(5, 10))
def test_elevation_between_classes(grid, angle, degrees):
    width = max(math.radians(degrees), 0.5 * grid.elevation_step)
    elevation, stddev = decode_elevation(_gauss(grid, angle, width))
    assert abs(elevation - angle) < 1.5 * _DEGREE
    assert 0 <= elevation <= math.pi / 2
    assert stddev > 0


@pytest.mark.parametrize('degrees', [0, 90])
def test_elevation_at_the_ends_has_no_bias(degrees):
    for grid in (DirectionGrid(72, 10), DirectionGrid(72, 19)):
        elevation = decode_elevation(_gauss(grid, math.radians(degrees), 0.15))[0]
        assert math.degrees(elevation) == pytest.approx(degrees, abs=0.5)


@given(st.integers(0, 9))
def test_elevation_of_a_class_is_exact(number):
    elevation, stddev = decode_elevation(np.eye(10)[number])
    assert math.degrees(elevation) == pytest.approx(10 * number, abs=1e-6)
    assert stddev == pytest.approx(0, abs=1e-6)


@given(st.floats(-math.pi, math.pi), st.floats(0, math.pi / 2))
def test_stddev_grows_and_confidence_falls_with_the_spread(azimuth, elevation):
    grid = DirectionGrid(72, 10)
    widths = np.radians([4, 8, 12, 20, 40])
    rounds = [decode_azimuth(_von_mises(grid, azimuth, w)) for w in widths]
    assert (np.diff([r[1] for r in rounds]) > 0).all()
    assert (np.diff([r[2] for r in rounds]) < 0).all()
    elevations = [decode_elevation(_gauss(grid, elevation, w))[1] for w in widths]
    assert (np.diff(elevations) > 0).all()


@given(st.floats(-3, 3), st.floats(0, 1.5))
def test_stddev_is_the_width_of_a_narrow_target(azimuth, elevation):
    grid = DirectionGrid(72, 19)
    width = math.radians(8)
    assert decode_azimuth(_von_mises(grid, azimuth, width))[1] == pytest.approx(width, rel=0.2)
    if width < elevation < math.pi / 2 - width:
        found = decode_elevation(_gauss(grid, elevation, width))[1]
        assert found == pytest.approx(width, rel=0.2)


@given(st.lists(st.integers(0, 255), min_size=72, max_size=72))
def test_any_output_decodes_to_something_finite(levels):
    # int8 outputs: multiples of 1 / 256 that need not add up to one, even all zero.
    probability = np.array(levels, dtype=np.float32) / 256
    azimuth, stddev, confidence = decode_azimuth(probability)
    assert -math.pi < azimuth <= math.pi
    assert math.isfinite(stddev)
    assert 0 <= confidence <= 1
    elevation, stddev = decode_elevation(probability[:10])
    assert 0 <= elevation <= math.pi / 2
    assert math.isfinite(stddev)


def test_strongest_of_two_talkers_wins():
    grid = DirectionGrid(72, 10)
    both = 0.6 * _von_mises(grid, 1.0, 0.1) + 0.4 * _von_mises(grid, -2.0, 0.1)
    azimuth, _, confidence = decode_azimuth(both)
    assert azimuth == pytest.approx(1.0, abs=_DEGREE)
    assert confidence == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize('degrees', [-60, -40, 40, 60])
def test_second_talker_does_not_pull_the_first(degrees):
    grid = DirectionGrid(72, 10)
    second = _von_mises(grid, 1.0 + math.radians(degrees), 0.1)
    azimuth = decode_azimuth(0.6 * _von_mises(grid, 1.0, 0.1) + 0.4 * second)[0]
    assert azimuth == pytest.approx(1.0, abs=2 * _DEGREE)


def test_uniform_output_has_the_confidence_of_chance():
    # 15 degrees each way are 6 or 7 of 72 classes.
    assert decode_azimuth(np.full(72, 1 / 72))[2] == pytest.approx(30 / 360, abs=0.02)


def _bumps(count, azimuths_and_heights):
    classes = np.arange(count) * 2 * math.pi / count
    bumps = [h * np.exp(40 * (np.cos(a - classes) - 1)) for a, h in azimuths_and_heights]
    return np.max(bumps, axis=0)


@given(st.floats(-math.pi, math.pi), st.floats(45, 180), st.floats(0.3, 1))
def test_two_sources_give_two_peaks_the_higher_first(first, degrees, height):
    second = wrap_angle(first + math.radians(degrees))
    peaks = decode_azimuths(_bumps(72, [(first, 1.0), (second, 0.9 * height)]))
    assert len(peaks) == 2
    for (azimuth, _, share), expected, top in zip(
        peaks, (first, second), (1.0, 0.9 * height), strict=True
    ):
        assert abs(wrap_angle(azimuth - expected)) < 2 * _DEGREE
        assert share == pytest.approx(top, abs=0.05)


def test_peaks_of_one_source_are_not_told_twice():
    jagged = _bumps(72, [(1.0, 1.0)])
    jagged[int(1.0 / (2 * math.pi / 72)) + 3] = 0.8
    assert len([peak for peak in decode_azimuths(jagged) if peak[2] > 0.1]) == 1


@given(st.lists(st.integers(0, 255), min_size=72, max_size=72))
def test_any_output_has_a_peak(levels):
    peaks = decode_azimuths(np.array(levels, dtype=np.float32) / 256)
    assert peaks
    assert [peak[2] for peak in peaks] == sorted((peak[2] for peak in peaks), reverse=True)


@pytest.mark.parametrize('turn', range(0, 72, 5))
def test_peaks_just_as_far_apart_as_they_must_be_are_two_wherever_they_lie(turn):
    # 25 degrees are five classes; four are too near.
    two, one = np.full(72, 0.01), np.full(72, 0.01)
    two[[turn, (turn + 5) % 72]] = 0.9, 0.6
    one[[turn, (turn + 4) % 72]] = 0.9, 0.6
    assert sum(share > 0.5 for *_, share in decode_azimuths(two)) == 2
    assert sum(share > 0.5 for *_, share in decode_azimuths(one)) == 1
