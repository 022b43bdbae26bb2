# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The spectra of analysis windows."""

import numpy as np
from scipy import fft

from doa_ros.core.features.config import FeatureConfig


class BandSpectra:
    """Spectra of windows within a band.

    Attributes:
        frequencies: of the bins in the band [Hz], shape (bins,).

    Args:
        window: length of a window [samples].
        sampling_frequency: [Hz].
        lowest, highest: the band, both included [Hz].
    """

    def __init__(self, window: int, sampling_frequency: int, lowest: float, highest: float):
        frequencies = fft.rfftfreq(window, 1 / sampling_frequency)
        band = [lowest, np.nextafter(highest, np.inf)]
        self._bins = slice(*np.searchsorted(frequencies, band))
        self.frequencies = frequencies[self._bins]
        # Periodic Hann window: at half overlap the windows add up to one.
        taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
        self._taper = taper.astype(np.float32)
        self._tapered = np.zeros((0, window), dtype=np.float32)

    @classmethod
    def of_features(cls, config: FeatureConfig, sampling_frequency: int) -> 'BandSpectra':
        """Return those of the features at a sampling frequency [Hz]."""
        window = round(config.window * sampling_frequency)
        return cls(window, sampling_frequency, config.band_min, config.band_max)

    def of(self, samples: np.ndarray) -> np.ndarray:
        """Return the spectrum of each microphone, shape (microphones, bins), complex64.

        Args:
            samples: one window, shape (window, microphones), float32.
        """
        microphones = samples.shape[1]
        if len(self._tapered) < microphones:
            # SciPy transforms four rows at a time, in half the time of two that are left over.
            rest = -microphones % 4
            rows = microphones + (rest if rest < 3 else 0)
            self._tapered = np.zeros((rows, len(self._taper)), dtype=np.float32)
        np.multiply(samples.T, self._taper, out=self._tapered[:microphones])
        # A copy, so that all that follows reads the band alone.
        return fft.rfft(self._tapered, axis=1)[:microphones, self._bins].copy()
