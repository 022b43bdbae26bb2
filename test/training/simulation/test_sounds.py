# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sounds that are made up."""

import numpy as np
import pytest
from scipy import signal

from training.simulation.sounds import burst, clap, coloured_noise, fan, motor

RATE = 16000


@pytest.mark.parametrize('slope', [0.0, 1.0, 2.0])
def test_power_falls_as_the_slope_says(slope):
    noise = coloured_noise(np.random.default_rng(1), (2, 20 * RATE), slope)
    frequencies, power = signal.welch(noise[1], RATE, nperseg=1024)
    band = (frequencies > 100) & (frequencies < 6000)
    found = np.polyfit(np.log(frequencies[band]), np.log(power[band]), 1)[0]
    assert found == pytest.approx(-slope, abs=0.1)


@pytest.mark.parametrize('seed', range(5))
def test_short_sounds_are_short(seed):
    rng = np.random.default_rng(seed)
    assert 0.05 <= len(burst(rng, RATE)) / RATE <= 0.5
    click = clap(rng, RATE)
    energy = np.cumsum(click**2) / np.sum(click**2)
    assert np.argmax(energy > 0.99) < 0.06 * RATE


@pytest.mark.parametrize('make', [fan, motor])
@pytest.mark.parametrize('seed', range(5))
def test_machines_hum_above_their_noise(make, seed):
    sound = make(np.random.default_rng(seed), 4 * RATE, RATE)
    assert sound.shape == (4 * RATE,)
    assert np.isfinite(sound).all()
    frequencies, power = signal.welch(sound, RATE, nperseg=8192)
    # A tone stands above the median around it.
    band = frequencies < 2500
    smooth = signal.medfilt(power, 101)
    assert np.max(power[band] / smooth[band]) > 3
