# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Other sampling frequencies: of arrays, and of recordings that are longer than memory."""

from math import ceil, gcd

import numpy as np
from scipy import signal

from doa_ros.audio.recordings.recording import Recording
from doa_ros.core.errors import AudioError
from doa_ros.core.samples import as_float

# Sampling frequencies of recordings of sound [Hz].
_RATES = (1000, 1_000_000)
# Least length of the pieces that are resampled one by one [samples].
_PIECE = 8192


def check_rate(recording: Recording) -> None:
    """Check that a recording has a sampling frequency from which others can be made.

    Raises:
        AudioError: it is none of sound.
    """
    rate = recording.sampling_frequency
    if not _RATES[0] <= rate <= _RATES[1]:
        raise AudioError(f'{recording.name}: {rate} Hz is no sampling frequency of sound')


def resample(samples: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    """Return samples at another rate [Hz]; time is the first axis."""
    if old_rate == new_rate:
        return samples
    divisor = gcd(old_rate, new_rate)
    return signal.resample_poly(samples, new_rate // divisor, old_rate // divisor, axis=0)


class Resampled:
    """A recording at another sampling frequency, with the samples that `resample` gives.

    Args:
        recording: is read from its beginning.
        rate: sampling frequency wanted [Hz].

    Attributes:
        sampling_frequency: [Hz].

    Raises:
        AudioError: the recording has no sampling frequency of sound.
    """

    def __init__(self, recording: Recording, rate: int):
        check_rate(recording)
        self._recording = recording
        self.sampling_frequency = rate
        divisor = gcd(recording.sampling_frequency, rate)
        self._up, self._down = rate // divisor, recording.sampling_frequency // divisor
        # The filter that resample_poly would design anew for each piece.
        longest = max(self._up, self._down)
        taps = 20 * longest + 1
        window = signal.firwin(taps, 1 / longest, window=('kaiser', 5.0))
        self._filter = window.astype(np.float32)
        # What the filter sees before and after a piece; pieces begin where input and output meet.
        self._margin = self._down * ceil(taps / self._up / self._down)
        self._piece = self._down * ceil(_PIECE / self._down)
        self._start()

    def _start(self) -> None:
        channels = self._recording.channel_count
        self._ended = False
        self._input = np.zeros((self._margin, channels), dtype=np.float32)
        self._output = np.zeros((0, channels), dtype=np.float32)

    def read(self, count: int) -> np.ndarray:
        """Return the next samples as `Recording.read` does, float32 with a full scale of 1."""
        while len(self._output) < count and not self._ended:
            self._output = np.concatenate([self._output, self._next()])
        samples, self._output = self._output[:count], self._output[count:]
        return samples

    def seek(self, position: int) -> None:
        """Go to the beginning, position 0.

        Raises:
            AudioError: the recording comes through a pipe.
        """
        if position:
            raise ValueError('a resampled recording can only begin anew')
        self._recording.seek(0)
        self._start()

    def _next(self) -> np.ndarray:
        """Return the next piece."""
        samples = as_float(self._recording.read(self._piece))
        self._ended = len(samples) < self._piece
        self._input = np.concatenate([self._input, samples])
        # Now complete: all before the margin, at the end all.
        complete = len(self._input) - self._margin
        if self._ended:
            silence = np.zeros((self._margin, samples.shape[1]), dtype=np.float32)
            self._input = np.concatenate([self._input, silence])
        else:
            complete = max(0, complete - self._margin) // self._down * self._down
        seen = self._input[: complete + 2 * self._margin]
        output = signal.resample_poly(seen, self._up, self._down, axis=0, window=self._filter)
        begin = self._margin // self._down * self._up
        self._input = self._input[complete:]
        return output[begin : begin + ceil(complete * self._up / self._down)]
