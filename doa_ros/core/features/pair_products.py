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
    """

    def __init__(self, order: Sequence[int], bins: int):
        self._order = list(order)
        count = len(self._order)
        self._products = np.empty((count * (count - 1) // 2, bins), dtype=np.complex64)
        ends = np.cumsum(np.arange(count - 1, 0, -1))
        self._rows = np.split(self._products, ends[:-1])

    def of(self, spectra: np.ndarray) -> np.ndarray:
        """Return the spectrum of the first microphone of each pair times that of the second.

        Args:
            spectra: shape (microphones, bins), complex64.

        Returns:
            With the conjugate of the second, shape (pairs, bins), complex64; the next call
            overwrites it.
        """
        ordered = spectra[self._order]
        conjugate = ordered.conj()
        for first, rows in enumerate(self._rows):
            np.multiply(ordered[first], conjugate[first + 1 :], out=rows)
        return self._products
