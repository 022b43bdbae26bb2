# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Single-channel material to simulate with: recordings of speech and noise."""

from math import gcd
from pathlib import Path

import numpy as np
from scipy import signal
import soundfile

from doa_ros.core.errors import AudioError

# Sampling frequencies of recordings of sound [Hz].
_RATES = (1000, 1_000_000)
# More of a recording is not read [s]; compressed silence of any length makes a small file.
_LONGEST = 3600.0
# Samples that are read at once.
_PIECE = 1 << 20


def read_mono(
    path: Path, rate: int, start: float = 0.0, length: float | None = None
) -> np.ndarray:
    """Read a recording of any format and bring it to a rate.

    Args:
        path: the recording; several channels are averaged.
        rate: sampling frequency wanted [Hz].
        start: where to begin [s].
        length: how much to read at most [s]; if not given all, up to an hour.

    Returns:
        Shape (samples,), float32, with an RMS of 1.

    Raises:
        AudioError: the file cannot be read or holds no sound.
    """
    check_file(path)
    try:
        with soundfile.SoundFile(path) as file:
            file_rate = file.samplerate
            if not _RATES[0] <= file_rate <= _RATES[1]:
                raise AudioError(f'{path}: {file_rate} Hz is no sampling frequency of sound')
            file.seek(round(start * file_rate))
            samples = _read(file, _LONGEST if length is None else min(length, _LONGEST))
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        # TypeError: a file named .raw says nothing about what it holds.
        raise AudioError(f'{path}: cannot be read as audio ({error})') from None
    mono = resample(samples, file_rate, rate) if len(samples) else samples
    rms = float(np.sqrt(np.mean(np.square(mono, dtype=float)))) if len(mono) else 0.0
    if not np.isfinite(rms) or rms == 0:
        raise AudioError(f'{path}: holds no sound')
    return (mono / rms).astype(np.float32)


def check_file(path: Path) -> None:
    """Check that there is a file to be read.

    Raises:
        AudioError: there is none, or it is something else, such as a pipe that may never end.
    """
    if not path.exists():
        raise AudioError(f'{path}: cannot be read as audio (no such file)')
    if not path.is_file():
        raise AudioError(f'{path}: cannot be read as audio (not a regular file)')


def _read(file: soundfile.SoundFile, length: float) -> np.ndarray:
    """Return the mean over the channels of at most `length` seconds, shape (samples,)."""
    # By pieces: a damaged header may promise more samples than there is memory.
    pieces, left = [np.zeros(0, dtype=np.float32)], round(length * file.samplerate)
    while left > 0:
        piece = file.read(min(left, _PIECE), dtype='float32', always_2d=True)
        if not len(piece):
            break
        pieces.append(piece.mean(axis=1))
        left -= len(piece)
    return np.concatenate(pieces)


def resample(samples: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    """Return samples at another rate [Hz]; time is the first axis."""
    if old_rate == new_rate:
        return samples
    divisor = gcd(old_rate, new_rate)
    return signal.resample_poly(samples, new_rate // divisor, old_rate // divisor, axis=0)
