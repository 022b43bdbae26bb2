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

    def of(self, samples: np.ndarray) -> np.ndarray:
        """Return the spectrum of each microphone, shape (microphones, bins), complex64.

        Args:
            samples: one window, shape (window, microphones), float32.
        """
        tapered = samples.T * self._taper
        # A copy, so that all that follows reads the band alone.
        return fft.rfft(tapered, axis=1)[:, self._bins].copy()
