# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The spectra of analysis windows."""

import numpy as np
from scipy import fft

from doa_ros.core.features.config import FeatureConfig


class BandSpectra:
    """Spectra of windows within the band of the features.

    Attributes:
        frequencies: of the bins in the band [Hz], shape (bins,).

    Args:
        config: length of the window, and band.
        sampling_frequency: [Hz].
    """

    def __init__(self, config: FeatureConfig, sampling_frequency: int):
        window = round(config.window * sampling_frequency)
        frequencies = fft.rfftfreq(window, 1 / sampling_frequency)
        band = [config.band_min, np.nextafter(config.band_max, np.inf)]
        self._bins = slice(*np.searchsorted(frequencies, band))
        self.frequencies = frequencies[self._bins]
        # Periodic Hann window: at half overlap the windows add up to one.
        taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
        self._taper = taper.astype(np.float32)
        self._tapered = np.zeros((0, window), dtype=np.float32)

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
