# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Single-channel recordings of speech and noise to simulate with."""

from pathlib import Path

import numpy as np

from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.recordings.resampling import check_rate, resample
from doa_ros.core.errors import AudioError
from doa_ros.core.samples import as_float

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
    recording = Recording(path)
    try:
        check_rate(recording)
        file_rate = recording.sampling_frequency
        recording.seek(round(start * file_rate))
        samples = _read(recording, _LONGEST if length is None else min(length, _LONGEST))
    finally:
        recording.close()
    mono = resample(samples, file_rate, rate) if len(samples) else samples
    rms = float(np.sqrt(np.mean(np.square(mono, dtype=float)))) if len(mono) else 0.0
    if not np.isfinite(rms) or rms == 0:
        raise AudioError(f'{path}: holds no sound')
    return (mono / rms).astype(np.float32)


def _read(recording: Recording, length: float) -> np.ndarray:
    """Return the mean over the channels of at most `length` seconds, shape (samples,)."""
    # By pieces: a damaged header may promise more samples than there is memory.
    pieces = [np.zeros(0, dtype=np.float32)]
    left = round(length * recording.sampling_frequency)
    while left > 0:
        piece = as_float(recording.read(min(left, _PIECE)))
        if not len(piece):
            break
        pieces.append(piece.mean(axis=1))
        left -= len(piece)
    return np.concatenate(pieces)
