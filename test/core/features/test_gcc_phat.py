# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sign, scale and resolution of the GCC-PHAT, and what it says about itself."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.features.spectra import BandSpectra
from doa_ros.core.symmetry import symmetries

_RATE, _WINDOW = 16000, 1600
# The lags are samples, and the band is as wide as can be.
_CONFIG = FeatureConfig(lag_rate=_RATE, lag_count=41, band_min=20, band_max=8000)


@pytest.fixture(scope='module')
def gcc_of(make_array):
    """Return a function that computes the GCC-PHAT of one window of two microphones."""
    array = make_array([[0, 0, 0], [0.01, 0, 0]])

    def gcc(samples, config=_CONFIG):
        spectra = BandSpectra.of_features(config, _RATE).of(samples.astype(np.float32))
        gcc_phat = GccPhat(array, config)
        weight = np.ones(len(gcc_phat.frequencies), dtype=np.float32)
        return gcc_phat.features(gcc_phat.cross_spectra(spectra, weight), weight.sum())[0]

    return gcc


def _delayed(count):
    """Return two microphones of which the first hears the same `count` samples later."""
    noise = np.random.default_rng(1).standard_normal(_WINDOW + 40)
    return np.stack([noise[20 : 20 + _WINDOW], noise[20 + count :][:_WINDOW]], axis=1)


@given(st.integers(-15, 15))
def test_positive_lag_means_the_second_microphone_heard_it_first(gcc_of, count):
    gcc = gcc_of(_delayed(count))
    assert np.argmax(gcc) - 20 == count
    assert gcc.max() > 0.7


@given(st.integers(-15, 15))
def test_swapping_the_pair_mirrors_the_lags(gcc_of, count):
    samples = _delayed(count)
    np.testing.assert_allclose(gcc_of(samples[:, ::-1]), gcc_of(samples)[::-1], atol=1e-5)


def test_same_signal_gives_one_at_zero_lag_and_nothing_beyond(gcc_of):
    gcc = gcc_of(_delayed(0), replace(_CONFIG, lag_count=5))
    # Over the whole band the other lags are zeros of a sinc.
    np.testing.assert_allclose(gcc, [0, 0, 1, 0, 0], atol=0.01)


def test_equals_the_inverse_dft_of_the_phases(gcc_of):
    samples = np.random.default_rng(2).standard_normal((_WINDOW, 2))
    taper = np.sin(np.pi * np.arange(_WINDOW) / _WINDOW) ** 2
    first, second = np.fft.rfft(samples.T * taper)
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / _RATE)
    band = (frequencies >= 300) & (frequencies <= 3000)
    phase = (first * second.conj() / abs(first * second))[band]
    config = FeatureConfig(lag_rate=48000, lag_count=21, band_min=300, band_max=3000)
    turns = np.exp(2j * np.pi * np.outer(config.lags, frequencies[band]))
    expected = (phase * turns).real.mean(axis=1)
    np.testing.assert_allclose(gcc_of(samples, config), expected, atol=1e-4)


def test_band_includes_both_ends():
    def count(low, high):
        return len(
            BandSpectra.of_features(FeatureConfig(band_min=low, band_max=high), _RATE).frequencies
        )

    # Bins are 10 Hz apart.
    assert count(200, 7000) == 681
    assert count(201, 209) == 0
    assert count(200, 200.5) == 1


def test_silence_gives_zero_and_no_warning(gcc_of):
    gcc = gcc_of(np.zeros((_WINDOW, 2)))
    assert (gcc == 0).all()


@pytest.mark.parametrize('count', [3, 13, 39])
def test_lag_axis_is_symmetric_around_zero(count):
    lags = FeatureConfig(lag_rate=48000, lag_count=count).lags
    assert len(lags) == count
    assert lags[count // 2] == 0
    np.testing.assert_allclose(lags, -lags[::-1])
    np.testing.assert_allclose(np.diff(lags), 1 / 48000)


def test_turned_features_are_those_of_the_turned_source(uma8, plane_wave, extract):
    config = FeatureConfig(lag_rate=48000.0, lag_count=39, weight_min=1.0)

    def features(azimuth):
        return extract(uma8, plane_wave(uma8, azimuth, 0.4), config)[-1].features

    source = features(0.7)
    gcc_phat = GccPhat(uma8, config)
    for symmetry in symmetries(uma8):
        turned = source.ravel()[gcc_phat.turned_index(symmetry)].reshape(source.shape)
        # The ring of the array file is rounded to 0.1 mm.
        np.testing.assert_allclose(turned, features(symmetry.azimuth(0.7)), atol=0.05)


def test_the_pairs_of_dead_microphones_are_named(uma8):
    dead = np.zeros((3, 6), dtype=bool)
    dead[1, 2] = dead[2, [0, 5]] = True
    found = GccPhat(uma8, FeatureConfig()).dead_values(dead)
    assert found.shape == (3, 15, 1)
    assert found.sum(axis=(1, 2)).tolist() == [0, 5, 9]
    assert found[1, :, 0].tolist() == (uma8.pairs == 2).any(axis=1).tolist()


def test_stored_lags_are_found_again():
    fine = FeatureConfig(lag_rate=48000.0, lag_count=39)
    columns = GccPhat.stored_columns(FeatureConfig(), fine)
    np.testing.assert_allclose(fine.lags[columns], FeatureConfig().lags)
    for coarse in (FeatureConfig(), replace(fine, lag_rate=32000.0), replace(fine, lag_count=37)):
        with pytest.raises(ConfigError, match='lag axis'):
            GccPhat.stored_columns(fine, coarse)
