# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sounds that are made up."""

import numpy as np
import pytest
from scipy import signal

from training.simulation.sounds import (
    appliance,
    burst,
    clap,
    coloured_noise,
    drops,
    fan,
    hum,
    motor,
    pulses,
    tones,
)

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


def loudest_frequency(sound):
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 8 * len(sound))) ** 2
    frequencies = np.fft.rfftfreq(8 * len(sound), 1 / RATE)
    power[frequencies < 50] = 0
    return frequencies[power.argmax()]


def share_that_changes(make):
    """Return the share of the sounds whose loudest tone is another one at the end."""
    sounds = [make(np.random.default_rng(seed), 4 * RATE, RATE) for seed in range(40)]
    half = RATE // 2
    ratios = [loudest_frequency(s[-half:]) / loudest_frequency(s[:half]) for s in sounds]
    return np.mean(np.abs(np.log(ratios)) > 0.06)


def test_some_appliances_change_their_speed():
    assert share_that_changes(motor) < 0.1
    assert share_that_changes(tones) < 0.1
    assert 0.3 < share_that_changes(appliance) < 0.9


@pytest.mark.parametrize('seed', range(5))
def test_pulses_rise_and_fall(seed):
    """More than noise of the same spectrum does, whose power in 10 ms is nearly constant."""
    sound = pulses(np.random.default_rng(seed), 4 * RATE, RATE)
    white = signal.lfilter([1, -0.95], [1], sound)
    powers = np.mean(white.reshape(-1, RATE // 100) ** 2, axis=1)
    spectrum = np.abs(np.fft.rfft(powers - powers.mean())) ** 2
    peak = np.fft.rfftfreq(len(powers), 0.01)[spectrum.argmax()]
    assert 2 <= peak <= 40.5
    assert spectrum.max() > 10 * np.median(spectrum)


@pytest.mark.parametrize('make', [appliance, tones, drops, hum])
def test_noises_work_at_every_rate(make):
    for rate in (8000, 48000):
        sound = make(np.random.default_rng(1), rate, rate)
        assert sound.shape == (rate,) and sound.dtype == np.float32
        assert np.isfinite(sound).all() and np.std(sound) > 0
