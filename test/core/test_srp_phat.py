# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""SRP-PHAT finds simulated sources, without and with a room around them."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy import signal

from doa_ros.core.acoustics import image_sources, impulse_responses, wall_reflection
from doa_ros.core.features import FeatureConfig
from doa_ros.core.geometry import direction_of, unit_vector, wrap_angle
from doa_ros.core.srp_phat import SrpPhat, steering_matrix

_ROOM = np.array([5.0, 4.0, 2.7])
_CENTRE = np.array([2.3, 1.9, 0.8])


@pytest.fixture(scope='module')
def at_array(uma8):
    """Return a function that renders noise from a place around the array, in a room or not."""
    noise = np.random.default_rng(1).standard_normal(24000)

    def render(offset, rt60=0.0):
        reflection = wall_reflection(_ROOM, rt60, 343.0)
        reach = np.linalg.norm(offset) + (0.15 * 343 if rt60 else 0)
        images, amplitudes = image_sources(_ROOM, _CENTRE + offset, reflection, _CENTRE, reach)
        length = round(reach / 343 * 48000) + 64
        responses = impulse_responses(
            images, amplitudes, _CENTRE + uma8.positions, 48000, length, 343.0
        )
        return signal.fftconvolve(noise[None], responses, axes=1)[:, length:24000].T

    return render


@pytest.mark.parametrize(
    ('offset', 'limit'),
    [
        ((1.5, 0.0, 0.4), 1),
        ((0.0, 1.5, 0.4), 1),
        ((-1.4, -0.7, 0.7), 1),
        ((0.3, -1.2, 1.2), 1),
    ],
)
def test_source_in_the_free_field(uma8, at_array, locate, offset, limit):
    azimuth, elevation = direction_of(np.array(offset))
    found = locate(uma8, at_array(np.array(offset)))
    assert abs(wrap_angle(found.azimuth - azimuth)) < math.radians(limit)
    assert found.elevation == pytest.approx(elevation, abs=math.radians(8))


@pytest.mark.parametrize('degrees', [-170, -100, -35, 20, 80, 135])
def test_source_in_a_room(uma8, at_array, locate, degrees):
    azimuth = math.radians(degrees)
    offset = np.array([1.2 * math.cos(azimuth), 1.2 * math.sin(azimuth), 0.6])
    found = locate(uma8, at_array(offset, rt60=0.3))
    assert abs(wrap_angle(found.azimuth - azimuth)) < math.radians(5)
    assert found.confidence > 0.3


@settings(max_examples=30)
@given(st.floats(-math.pi, math.pi), st.floats(0.2, 1.4))
def test_response_of_an_ideal_gcc_peaks_at_its_direction(uma8, azimuth, elevation):
    features = FeatureConfig()
    delays = uma8.tdoa(unit_vector(azimuth, elevation))
    gcc = np.sinc((features.lags - delays[:, None]) * 14000).astype(np.float32)
    spectrum = SrpPhat(uma8, features.lags).spectrum(gcc)
    assert 0.8 < spectrum.azimuth.max() <= 1
    np.testing.assert_allclose(spectrum.elevation.sum(axis=1), 1, atol=1e-4)
    nearest = SrpPhat.grid.azimuths[spectrum.azimuth.argmax()]
    if elevation < 1.2:
        assert abs(wrap_angle(nearest - azimuth)) < math.radians(5)


def test_nothing_heard_is_every_direction_alike(uma8):
    spectrum = SrpPhat(uma8, FeatureConfig().lags).spectrum(np.zeros((15, 13), dtype=np.float32))
    np.testing.assert_allclose(spectrum.azimuth, spectrum.azimuth[0])
    assert spectrum.azimuth[0] < 0.05
    np.testing.assert_allclose(spectrum.elevation, 1 / 10, rtol=1e-4)


def test_noise_is_as_uncertain_with_fewer_pairs(uma8):
    # Noise in the features leaves the response alike however many pairs there are.
    rng = np.random.default_rng(4)
    srp = SrpPhat(uma8, FeatureConfig().lags)
    whole, part = [], []
    for _ in range(200):
        gcc = 0.05 * rng.standard_normal((15, 13)).astype(np.float32)
        whole.append(srp.spectrum(gcc).azimuth.max())
        gcc[(uma8.pairs < 2).any(axis=1)] = 0
        part.append(srp.spectrum(gcc).azimuth.max())
    assert np.mean(part) == pytest.approx(np.mean(whole), rel=0.2)


def test_steering_interpolates_between_taps(uma8):
    # A band-limited GCC sampled on the taps is read off at delays between them.
    features = FeatureConfig(lag_count=25)
    azimuths = np.radians(np.arange(0, 360, 7))
    directions = unit_vector(azimuths, 0.1)
    matrix = steering_matrix(uma8, features.lags, directions)
    assert matrix.shape == (len(azimuths), 15 * 25)
    assert matrix.dtype == np.float32
    # Any sum of sounds within the band.
    frequencies = np.linspace(300, 5000, 30)
    weights = np.random.default_rng(1).standard_normal((15, 30)) / 30

    def gcc(lags):
        return np.einsum('pf,...pf->...p', weights, np.cos(2 * np.pi * frequencies * lags))

    taps = np.stack([gcc(np.full((15, 1), lag)) for lag in features.lags], axis=1)
    expected = gcc(uma8.tdoa(directions)[..., None]).mean(axis=1)
    np.testing.assert_allclose(matrix @ taps.ravel(), expected, atol=0.01)


def test_works_on_the_fine_axis_too(uma8, extract, plane_wave):
    features = FeatureConfig(lag_rate=48000.0, lag_count=39)
    frame = extract(uma8, plane_wave(uma8, -2.0), features)[-1]
    spectrum = SrpPhat(uma8, features.lags).spectrum(frame.gcc)
    assert abs(wrap_angle(SrpPhat.grid.azimuths[spectrum.azimuth.argmax()] + 2)) < 0.05
