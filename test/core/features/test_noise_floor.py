# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The noise floor is the power of stationary noise and follows it when it changes."""

import numpy as np
import pytest

from doa_ros.core.features import noise_floor
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.noise_floor import NoiseFloor
from doa_ros.core.features.spectra import BandSpectra
from doa_ros.simulation.acoustics import DiffuseField

_CONFIG = FeatureConfig()


@pytest.fixture(scope='module')
def powers(uma8):
    """Return the power per window and bin of 20 s of diffuse white noise at the ring."""
    rate = 16000  # for speed: the band is the same
    rng = np.random.default_rng(1)
    noise = DiffuseField(uma8.positions, rate, 343.0).mix(rng.standard_normal((6, 20 * rate)))
    window, hop = round(_CONFIG.window * rate), round(_CONFIG.hop * rate)
    transform = BandSpectra.of_features(_CONFIG, rate)
    windows = np.lib.stride_tricks.sliding_window_view(noise.astype(np.float32), window, axis=1)
    spectra = (transform.of(windows[:, i * hop].T) for i in range(20 * 20 - 1))
    return np.stack([np.mean(np.abs(s) ** 2, axis=0) for s in spectra])


def _track(powers):
    floor = NoiseFloor(powers.shape[1], _CONFIG.hop, _CONFIG.noise_floor_time)
    return np.stack([floor.update(p) for p in powers])


def test_bias_is_that_of_diffuse_noise_at_the_ring(powers):
    floors = _track(powers)[60:]
    # Averaged over frequency: lower frequencies, where the microphones hear the same, need more.
    measured = np.mean(powers.mean(axis=0) / (floors.mean(axis=0) / noise_floor.BIN_BIAS))
    assert measured == pytest.approx(noise_floor.BIN_BIAS, rel=0.1)


def test_bias_of_each_bin_is_within_a_factor(powers):
    ratio = _track(powers)[60:].mean(axis=0) / powers.mean(axis=0)
    assert 0.6 < ratio.min() < 1 < ratio.max() < 1.4


def test_follows_a_floor_that_rises_within_its_period(powers):
    step = 200
    louder = powers.copy()
    louder[step:] *= 10
    levels = _track(louder).mean(axis=1) / powers.mean()
    # It must not follow a word of half a second ...
    assert levels[step + 9] < 2
    # ... but has risen after its period, one sub-window and the smoothing: about 2 s.
    assert levels[step + 50] == pytest.approx(10, rel=0.25)


def test_falls_at_once(powers):
    quieter = powers.copy()
    quieter[200:] *= 0.1
    levels = _track(quieter).mean(axis=1) / powers.mean()
    # Only the smoothing (0.15 s) delays it; the minimum of a second is a little higher.
    assert levels[200 + 20] < 0.15
    assert levels[200 + 50] == pytest.approx(0.1, rel=0.2)


def test_bursts_with_pauses_leave_the_floor(powers):
    bursts = powers.copy()
    for start in range(100, 300, 30):
        bursts[start : start + 10] *= 100
    levels = _track(bursts)[130:330].mean(axis=1) / powers.mean()
    assert levels.max() < 2.5
    assert np.median(levels) < 2


def test_scales_with_the_power(powers):
    np.testing.assert_allclose(
        _track(powers[:80] * np.float32(1e-9)), _track(powers[:80]) * 1e-9, rtol=1e-4
    )


def test_does_not_change_its_input(powers):
    before = powers[:5].copy()
    _track(powers[:5])
    np.testing.assert_array_equal(powers[:5], before)


def test_digital_silence_gives_zero():
    assert (_track(np.zeros((80, 4), dtype=np.float32)) == 0).all()
