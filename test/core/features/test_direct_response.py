# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The steered response to what a diffuse field does not explain."""

import numpy as np
import pytest

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.direct_response import DirectResponse, diffuse_features
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.features.steered_response import SteeredResponse
from doa_ros.core.geometry import unit_vector


@pytest.fixture(scope='module', params=['uma8', 'tetrahedron'])
def array(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    'config', [FeatureConfig(), FeatureConfig(lag_rate=48000.0, lag_count=39, band_max=2500.0)]
)
def test_diffuse_field_of_any_level_has_no_response(array, config):
    feature_type = GccPhat(array, config)
    bands = diffuse_features(feature_type)
    assert len(bands) == (3 if config.band_max > 3000 else 2)
    diffuse = np.array([0.7, 0.3, 0.1])[: len(bands)] @ bands
    diffuse = diffuse.reshape(feature_type.shape).astype(np.float32)
    assert np.abs(SteeredResponse(feature_type).response(diffuse)).max() > 0.1
    assert np.abs(DirectResponse(feature_type).response(diffuse)).max() < 1e-5


def test_diffuse_features_are_those_of_waves_from_all_around(array, rng):
    feature_type = GccPhat(array, FeatureConfig())
    waves = np.random.default_rng(rng.randrange(10**6)).standard_normal((4000, 3))
    delays = array.tdoa(waves / np.linalg.norm(waves, axis=1, keepdims=True))
    low = feature_type.frequencies < 1000
    phases = np.exp(2j * np.pi * delays[..., None] * feature_type.frequencies[low]).mean(axis=0)
    spectra = np.zeros((len(array.pairs), len(low)), dtype=np.complex64)
    # The field is symmetric: the sign of the phases does not matter.
    spectra[:, low] = phases.real
    expected = feature_type.features(spectra, float(low.sum()))
    found = diffuse_features(feature_type)[0].reshape(feature_type.shape)
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_low_wave_amid_a_diffuse_field_stays_low(uma8):
    feature_type = GccPhat(uma8, FeatureConfig())
    delays = uma8.tdoa(unit_vector(0.4, np.radians(5.0)))
    wave = np.sinc((feature_type.config.lags - delays[:, None]) * 14000).astype(np.float32)
    diffuse = np.array([0.6, 0.3, 0.0]) @ diffuse_features(feature_type)
    features = 0.4 * wave + diffuse.reshape(feature_type.shape).astype(np.float32)

    def row(response):
        return np.unravel_index(response.argmax(), response.shape)[0]

    assert row(SteeredResponse(feature_type).response(features)) >= 2
    assert row(DirectResponse(feature_type).response(features)) <= 1
