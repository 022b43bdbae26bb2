# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sounds of these scenes. Training draws none of them.

All functions but `beginning` are a `Sound`: they take a random generator, the recordings and a
number of samples, and return shape (samples,).
"""

import numpy as np
from scipy import fft, signal

from ....simulation.corpus import Corpus
from ....simulation.pauses import shorten_pauses
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


def chords(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return dense chords of four to six notes with eight harmonics each."""
    total = np.zeros(samples)
    begin = 0
    while begin < samples:
        count = min(round(rng.uniform(0.35, 0.9) * corpus.rate), samples - begin)
        notes = 110.0 * 2 ** (rng.choice(36, rng.integers(4, 7), replace=False) / 12)
        frequencies = np.outer(notes, np.arange(1, 9)).ravel()
        levels = np.tile(0.75 ** np.arange(8), len(notes))
        part = _tones(rng, corpus.rate, count, frequencies, levels)
        total[begin : begin + count] = part * signal.windows.tukey(count, 0.1)
        begin += count
    return total / np.std(total)


def door_slam(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return one door that slams, between a third and two thirds of the time."""
    time = np.arange(round(0.5 * corpus.rate)) / corpus.rate
    thump = np.exp(-time / 0.08) * np.sin(2 * np.pi * rng.uniform(60, 140) * time)
    crack = _coloured(rng, corpus.rate, len(time), lambda f: (f / 200) ** -0.5)
    crack *= np.exp(-time / rng.uniform(0.02, 0.06)) / np.std(crack)
    return _placed(thump + crack, round(rng.uniform(1 / 3, 2 / 3) * samples), samples)


def claps(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return claps that follow each other by 0.5 to 1.5 s."""
    total = np.zeros(samples)
    begin = rng.uniform(0, 1)
    while begin * corpus.rate < samples:
        time = np.arange(round(0.08 * corpus.rate)) / corpus.rate
        centre = rng.uniform(900, 2500)
        one = _coloured(
            rng, corpus.rate, len(time), lambda f, c=centre: np.exp(-(np.log2(f / c) ** 2))
        )
        one *= np.exp(-time / rng.uniform(0.004, 0.012)) / np.std(one)
        total += _placed(one, round(begin * corpus.rate), samples)
        begin += rng.uniform(0.5, 1.5)
    return total


def uneven_words(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return speech, every other 0.6 s of it 15 dB below the rest."""
    speech = np.resize(shorten_pauses(corpus.draw('speech', rng), corpus.rate), samples)
    quiet = np.arange(samples) // round(0.6 * corpus.rate) % 2 == rng.integers(2)
    return np.where(quiet, 10 ** (-15 / 20), 1) * speech


def hum(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return the hum of the mains at 50 or 60 Hz, with two harmonics."""
    frequencies = rng.choice([50.0, 60.0]) * np.arange(1, 4)
    return _tones(rng, corpus.rate, samples, frequencies, rng.uniform(0.3, 1, 3))


def rumble(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return traffic through a wall: noise below 120 Hz."""
    return _coloured(rng, corpus.rate, samples, lambda f: np.exp(-((f / 60) ** 2)))


def rain(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return rain: 300 to 1500 drops per second, each a click of its own strength."""
    drops = rng.random(samples) < rng.uniform(300, 1500) / corpus.rate
    clicks = drops * rng.lognormal(0, 1, samples) * rng.choice([-1, 1], samples)
    high_pass = signal.butter(1, 700, 'high', fs=corpus.rate, output='sos')
    return signal.sosfilt(high_pass, clicks)


def babble(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return twelve voices at a time."""
    voices = (np.resize(corpus.draw('speech', rng), 2 * samples) for _ in range(12))
    begins = rng.integers(samples, size=12)
    return np.sum([v[b : b + samples] for v, b in zip(voices, begins, strict=True)], axis=0)


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


def _placed(sound: np.ndarray, begin: int, samples: int) -> np.ndarray:
    """Return a sound as it stands from a sample on among silence."""
    total = np.zeros(samples)
    part = sound[: samples - begin]
    total[begin : begin + len(part)] = part
    return total
