# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The products of the spectra of all pairs of microphones."""

from collections.abc import Sequence

import numpy as np


class PairProducts:
    """Multiplies the spectra of the microphones of each pair.

    To copy both spectra of each pair before would cost as much as the products. The pairs of one
    microphone with all that follow it need no copies.

    Args:
        order: of the microphones in the pairs, as `MicArray.pairs` has them.
        bins: number of frequency bins.
        diagonal: 1 for pairs of different microphones; 0 if each is paired with itself, too. It is
            that of `np.triu_indices`, whose order the products have.
    """

    def __init__(self, order: Sequence[int], bins: int, diagonal: int = 1):
        self._order = None if list(order) == sorted(order) else np.array(order)
        self._diagonal = diagonal
        counts = np.arange(len(order) - diagonal, 0, -1)
        self._products = np.empty((counts.sum(), bins), dtype=np.complex64)
        self._rows = np.split(self._products, np.cumsum(counts)[:-1])

    def of(self, spectra: np.ndarray) -> np.ndarray:
        """Return the spectrum of the first microphone of each pair times that of the second.

        Args:
            spectra: shape (microphones, bins), complex64.

        Returns:
            With the conjugate of the second, shape (pairs, bins), complex64; the next call
            overwrites it.
        """
        if self._order is not None:
            spectra = spectra[self._order]
        conjugate = spectra.conj()
        for first, rows in enumerate(self._rows):
            np.multiply(spectra[first], conjugate[first + self._diagonal :], out=rows)
        return self._products
