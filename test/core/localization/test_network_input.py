# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What networks take of features, of any array."""

import math

import numpy as np
import pytest

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.features.steered_response import SteeredResponse
from doa_ros.core.geometry import unit_vector
from doa_ros.core.localization.network_input import ResponseMap, Taps

FINE = FeatureConfig(lag_rate=48000.0, lag_count=39)
ABOVE = DirectionGrid(72, 10)
SPHERE = DirectionGrid(72, 37, -math.pi / 2)


def features_of(array, azimuth, elevation=0.4):
    """Return the features of a plane wave without noise."""
    gcc_phat = GccPhat(array, FINE)
    delays = array.tdoa(unit_vector(azimuth, elevation))
    cross_spectra = np.exp(-2j * np.pi * np.outer(delays, gcc_phat.frequencies))
    return gcc_phat.features(cross_spectra.astype(np.complex64), len(gcc_phat.frequencies))


def map_of(array, features, grid=SPHERE):
    gcc_phat = GccPhat(array, FINE)
    response = SteeredResponse(gcc_phat, grid.azimuth_count).response(features)
    return ResponseMap(gcc_phat, grid).of(features, response)


def test_taps_are_the_features_columns_first(uma8):
    taps = Taps(GccPhat(uma8, FINE), ABOVE)
    assert taps.shape == (39, 15)
    features = np.arange(2 * 15 * 39.0).reshape(2, 15, 39)
    np.testing.assert_array_equal(taps.of(features)[1], features[1].T)


def test_a_map_is_the_steered_response(uma8):
    gcc_phat = GccPhat(uma8, FINE)
    features = np.random.default_rng(0).normal(0, 0.2, (3, 15, 39)).astype(np.float32)
    steered = SteeredResponse(gcc_phat, 72)
    several = steered.response(features)
    for one, response in zip(features, several, strict=True):
        np.testing.assert_allclose(response, steered.response(one), atol=1e-6)
    found = ResponseMap(gcc_phat, ABOVE).of(features, several)
    assert found.shape == (3, *ResponseMap(gcc_phat, ABOVE).shape) == (3, 72, 10)
    np.testing.assert_array_equal(found, several.swapaxes(1, 2))


def test_maps_of_all_arrays_have_one_shape(uma8, square, tetrahedron, make_array):
    tilted = make_array(square.positions @ [[0.8, 0, -0.6], [0, 1, 0], [0.6, 0, 0.8]])
    for array in (uma8, square, tetrahedron, tilted):
        found = map_of(array, features_of(array, 0.7))
        assert found.shape == (72, 19)
        azimuth, elevation = np.unravel_index(found.argmax(), found.shape)
        assert azimuth * 5 == pytest.approx(math.degrees(0.7), abs=3)
        assert elevation * 10 - 90 == pytest.approx(math.degrees(0.4), abs=6)


def test_a_map_is_0_where_no_answer_is(square, make_array):
    upright = make_array(square.positions[:, [2, 0, 1]])
    assert not map_of(square, features_of(square, 0.7))[:, :9].any()
    found = map_of(upright, features_of(upright, 0.7))
    behind = np.cos(SPHERE.azimuths) < -0.01
    assert not found[behind, 1:-1].any() and found[~behind, 1:-1].all()


def test_an_array_with_dead_microphones_is_another_array(uma8, make_array):
    features = features_of(uma8, 0.7)
    features[np.any(uma8.pairs == 4, axis=1)] = 0
    left = make_array(np.delete(uma8.positions, 4, axis=0))
    expected = map_of(left, features_of(left, 0.7))
    np.testing.assert_allclose(map_of(uma8, features), expected, atol=1e-5)
    # In a batch, each row has dead ones of its own.
    batch = np.stack([features, features_of(uma8, 0.7), 0 * features])
    for one, found in zip(batch, map_of(uma8, batch), strict=True):
        np.testing.assert_allclose(found, map_of(uma8, one), atol=1e-6)
