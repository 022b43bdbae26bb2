# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sign, scale and resolution of the GCC-PHAT."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.features.gcc_phat import GccPhat, lag_axis

_RATE, _WINDOW = 16000, 1600


def _gcc(samples, lags, band=(0, 8000)):
    transform = GccPhat([(0, 1)], _WINDOW, _RATE, band, lags)
    cross = transform.cross_spectra(transform.spectra(samples.astype(np.float32)))
    return transform.correlation(cross)[0] / len(transform.frequencies)


def _delayed(count):
    """Return two microphones of which the first hears the same `count` samples later."""
    noise = np.random.default_rng(1).standard_normal(_WINDOW + 40)
    return np.stack([noise[20 : 20 + _WINDOW], noise[20 + count :][:_WINDOW]], axis=1)


@given(st.integers(-15, 15))
def test_positive_lag_means_the_second_microphone_heard_it_first(count):
    gcc = _gcc(_delayed(count), lag_axis(_RATE, 41))
    assert np.argmax(gcc) - 20 == count
    assert gcc.max() > 0.7


@given(st.integers(-15, 15))
def test_swapping_the_pair_mirrors_the_lags(count):
    samples = _delayed(count)
    lags = lag_axis(_RATE, 41)
    np.testing.assert_allclose(_gcc(samples[:, ::-1], lags), _gcc(samples, lags)[::-1], atol=1e-5)


def test_same_signal_gives_one_at_zero_lag_and_nothing_beyond():
    gcc = _gcc(_delayed(0), lag_axis(_RATE, 5))
    # Over the whole band the other lags are zeros of a sinc.
    np.testing.assert_allclose(gcc, [0, 0, 1, 0, 0], atol=0.01)


def test_equals_the_inverse_dft_of_the_phases():
    samples = np.random.default_rng(2).standard_normal((_WINDOW, 2))
    taper = np.sin(np.pi * np.arange(_WINDOW) / _WINDOW) ** 2
    first, second = np.fft.rfft(samples.T * taper)
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / _RATE)
    band = (frequencies >= 300) & (frequencies <= 3000)
    phase = (first * second.conj() / abs(first * second))[band]
    lags = lag_axis(48000, 21)
    expected = [np.mean((phase * np.exp(2j * np.pi * frequencies[band] * t)).real) for t in lags]
    np.testing.assert_allclose(_gcc(samples, lags, (300, 3000)), expected, atol=1e-4)


def test_band_includes_both_ends():
    def count(low, high):
        transform = GccPhat([(0, 1)], _WINDOW, _RATE, (low, high), lag_axis(_RATE, 3))
        return len(transform.frequencies)

    # Bins are 10 Hz apart.
    assert count(200, 7000) == 681
    assert count(201, 209) == 0
    assert count(200, 200) == 1


def test_silence_gives_zero_and_no_warning():
    gcc = _gcc(np.zeros((_WINDOW, 2)), lag_axis(_RATE, 13))
    assert (gcc == 0).all()


@pytest.mark.parametrize('count', [3, 13, 39])
def test_lag_axis_is_symmetric_around_zero(count):
    lags = lag_axis(48000, count)
    assert len(lags) == count
    assert lags[count // 2] == 0
    np.testing.assert_allclose(lags, -lags[::-1])
    np.testing.assert_allclose(np.diff(lags), 1 / 48000)
