# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Statistics of weighted rooms, for `Bootstrap.figure`: see `bootstrap.Statistic`."""

import math

import numpy as np

# Weights of so many rows are held at a time.
_CHUNK = 4_000_000


def mean(values: np.ndarray, rooms: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean of values, shape (counted,)."""
    return ratio(np.stack([values, np.ones(len(values))], axis=1), rooms, weights)


def ratio(values: np.ndarray, rooms: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the sum of one value over the sum of the other, of values of shape (counted, 2)."""
    count = weights.shape[1]
    part, whole = (weights @ np.bincount(rooms, column, count) for column in values.T)
    with np.errstate(invalid='ignore'):
        return part / whole


def median(values: np.ndarray, rooms: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the median of values, shape (counted,)."""
    order = np.argsort(values)
    ordered, rooms = values[order], rooms[order]
    result = []
    for chunk in np.array_split(weights, math.ceil(len(weights) * len(order) / _CHUNK)):
        below = np.cumsum(chunk[:, rooms], axis=1)
        half = below[:, -1:] / 2
        middle = ordered[(below >= half).argmax(axis=1)] + ordered[(below > half).argmax(axis=1)]
        result.append(np.where(half[:, 0] > 0, middle / 2, np.nan))
    return np.concatenate(result)
