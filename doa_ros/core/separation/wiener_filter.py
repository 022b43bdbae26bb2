# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Multichannel Wiener filters that learn from masks.

A mask times a delay-and-sum beam is what a talker sounds like, but for errors of the mask. The
filter is the best linear estimate of that from all microphones (S. Doclo et al., "Frequency-domain
criterion for the speech distortion weighted multichannel Wiener filter for robust noise
reduction", Speech Communication 49(7-8), 2007): the inverse of the covariance of all that is heard
times its covariance with the masked beam. It needs neither the covariance of the interference nor
the exact way from the talker to the microphones, and all talkers share the inverse.
"""

import numpy as np

from doa_ros.core.features.noise_covariance import inverted
from doa_ros.core.features.pair_products import PairProducts

# Covariances are averages over so long [s].
_LENGTH = 0.7
# Share of the mean power that is added to that of each microphone before inverting.
_LOADING = np.float32(3e-3)
_TINY = np.float32(1e-20)


class Covariance:
    """The covariance of all that is heard.

    Args:
        microphones: how many there are.
        bins: number of frequency bins.
        hop: time between frames [s].
    """

    def __init__(self, microphones: int, bins: int, hop: float):
        self._keep = np.float32(np.exp(-hop / _LENGTH))
        self._indices = np.triu_indices(microphones)
        self._products = PairProducts(range(microphones), bins, diagonal=0)
        # It is Hermitian: its diagonal and what is right of that, as `_products`.
        self._upper = np.zeros((len(self._indices[0]), bins), dtype=np.complex64)
        self._microphones = microphones

    def forget(self) -> None:
        """Begin anew."""
        self._upper[:] = 0

    def add(self, spectra: np.ndarray) -> None:
        """Take the spectra of a frame, shape (microphones, bins), complex64."""
        self._upper *= self._keep
        self._upper += self._products.of(spectra)

    def leave_out(self, dead: np.ndarray) -> None:
        """Forget microphones, shape (microphones,), bool."""
        rows, columns = self._indices
        self._upper[dead[rows] | dead[columns]] = 0

    def inverse(self) -> np.ndarray:
        """Return the inverse with some loading, shape (microphones, microphones, bins)."""
        count, (rows, columns) = self._microphones, self._indices
        matrices = np.empty((count, count, self._upper.shape[1]), dtype=np.complex64)
        matrices[columns, rows] = self._upper.conj()
        matrices[rows, columns] = self._upper
        diagonal = matrices.reshape(count * count, -1)[:: count + 1]
        diagonal += _LOADING / count * diagonal.real.sum(axis=0) + _TINY
        return inverted(matrices)


class WienerFilter:
    """The filter for one talker.

    Args:
        microphones, bins, hop: of `Covariance`.
    """

    def __init__(self, microphones: int, bins: int, hop: float):
        self._keep = np.float32(np.exp(-hop / _LENGTH))
        self._cross = np.zeros((microphones, bins), dtype=np.complex64)
        self._weights = np.zeros((microphones, bins), dtype=np.complex64)

    def add(self, spectra: np.ndarray, target: np.ndarray) -> None:
        """Take a frame.

        Args:
            spectra: of the microphones, shape (microphones, bins), complex64.
            target: the masked beam, shape (bins,), complex64.
        """
        self._cross *= self._keep
        self._cross += spectra * target.conj()

    def leave_out(self, dead: np.ndarray) -> None:
        """Forget microphones, shape (microphones,), bool."""
        self._cross[dead] = self._weights[dead] = 0

    def solve(self, inverse: np.ndarray) -> None:
        """Renew the filter by the inverse of `Covariance.inverse`."""
        self._weights = (inverse * self._cross).sum(axis=1).conj()

    def output(self, spectra: np.ndarray) -> np.ndarray:
        """Return what is heard of the talker, shape (bins,), complex64."""
        return (self._weights * spectra).sum(axis=0)
