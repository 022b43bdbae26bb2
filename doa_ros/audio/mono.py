# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Single-channel material to simulate with: recordings of speech and noise."""

from math import gcd
from pathlib import Path

import numpy as np
from scipy import signal
import soundfile

from doa_ros.core.errors import AudioError


def read_mono(
    path: Path, rate: int, start: float = 0.0, length: float | None = None
) -> np.ndarray:
    """Read a recording of any format and bring it to a rate.

    Args:
        path: the recording; several channels are averaged.
        rate: sampling frequency wanted [Hz].
        start: where to begin [s].
        length: how much to read at most [s]; all if not given.

    Returns:
        Shape (samples,), float32, with an RMS of 1.

    Raises:
        AudioError: the file cannot be read or holds no sound.
    """
    try:
        with soundfile.SoundFile(path) as file:
            file_rate = file.samplerate
            file.seek(round(start * file_rate))
            frames = -1 if length is None else round(length * file_rate)
            samples = file.read(frames, dtype='float32', always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f'{path}: cannot be read as audio ({error})') from None
    mono = resample(samples.mean(axis=1), file_rate, rate) if len(samples) else samples
    rms = float(np.sqrt(np.mean(np.square(mono, dtype=float)))) if len(mono) else 0.0
    if not np.isfinite(rms) or rms == 0:
        raise AudioError(f'{path}: holds no sound')
    return (mono / rms).astype(np.float32)


def resample(samples: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    """Return samples at another rate [Hz]; time is the first axis."""
    if old_rate == new_rate:
        return samples
    divisor = gcd(old_rate, new_rate)
    return signal.resample_poly(samples, new_rate // divisor, old_rate // divisor, axis=0)
