# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""GCC-PHAT of all microphone pairs on a chosen lag axis.

C. Knapp and G. Carter, "The generalized correlation method for estimation of time delay", IEEE
Trans. Acoustics, Speech and Signal Processing 24(4), 1976. Only the lags an array can produce
are computed: the inverse DFT is one small matrix product, at any resolution, so that the audio
needs no resampler.

Sign: the lag of pair (i, j) is the arrival time at i minus the arrival time at j. A peak at a
positive lag means that the sound reached j first.
"""

import numpy as np
from scipy import fft

# Keeps the phase of a bin without signal at zero instead of NaN.
_TINY = np.float32(1e-20)


def lag_axis(lag_rate: float, lag_count: int) -> np.ndarray:
    """Return `lag_count` (odd) lags [s] around zero, 1 / `lag_rate` apart."""
    return (np.arange(lag_count) - lag_count // 2) / lag_rate


class GccPhat:
    """Cross-spectra of pairs and their transform to lags.

    Attributes:
        frequencies: of the bins in the band [Hz], shape (bins,).

    Args:
        pairs: microphone indices (i, j), shape (pairs, 2).
        window: window length [samples].
        sampling_frequency: [Hz].
        band: lowest and highest frequency used [Hz].
        lags: lag axis [s], shape (lags,).
    """

    def __init__(self, pairs, window, sampling_frequency, band, lags):
        frequencies = fft.rfftfreq(window, 1 / sampling_frequency)
        low, high = np.searchsorted(frequencies, [band[0], np.nextafter(band[1], np.inf)])
        self._bins = slice(low, high)
        self._first, self._second = np.asarray(pairs).T
        # Periodic Hann window: at half overlap the windows add up to one.
        taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
        self._taper = taper.astype(np.float32)
        self.frequencies = frequencies[self._bins]
        phase = 2 * np.pi * np.outer(self.frequencies, lags)
        # The real part of cross-spectrum times exp(j phase), as one real product.
        self._inverse = np.concatenate([np.cos(phase), -np.sin(phase)]).astype(np.float32)

    def spectra(self, samples: np.ndarray) -> np.ndarray:
        """Return the band's spectrum of each microphone, shape (microphones, bins), complex64.

        Args:
            samples: one window, shape (window, microphones), float32.
        """
        tapered = samples.T * self._taper
        return fft.rfft(tapered, axis=1)[:, self._bins]

    def cross_spectra(self, spectra: np.ndarray) -> np.ndarray:
        """Return the phase-transformed cross-spectrum of each pair, shape (pairs, bins)."""
        phases = spectra / (np.abs(spectra) + _TINY)
        return phases[self._first] * phases[self._second].conj()

    def correlation(self, cross_spectra: np.ndarray) -> np.ndarray:
        """Return the sum over the band at each lag, shape (pairs, lags), float32.

        Args:
            cross_spectra: shape (pairs, bins), complex64, weighted as wanted.
        """
        return np.concatenate([cross_spectra.real, cross_spectra.imag], axis=1) @ self._inverse
