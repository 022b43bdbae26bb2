# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The loudest direction is cancelled, and what is left shows the other sources."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.features.source_cancellation import Residual, uncancelled
from doa_ros.core.features.steered_response import SteeredResponse
from doa_ros.core.geometry import wrap_angle

_FEATURES = FeatureConfig(lag_rate=48000.0, lag_count=39, averaging_time=0.25, residual=True)
_GRID = DirectionGrid(azimuth_count=72, elevation_count=10)


@pytest.fixture
def noise():
    """Return half a second in which every microphone hears something else."""
    sound = 0.01 * np.random.default_rng(7).standard_normal((24000, 6))
    return sound.astype(np.float32)


def _peak(array, gcc):
    response = SteeredResponse(GccPhat(array, _FEATURES)).response(gcc)
    return _GRID.azimuths[response.max(axis=0).argmax()]


def _voices(array, plane_wave, azimuths, levels, seed=0):
    """Return sounds that, as voices do, each have their own frequencies at a time."""
    rng = np.random.default_rng(seed)
    waves = [
        plane_wave(array, azimuth, 0.4, duration=0.5, seed=seed + k)
        for k, azimuth in enumerate(azimuths)
    ]
    spectra = np.fft.rfft(waves, axis=1)
    # Bands of 40 Hz, each of one of them.
    owner = rng.integers(len(waves), size=spectra.shape[1] // 20 + 1).repeat(20)
    for k, level in enumerate(levels):
        spectra[k] *= level * (owner[: spectra.shape[1]] == k)[:, None]
    sound = np.fft.irfft(spectra.sum(axis=0), axis=0)
    return sound + 1e-5 * rng.standard_normal(sound.shape)


@settings(max_examples=15)
@given(
    azimuth=st.floats(-np.pi, np.pi),
    apart=st.floats(np.radians(50), np.radians(180)),
    seed=st.integers(0, 100),
)
def test_what_is_left_shows_the_other(uma8, plane_wave, extract, azimuth, apart, seed):
    azimuths = azimuth, azimuth + apart
    window = extract(uma8, _voices(uma8, plane_wave, azimuths, (1, 0.7), seed), _FEATURES)[-1]
    errors = np.abs(wrap_angle(np.array(azimuths) - window.residual.azimuth))
    assert errors.min() < np.radians(10)
    other = azimuths[errors.argmax()]
    assert abs(wrap_angle(_peak(uma8, window.residual.features) - other)) < np.radians(10)


def test_of_one_alone_nothing_is_left(uma8, plane_wave, extract):
    window = extract(uma8, plane_wave(uma8, 1.0, 0.3, duration=0.5), _FEATURES)[-1]
    assert window.residual.azimuth == pytest.approx(1.0, abs=np.radians(5))
    assert np.abs(window.residual.features).max() < 0.1 < 0.9 < window.features.max()


def test_the_whole_is_as_without(uma8, noise, extract):
    with_residual = extract(uma8, noise, _FEATURES)
    without = extract(uma8, noise, replace(_FEATURES, residual=False))
    for one, other in zip(with_residual, without, strict=True):
        assert np.array_equal(one.features, other.features)
        assert other.residual is None
        assert np.abs(one.residual.features).max() <= 1


def test_silence_and_dead_microphones(uma8, noise):
    extractor = FeatureExtractor(uma8, _FEATURES)
    (*_, window) = extractor.push(0, np.zeros((24000, 6), np.float32))
    assert not window.residual.features.any()
    noise[:, 2] = 0
    windows = FeatureExtractor(uma8, _FEATURES).push(0, noise)
    assert all(np.isfinite(window.residual.features).all() for window in windows)


def test_overhead_has_no_azimuth(uma8, plane_wave, extract):
    for degrees, overhead in ((60, False), (88, True)):
        sound = plane_wave(uma8, 1.0, np.radians(degrees), duration=0.5)
        azimuth = extract(uma8, sound, _FEATURES)[-1].residual.azimuth
        assert np.isnan(azimuth) == overhead


@given(azimuth=st.floats(-np.pi, np.pi))
def test_classes_apart_from_the_cancelled_direction(azimuth):
    shown = uncancelled(_GRID, Residual(np.ones((1, 1)), azimuth))
    distance = np.abs(wrap_angle(_GRID.azimuths - azimuth))
    assert shown[distance > np.radians(25)].all()
    assert not shown[distance < np.radians(22)].any()


def test_of_a_source_overhead_no_class_is_apart():
    assert not uncancelled(_GRID, Residual(np.ones((1, 1)), np.nan)).any()
