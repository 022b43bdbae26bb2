# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sounds of these scenes. Training draws none of them.

All functions but `beginning` are a `Sound`: they take a random generator, the recordings and a
number of samples, and return shape (samples,).
"""

import numpy as np
from scipy import fft

from ....simulation.corpus import Corpus
from ....simulation.scenes import Sound


def beginning(sound: Sound, begin: float) -> Sound:
    """Return a sound that begins after some time [s]."""

    def late(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
        made = sound(rng, corpus, samples)
        made[: round(begin * corpus.rate)] = 0
        return made

    return late


def vacuum_cleaner(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return rushing air, and the harmonics of a motor of 170 to 330 turns per second."""
    centre = rng.uniform(700, 1800)
    air = _coloured(
        rng, corpus.rate, samples, lambda f: 1 / (1 + np.abs(np.log2(f / centre))) ** 2
    )
    levels = 0.85 ** np.arange(24) * rng.uniform(0.3, 1, 24)
    motor = _tones(rng, corpus.rate, samples, rng.uniform(170, 330) * np.arange(1, 25), levels)
    return _sum(air, motor, rng.uniform(-6, 0))


def room_fan(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return air that falls by 4 to 6 dB per octave and beats with the blades."""
    slope, blades = rng.uniform(1.3, 2.0), rng.uniform(25, 90)
    air = _coloured(rng, corpus.rate, samples, lambda f: (f / 200) ** (-slope / 2))
    beat = 1 + 0.3 * np.cos(2 * np.pi * blades * np.arange(samples) / corpus.rate)
    tone = _tones(rng, corpus.rate, samples, blades * np.arange(1, 7), 0.6 ** np.arange(6))
    return _sum(air * beat, tone, rng.uniform(-12, -3))


def pink_noise(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return pink noise as a loudspeaker plays it: from 80 Hz on."""
    return _coloured(rng, corpus.rate, samples, lambda f: np.where(f > 80, f, np.inf) ** -0.5)


def machine(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return tones without a common pitch that swell and ebb 2 to 9 times per second."""
    frequencies = np.exp(rng.uniform(np.log(250), np.log(4500), 9))
    tones = _tones(rng, corpus.rate, samples, frequencies, rng.uniform(0.3, 1, 9))
    turning = 2 * np.pi * rng.uniform(2, 9) * np.arange(samples) / corpus.rate
    tones *= 1 + rng.uniform(0.4, 0.9) * np.cos(turning)
    return _sum(pink_noise(rng, corpus, samples), tones, rng.uniform(6, 14))


def _coloured(rng: np.random.Generator, rate: int, samples: int, gain) -> np.ndarray:
    """Return noise whose spectrum has a gain, a function of the frequency [Hz]."""
    frequencies = np.maximum(fft.rfftfreq(samples, 1 / rate), 20.0)
    return fft.irfft(fft.rfft(rng.standard_normal(samples)) * gain(frequencies), samples)


def _tones(rng: np.random.Generator, rate: int, samples: int, frequencies, levels) -> np.ndarray:
    """Return tones whose frequencies [Hz] waver by half a percent together."""
    time = np.arange(samples) / rate
    waver = time + 0.005 / (2 * np.pi * 0.7) * np.sin(2 * np.pi * (0.7 * time + rng.random()))
    total = np.zeros(samples)
    for frequency, level in zip(frequencies, levels, strict=True):
        if frequency < 0.45 * rate:
            total += level * np.sin(2 * np.pi * (frequency * waver + rng.random()))
    return total


def _sum(one: np.ndarray, other: np.ndarray, other_db: float) -> np.ndarray:
    """Return both, the other one so far above the first [dB]."""
    return one / np.std(one) + other / np.std(other) * 10 ** (other_db / 20)
