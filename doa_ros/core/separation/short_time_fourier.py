# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From audio of any rate to spectra of its frames, and from spectra to sound of 16 kHz.

Frames begin at whole multiples of the hop, counted from the start of the stream, so that they are
the same however the stream is cut into blocks. As all rates have the same frequency bins, sound is
resampled by leaving out those above 8 kHz.
"""

from functools import lru_cache

import numpy as np
from scipy import fft

from doa_ros.core.errors import ConfigError

RATE = 16000
"""Sampling frequency of what is given [Hz]."""
HOP = 320
"""Samples from one frame to the next, at that rate."""
WINDOW = 2 * HOP
"""Samples of a frame, at that rate, after which each sample is given at the latest."""


def input_hop(sampling_frequency: int) -> int:
    """Return the samples from one frame to the next at a rate [Hz].

    Raises:
        ConfigError: they are no whole number.
    """
    if sampling_frequency * HOP % RATE:
        raise ConfigError(
            f'sampling_frequency must be a multiple of {RATE // HOP} Hz to separate sounds, not '
            f'{sampling_frequency} Hz'
        )
    return sampling_frequency * HOP // RATE


@lru_cache(maxsize=4)
def _taper(length: int) -> np.ndarray:
    """Return the window of analysis and synthesis: its squares add up to 1 at half overlap."""
    return np.sin(np.pi * np.arange(length) / length).astype(np.float32)


class Analysis:
    """Makes the spectra of frames.

    Attributes:
        frequencies: of the bins [Hz], shape (bins,): neither 0 nor 8 kHz, which have no phase.

    Args:
        sampling_frequency: of the audio [Hz], as `input_hop` takes it.
    """

    def __init__(self, sampling_frequency: int):
        self._window = 2 * input_hop(sampling_frequency)
        self._bins = slice(1, min(WINDOW, self._window) // 2)
        self.frequencies = fft.rfftfreq(self._window, 1 / sampling_frequency)[self._bins]
        # As loud as at the rate of the synthesis.
        self._taper = _taper(self._window) * np.float32(RATE / sampling_frequency)

    def spectra(self, samples: np.ndarray) -> np.ndarray:
        """Return the spectrum of each microphone, shape (microphones, bins), complex64.

        Args:
            samples: of one frame, shape (two hops, microphones), float32.
        """
        return fft.rfft(samples.T * self._taper, axis=1)[:, self._bins].copy()


class Synthesis:
    """Makes sound of spectra, one hop at a time, by overlap and add."""

    def __init__(self) -> None:
        self._spectrum = np.zeros(WINDOW // 2 + 1, dtype=np.complex64)
        self._rest = np.zeros(HOP, dtype=np.float32)

    def samples(self, spectrum: np.ndarray) -> np.ndarray:
        """Return the sound of the first hop of a frame, shape (HOP,), float32.

        Args:
            spectrum: of `Analysis`, shape (bins,).
        """
        self._spectrum[1 : len(spectrum) + 1] = spectrum
        frame = fft.irfft(self._spectrum, WINDOW) * _taper(WINDOW)
        first = self._rest + frame[:HOP]
        self._rest = frame[HOP:]
        return first
