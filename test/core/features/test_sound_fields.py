# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The features of plane waves and of diffuse fields."""

import numpy as np
import pytest

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.features.sound_fields import diffuse_field, plane_waves
from doa_ros.core.features.steered_response import SteeredResponse
from doa_ros.core.geometry import unit_vector


@pytest.fixture(scope='module', params=['uma8', 'tetrahedron'])
def feature_type(request):
    return GccPhat(request.getfixturevalue(request.param), FeatureConfig())


def test_plane_waves_are_what_the_extractor_makes_of_one(uma8, extract, plane_wave):
    (wave,) = plane_waves(GccPhat(uma8, FeatureConfig()), unit_vector(0.7, 0.4)[None])
    heard = extract(uma8, plane_wave(uma8, 0.7, 0.4))[-1].features.ravel()
    np.testing.assert_allclose(heard, wave, atol=0.15)
    assert wave @ heard > 0.98 * np.linalg.norm(wave) * np.linalg.norm(heard)


def test_diffuse_field_is_the_mean_of_waves_from_all_around(feature_type, rng):
    waves = np.random.default_rng(rng.randrange(10**6)).standard_normal((4000, 3))
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    bands = diffuse_field(feature_type)
    inside = [feature_type.frequencies < 1000, feature_type.frequencies >= 3000]
    sizes = [inside[0].sum(), (~inside[0] & ~inside[1]).sum(), inside[1].sum()]
    np.testing.assert_allclose(
        np.array(sizes) @ bands / sum(sizes), plane_waves(feature_type, waves).mean(0), atol=0.03
    )


def test_bands_without_frequencies_are_left_out(uma8):
    config = FeatureConfig(band_max=2500.0)
    assert len(diffuse_field(GccPhat(uma8, config))) == 2


def test_a_diffuse_field_draws_a_flat_array_to_the_zenith(uma8):
    feature_type = GccPhat(uma8, FeatureConfig())
    steered = SteeredResponse(feature_type)
    diffuse = diffuse_field(feature_type).mean(axis=0).reshape(feature_type.shape)
    assert steered.response(diffuse).max(axis=1).argmax() >= 6
