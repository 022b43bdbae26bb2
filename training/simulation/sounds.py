# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sounds that are made up rather than recorded: noises, bursts, claps, fans and motors.

Each function takes a random generator first, and returns float32 with time as the last axis.
"""

import numpy as np
from scipy import fft, interpolate, signal


def coloured_noise(rng: np.random.Generator, shape, slope: float) -> np.ndarray:
    """Return noise whose power falls with frequency to the power of `slope`; 0 is white.

    Args:
        rng: source of randomness.
        shape: of the result; time is the last axis.
        slope: 1 for pink, 2 for brown noise.
    """
    noise = rng.standard_normal(shape, dtype=np.float32)
    if not slope:
        return noise
    spectra = fft.rfft(noise)
    bins = np.arange(spectra.shape[-1], dtype=np.float32)
    # The lowest frequencies, which no microphone hears, would otherwise outweigh the rest.
    spectra *= np.maximum(bins, 1e-3 * len(bins)) ** np.float32(-slope / 2)
    return fft.irfft(spectra, shape[-1])


def gusts(rng, samples: int, rate: int) -> np.ndarray:
    """Return a gain that swells and ebbs over seconds, as wind and traffic do."""
    strength, period = rng.uniform(2.0, 8.0), rng.uniform(0.3, 2.0)
    knots = np.arange(-1, samples / rate / period + 2) * period * rate
    levels = rng.normal(0, strength, len(knots))
    swell = interpolate.make_interp_spline(knots, levels)(np.arange(samples))
    return (10 ** (swell / 20)).astype(np.float32)


def band_noise(rng, samples: int, rate: int) -> np.ndarray:
    """Return noise in a random band at least an octave wide, between 200 Hz and 7 kHz."""
    low = np.exp(rng.uniform(np.log(200), np.log(3000)))
    high = min(low * 2 ** rng.uniform(1, 4), 7000, 0.45 * rate)
    band = signal.butter(2, [low, high], 'band', fs=rate, output='sos')
    return signal.sosfilt(band, rng.standard_normal(samples)).astype(np.float32)


def burst(rng, rate: int) -> np.ndarray:
    """Return 50 to 500 ms of noise with soft edges."""
    samples = round(rng.uniform(0.05, 0.5) * rate)
    return band_noise(rng, samples, rate) * signal.windows.tukey(samples, 0.2).astype(np.float32)


def clap(rng, rate: int) -> np.ndarray:
    """Return a short decaying click, such as a clap or a knock."""
    decay = np.exp(rng.uniform(np.log(0.002), np.log(0.02)))
    samples = round(7 * decay * rate)
    return band_noise(rng, samples, rate) * np.exp(
        -np.arange(samples, dtype=np.float32) / np.float32(decay * rate)
    )


def fan(rng, samples: int, rate: int) -> np.ndarray:
    """Return a fan: low-passed noise and the harmonics of its blades."""
    low_pass = signal.butter(1, rng.uniform(300, 2000), fs=rate, output='sos')
    air = signal.sosfilt(low_pass, rng.standard_normal(samples))
    tone = _harmonics(rng, samples, rate, rng.uniform(50, 300), 2000.0)
    return _mixed(air, tone, rng.uniform(-15, 0))


def motor(rng, samples: int, rate: int) -> np.ndarray:
    """Return a motor: harmonics up to 6 kHz that swell and ebb as it turns, and some noise."""
    tone = _harmonics(rng, samples, rate, rng.uniform(80, 400), 6000.0)
    turning = 2 * np.pi * rng.uniform(5, 30) * np.arange(samples) / rate
    tone *= 1 + rng.uniform(0.2, 0.9) * np.cos(turning + rng.uniform(0, 2 * np.pi))
    return _mixed(rng.standard_normal(samples), tone, rng.uniform(5, 20))


def _harmonics(rng, samples: int, rate: int, frequency: float, highest: float) -> np.ndarray:
    """Return the harmonics of a frequency that wanders by up to 2 %, shape (samples,)."""
    time = np.arange(samples) / rate
    wander = 1 + 0.02 * np.sin(2 * np.pi * rng.uniform(0.1, 2) * time + rng.uniform(0, 2 * np.pi))
    phase = 2 * np.pi * frequency * np.cumsum(wander) / rate
    count = max(1, int(min(highest, 0.45 * rate) / (1.02 * frequency)))
    level = 10 ** (rng.normal(0, 5, count) / 20) / np.arange(1, count + 1)
    # All harmonics are powers of one turning pointer.
    pointer = np.exp(1j * phase).astype(np.complex64)
    shifts = level * np.exp(2j * np.pi * rng.random(count))
    total = np.zeros(samples, dtype=np.complex64)
    for shift in shifts[::-1].astype(np.complex64):
        total += shift
        total *= pointer
    return total.real


def _mixed(noise: np.ndarray, tone: np.ndarray, tone_db: float) -> np.ndarray:
    """Return both, the tone that far above the noise."""
    tone = tone * (np.std(noise) / np.std(tone) * 10 ** (tone_db / 20))
    return (noise + tone).astype(np.float32)
