# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sounds that are made up rather than recorded: noises, bursts, claps, machines, tones and rain.

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
    return fft.irfft(spectra, noise.shape[-1])


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


def appliance(rng, samples: int, rate: int) -> np.ndarray:
    """Return rushing air and a motor that may change its speed, as of a vacuum cleaner."""
    colour = coloured_noise(rng, samples, rng.uniform(0, 1))
    air = _mixed(colour, band_noise(rng, samples, rate), rng.uniform(-6, 6))
    frequency = rng.uniform(60, 500)
    tone = _harmonics(rng, samples, rate, frequency, 6000.0, _speed(rng, samples, rate))
    return _mixed(air, tone, rng.uniform(-12, 6))


def tones(rng, samples: int, rate: int) -> np.ndarray:
    """Return 3 to 16 steady tones between 150 Hz and 5 kHz, and some noise."""
    count = rng.integers(3, 17)
    highest = min(5000.0, 0.45 * rate)
    frequencies = np.exp(rng.uniform(np.log(150), np.log(highest), count))
    return _mixed(
        coloured_noise(rng, samples, rng.uniform(0, 1)),
        _sinusoids(rng, samples, rate, frequencies),
        rng.uniform(5, 20),
    )


def pulses(rng, samples: int, rate: int) -> np.ndarray:
    """Return noise whose amplitude rises and falls 2 to 40 times per second."""
    phase = rng.uniform(0, 2 * np.pi)
    phase += 2 * np.pi * np.exp(rng.uniform(np.log(2), np.log(40))) * np.arange(samples) / rate
    gain = 1 + rng.uniform(0.2, 0.9) * np.cos(phase)
    return coloured_noise(rng, samples, rng.uniform(0, 1.5)) * gain.astype(np.float32)


def drops(rng, samples: int, rate: int) -> np.ndarray:
    """Return rain: 100 to 3000 drops per second, each of its own strength."""
    density = np.exp(rng.uniform(np.log(100), np.log(3000))) / rate
    clicks = (rng.random(samples) < density) * rng.normal(0, 1, samples)
    band = signal.butter(1, [rng.uniform(200, 1500), 0.45 * rate], 'band', fs=rate, output='sos')
    air = coloured_noise(rng, samples, 1.0)
    return _mixed(air, signal.sosfilt(band, clicks), rng.uniform(10, 30))


def hum(rng, samples: int, rate: int) -> np.ndarray:
    """Return the hum of a transformer at 50 or 60 Hz with up to 20 harmonics, and some noise."""
    frequencies = rng.choice([50.0, 60.0]) * np.arange(1, rng.integers(2, 22))
    tone = _sinusoids(rng, samples, rate, frequencies)
    return _mixed(coloured_noise(rng, samples, 1.0), tone, rng.uniform(5, 25))


def _sinusoids(rng, samples: int, rate: int, frequencies: np.ndarray) -> np.ndarray:
    """Return tones with random phases and levels, shape (samples,)."""
    levels = 10 ** (rng.normal(0, 6, len(frequencies)) / 20)
    turns = np.outer(frequencies, np.arange(samples) / rate) + rng.random((len(frequencies), 1))
    return levels @ np.cos(2 * np.pi * turns)


def _speed(rng, samples: int, rate: int) -> np.ndarray:
    """Return the speed of a motor over time, of 1 at first; half of the motors change it once."""
    after = np.exp(rng.uniform(-0.4, 0.4)) if rng.random() < 0.5 else 1.0
    change = rng.uniform(0, samples)
    ramp = rng.uniform(0.1, 1.5) * rate
    return 1 + (after - 1) * np.clip((np.arange(samples) - change) / ramp, 0, 1)


def _harmonics(
    rng, samples: int, rate: int, frequency: float, highest: float, speed: np.ndarray | float = 1.0
) -> np.ndarray:
    """Return the harmonics of a frequency that wanders by up to 2 %, shape (samples,).

    Args:
        rng, samples, rate: as everywhere here.
        frequency: of the first harmonic, where the speed is 1 [Hz].
        highest: frequency of a harmonic [Hz].
        speed: factor of the frequency, shape (samples,).
    """
    time = np.arange(samples) / rate
    wander = 1 + 0.02 * np.sin(2 * np.pi * rng.uniform(0.1, 2) * time + rng.uniform(0, 2 * np.pi))
    phase = 2 * np.pi * frequency * np.cumsum(wander * speed) / rate
    count = max(1, int(min(highest, 0.45 * rate) / (1.02 * frequency * np.max(speed))))
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
