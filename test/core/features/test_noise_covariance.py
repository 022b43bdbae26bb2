# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The covariance of the noise is learnt from noise alone, and anew when the noise changes."""

import numpy as np
import pytest

from doa_ros.core.features.noise_covariance import NoiseCovariance, inverted

_BINS, _HOP = 60, 0.05


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def _phases(rng):
    """Return random phases of a plane wave at the microphones, shape (6, bins)."""
    return np.exp(2j * np.pi * rng.random((6, _BINS)))


def _normal(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def _windows(rng, phases, power, count):
    """Return spectra of a noise with these phases beside that of the microphones, of power 1."""
    sound = np.sqrt(power) * phases * _normal(rng, count, 1, _BINS)
    return (sound + _normal(rng, count, 6, _BINS)).astype(np.complex64)


def _powers(noise, windows):
    return np.array([noise.whiten(window)[1].mean() for window in windows])


@pytest.fixture
def known(rng):
    """Return what knows a noise 20 dB above that of the microphones, and its phases."""
    noise, phases = NoiseCovariance(6, _BINS, _HOP), _phases(rng)
    _powers(noise, _windows(rng, phases, 100, 100))
    return noise, phases


def test_matrices_are_inverted_by_elimination(rng):
    factors = _normal(rng, 6, 6, _BINS)
    matrices = np.einsum('ikf,jkf->ijf', factors, factors.conj()) + 0.1 * np.eye(6)[..., None]
    expected = np.linalg.inv(matrices.transpose(2, 0, 1)).transpose(1, 2, 0)
    assert inverted(matrices) == pytest.approx(expected)


def test_covariance_and_inverse_are_those_of_the_noise(rng, known):
    noise, phases = known
    expected = 100 * phases[:, None] * phases.conj() + np.eye(6)[..., None]
    assert np.abs(noise.covariance - expected).mean() < 25
    assert noise.covariance == pytest.approx(noise.covariance.swapaxes(0, 1).conj(), rel=1e-3)
    let_through = [
        np.einsum('mf,mnf,nf->f', a.conj(), noise.inverse, a).real.mean()
        for a in (phases, _phases(rng))
    ]
    assert let_through[0] < 0.02
    assert let_through[1] > 3


def test_whitened_power_of_the_noise_is_1_and_that_of_a_weaker_sound_is_not(rng, known):
    noise, phases = known
    assert _powers(noise, _windows(rng, phases, 100, 40)).mean() == pytest.approx(1, abs=0.35)
    windows = _windows(rng, phases, 100, 10) + _windows(rng, _phases(rng), 30, 10)
    assert (_powers(noise, windows) > 3).all()


def test_a_sound_that_pauses_is_not_learnt(rng, known):
    noise, phases = known
    other = _phases(rng)
    for _ in range(10):
        _powers(noise, _windows(rng, phases, 100, 10) + _windows(rng, other, 300, 10))
        _powers(noise, _windows(rng, phases, 100, 6))
    windows = _windows(rng, phases, 100, 10) + _windows(rng, other, 300, 10)
    assert _powers(noise, windows).mean() > 20


def test_it_says_where_a_noise_has_begun_until_it_is_known(rng, known):
    noise, _ = known
    phases = _phases(rng)
    assert not noise.begun.any()
    _powers(noise, _windows(rng, phases, 1000, 8))
    assert not noise.begun.any()
    _powers(noise, _windows(rng, phases, 1000, 7))
    assert noise.begun.mean() > 0.5
    _powers(noise, _windows(rng, phases, 1000, 60))
    assert noise.begun.mean() < 0.05


def test_a_few_windows_do_not_tell_how_many_directions_the_noise_has(rng):
    noise, phases = NoiseCovariance(6, _BINS, _HOP), _phases(rng)
    for power, count, expected in [(0, 10, 0), (0, 40, 0.1), (1000, 4, 0.1), (1000, 60, 2.6)]:
        _powers(noise, _windows(rng, phases, power, count))
        assert noise.spread.mean() == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize('scale', [1e-9, 1e-4, 1e4])
def test_level_does_not_matter(rng, scale):
    windows = np.float32(scale) * _windows(rng, _phases(rng), 100, 60)
    powers = _powers(NoiseCovariance(6, _BINS, _HOP), windows)
    assert powers[20:].mean() == pytest.approx(1, abs=0.35)


@pytest.mark.parametrize('power', [3, 3000])
def test_a_noise_that_changes_is_known_again_within_2_s(rng, known, power):
    noise, _ = known
    powers = _powers(noise, _windows(rng, _phases(rng), power, 60))
    assert powers[40:].mean() < 1.6


def test_a_noise_that_goes_is_forgotten_within_2_s(rng, known):
    noise, phases = known
    powers = _powers(noise, np.float32(0.01) * _windows(rng, phases, 100, 50))
    assert powers[:5].mean() < 0.001
    assert 0.2 < powers[40:].mean() < 1.6


def test_a_dead_microphone_is_left_out(rng, known):
    noise, phases = known
    windows = _windows(rng, phases, 100, 60)
    windows[:, 2] = 0
    powers = _powers(noise, windows)
    assert noise.alive.tolist() == [True, True, False, True, True, True]
    assert powers[20:].mean() == pytest.approx(1, abs=0.35)
    assert not noise.covariance[2].any() and not noise.covariance[:, 2].any()
    whitened, _ = noise.whiten(windows[0])
    assert not whitened[2].any() and whitened[0].any()


def test_digital_silence_is_no_noise(rng, known):
    noise, _ = known
    before = noise.covariance.copy()
    whitened, power = noise.whiten(np.zeros((6, _BINS), dtype=np.complex64))
    assert not whitened.any() and not power.any()
    assert (noise.covariance == before).all()


def test_digital_silence_at_the_start_is_skipped(rng):
    noise = NoiseCovariance(6, _BINS, _HOP)
    _powers(noise, np.zeros((20, 6, _BINS), dtype=np.complex64))
    powers = _powers(noise, _windows(rng, _phases(rng), 100, 40))
    assert np.isfinite(powers).all()
    assert powers[20:].mean() == pytest.approx(1, abs=0.35)
