# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The symmetries of an array, as exact augmentation of labelled features."""

import numpy as np

from doa_ros.core.geometry import MicArray
from doa_ros.core.symmetry import Symmetry


def gather_index(array: MicArray, symmetry: Symmetry, lag_count: int) -> np.ndarray:
    """Return the index that permutes flattened features.

    Returns:
        Index into flattened features of shape (pairs, lags), such as GCC-PHAT:
        `features.ravel()[index]` are those of the turned source. A pair whose order is swapped
        has its lags reversed.
    """
    number = {tuple(pair): k for k, pair in enumerate(array.pairs.tolist())}
    lags = np.arange(lag_count)
    index = np.empty((len(number), lag_count), dtype=np.int32)
    for (i, j), source in number.items():
        first, second = symmetry.permutation[i], symmetry.permutation[j]
        swapped = first > second
        target = number[(second, first) if swapped else (first, second)]
        index[target] = source * lag_count + (lags[::-1] if swapped else lags)
    return index.ravel()
