# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sound to simulate with where there are no recordings: voice-like sounds and noises.

Voices are made by a source and a filter (G. Fant, "Acoustic Theory of Speech Production", 1960):
pulses of a wandering pitch or noise, coloured by resonances that change from sound to sound.
Nobody would understand them, but they start, stop and fill the band as speech does.
"""

from pathlib import Path

import numpy as np
from scipy import signal
import soundfile

_RATE = 16000
_FILES = {'train': 40, 'val': 10}
_SECONDS = 8.0
# Ranges of the resonances of the vocal tract [Hz], and their bandwidth.
_FORMANTS = ((250, 850), (850, 2300), (2300, 3200), (3300, 4500))
_BANDWIDTH = 120.0


def write_sounds(folder: Path, seed: int) -> None:
    """Write a folder of recordings, as `corpus.load_corpus` reads it.

    Args:
        folder: gets SPLIT/speech and SPLIT/noise.
        seed: of all randomness.
    """
    for number, (split, count) in enumerate(_FILES.items()):
        rng = np.random.default_rng([seed, number])
        for kind, make in (('speech', voice), ('noise', noise)):
            (folder / split / kind).mkdir(parents=True, exist_ok=True)
            for k in range(count):
                samples = make(rng)
                soundfile.write(
                    folder / split / kind / f'{k:03d}.flac',
                    0.9 * samples / np.abs(samples).max(),
                    _RATE,
                )


def voice(rng: np.random.Generator) -> np.ndarray:
    """Return a few seconds of sounds and pauses of one voice, shape (samples,)."""
    pitch = rng.uniform(90, 260)
    pieces: list[np.ndarray] = []
    while sum(map(len, pieces)) < _SECONDS * _RATE:
        count = round(rng.uniform(0.06, 0.25) * _RATE)
        kind = rng.choice(['vowel', 'fricative', 'pause'], p=[0.65, 0.2, 0.15])
        if kind == 'vowel':
            glide = np.linspace(rng.uniform(0.85, 1.15), rng.uniform(0.85, 1.15), count)
            phase = np.cumsum(pitch * glide / _RATE)
            piece = np.diff(np.floor(phase), prepend=0) + 0.02 * rng.standard_normal(count)
            for lowest, highest in _FORMANTS:
                piece = _resonance(piece, rng.uniform(lowest, highest))
        elif kind == 'fricative':
            low = rng.uniform(1500, 4000)
            band = signal.butter(2, [low, min(2.5 * low, 7500)], 'band', fs=_RATE, output='sos')
            piece = signal.sosfilt(band, rng.standard_normal(count))
        else:
            piece = np.zeros(count)
        piece = piece * signal.windows.tukey(count, 0.4)
        loudness = np.sqrt(np.mean(piece**2)) or 1.0
        pieces.append(piece / loudness * 10 ** (rng.uniform(-10, 0) / 20))
    return np.concatenate(pieces)


def _resonance(samples: np.ndarray, frequency: float) -> np.ndarray:
    radius = np.exp(-np.pi * _BANDWIDTH / _RATE)
    turn = 2 * np.pi * frequency / _RATE
    return signal.lfilter([1 - radius], [1, -2 * radius * np.cos(turn), radius**2], samples)


def noise(rng: np.random.Generator) -> np.ndarray:
    """Return a few seconds of noise, shape (samples,): of some colour, or many voices at once."""
    count = round(_SECONDS * _RATE)
    if rng.random() < 0.3:
        return np.sum([voice(rng)[:count] for _ in range(8)], axis=0)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / _RATE), 50)
    return np.fft.irfft(spectrum * frequencies ** -rng.uniform(0, 1.2), count)
