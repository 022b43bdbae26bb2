# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Dead microphones: which are, and what is left without them."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.features.dead_microphones import DeadMicrophones
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.compatibility import default_features


@settings(max_examples=30)
@given(
    st.integers(2, 8),
    st.floats(-120, 0),
    st.floats(-60, 60),
)
def test_dead_means_twenty_decibels_below(count, level, below):
    power = np.full(count + 1, 10 ** (level / 10))
    power[0] *= 10 ** (-below / 10)
    dead = DeadMicrophones(count + 1, 0.05)
    for _ in range(39):
        assert dead.update(power).all()
    assert dead.update(power)[0] == (below < 20)
    assert dead.alive[1:].all()


def test_one_second_does_not_decide():
    dead = DeadMicrophones(6, 0.05)
    power, broken = np.ones(6), np.array([0, 1, 1, 1, 1, 1.0])
    for second in range(10):
        for _ in range(20):
            assert dead.update(broken if second % 2 else power).all()


def test_two_microphones_always_stay():
    dead = DeadMicrophones(2, 0.05)
    for _ in range(100):
        assert dead.update(np.array([1.0, 0.0])).sum() == 2


@pytest.fixture
def heard(uma8, plane_wave):
    """Return 4 s of a source at 0.7 rad, in which microphone 2 is 26 dB too low."""
    samples = plane_wave(uma8, 0.7, 0.4, duration=4.0)
    rng = np.random.default_rng(1)
    samples[:, 2] = 0.0005 * rng.standard_normal(len(samples))
    return samples


def test_the_pairs_of_a_dead_microphone_count_no_more(uma8, heard):
    extractor = FeatureExtractor(uma8, default_features(uma8, None))
    windows = extractor.push(0, heard)
    assert extractor.dead_microphones == ('ring_3',)
    dead = (uma8.pairs == 2).any(axis=1)
    assert np.abs(windows[10].features[dead]).max() > 1e-2
    # After 2 s it is known; then the average forgets.
    assert np.abs(windows[-1].features[dead]).max() < 1e-3
    assert (np.abs(windows[-1].features[~dead]).max(axis=1) > 0.3).all()


@pytest.mark.parametrize('broken', [(), (2,), (0, 3), (1, 2), (4, 5)])
def test_the_direction_is_right_without_it(uma8, plane_wave, locate, broken):
    samples = plane_wave(uma8, 0.7, 0.4, duration=1.0)
    whole = locate(uma8, samples)
    samples[:, broken] = 0
    found = locate(uma8, samples)
    assert abs(wrap_angle(found.azimuth - 0.7)) < math.radians(2)
    assert found.confidence > 0.8
    if broken:
        assert found.azimuth_stddev > whole.azimuth_stddev
