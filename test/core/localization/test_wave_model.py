# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Features as a sum of waves, reflections and a diffuse field."""

import numpy as np
import pytest

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.features.sound_fields import diffuse_field, plane_waves
from doa_ros.core.features.steered_response import SteeredResponse
from doa_ros.core.geometry import unit_vector, wrap_angle
from doa_ros.core.localization.srp_phat import SrpPhat


@pytest.fixture(scope='module')
def feature_type(uma8):
    return GccPhat(uma8, FeatureConfig())


@pytest.fixture(scope='module')
def srp_phat(feature_type):
    return SrpPhat(feature_type)


@pytest.fixture(scope='module')
def heard(feature_type):
    """Return a function that makes features of waves (level, azimuth, elevation), and more."""

    def make(*waves, diffuse=(0.0, 0.0, 0.0)):
        levels, azimuths, elevations = np.array(waves).T
        directions = unit_vector(np.radians(azimuths), np.radians(elevations))
        sound = levels @ plane_waves(feature_type, directions)
        sound = sound + np.array(diffuse) @ diffuse_field(feature_type)
        return sound.reshape(feature_type.shape).astype(np.float32)

    return make


def _elevation(srp_phat, features):
    """Return azimuth and elevation of the most probable direction [deg]."""
    spectrum = srp_phat.spectrum(features)
    peak = spectrum.peaks()[0]
    return np.degrees([peak.azimuth, spectrum.elevation_at(peak.azimuth)[0]])


@pytest.mark.parametrize('elevation', range(0, 90, 10))
@pytest.mark.parametrize('level', [1.0, 0.6])
def test_one_wave_is_where_it_comes_from(srp_phat, heard, elevation, level):
    found = _elevation(srp_phat, heard((level, 37.0, elevation)))
    # Near the horizon, the parabola between classes is off by half a class.
    assert found[1] == pytest.approx(elevation, abs=5)
    if elevation < 80:
        assert found[0] == pytest.approx(37, abs=2)


def _highest(feature_type, features):
    """Return the elevation of the highest steered response [deg]."""
    response = SteeredResponse(feature_type).response(features)
    return 10 * np.unravel_index(response.argmax(), response.shape)[0]


@pytest.mark.parametrize('elevation', [5, 15, 30, 60])
def test_diffuse_sound_draws_no_elevation_up(feature_type, srp_phat, heard, elevation):
    features = heard((0.4, 20.0, elevation), diffuse=(0.6, 0.4, 0.1))
    assert _elevation(srp_phat, features)[1] == pytest.approx(elevation, abs=6)
    if elevation < 15:
        assert _highest(feature_type, features) > elevation + 10


def test_reflections_at_floor_and_ceiling_draw_elevations_less_far_up(
    feature_type, srp_phat, heard
):
    waves = (0.3, -60.0, 10), (0.12, -60.0, 45), (0.1, -60.0, 60)
    features = heard(*waves, diffuse=(0.3, 0.2, 0.1))
    azimuth, elevation = _elevation(srp_phat, features)
    assert azimuth == pytest.approx(-60, abs=3)
    assert elevation < 22 < _highest(feature_type, features)


@pytest.mark.parametrize('apart', [40, 60, 120])
def test_a_weaker_wave_is_found_beside_a_stronger_one(srp_phat, heard, apart):
    spectrum = srp_phat.spectrum(heard((0.5, 0.0, 10), (0.35, apart, 30)))
    peaks = [peak for peak in spectrum.peaks() if peak.probability > 0.5]
    assert len(peaks) == 2
    errors = wrap_angle([peak.azimuth for peak in peaks] - np.radians([0, apart]))
    assert np.abs(np.degrees(errors)).max() < 6


def test_one_wave_is_one_source(srp_phat, heard):
    for azimuth in range(0, 90, 7):
        for elevation in (0, 20, 40, 60):
            spectrum = srp_phat.spectrum(heard((0.9, azimuth, elevation)))
            assert sum(peak.probability > 0.15 for peak in spectrum.peaks()) == 1


@pytest.mark.parametrize('dead', [[0], [1, 4]])
def test_dead_microphones_do_not_move_a_wave(uma8, srp_phat, heard, dead):
    features = heard((0.7, 50.0, 20))
    features[np.isin(uma8.pairs, dead).any(axis=1)] = 0
    assert _elevation(srp_phat, features) == pytest.approx([50, 20], abs=5)
