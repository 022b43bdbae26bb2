# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures with confidence intervals over rooms.

What was heard in one room is not independent: the intervals come from a bootstrap that draws
whole rooms (A. Davison and D. Hinkley, "Bootstrap Methods and their Application", Cambridge
University Press, 1997, section 3.8). `scipy.stats.bootstrap` draws single rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
import math

import numpy as np

_RESAMPLES = 1000
_SEED = 5
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True)
class Figure:
    """A value and its 95 % confidence interval; NaN where nothing was counted or one room is."""

    value: float
    low: float = math.nan
    high: float = math.nan


class Bootstrap:
    """Draws of the rooms that rows of a table come from.

    Args:
        room: name of the room of every row, shape (rows,).
    """

    def __init__(self, room: np.ndarray):
        names, self._rooms = np.unique(room, return_inverse=True)
        drawn = np.random.default_rng(_SEED).multinomial(
            len(names), np.full(len(names), 1 / len(names)), size=_RESAMPLES
        )
        # The first row is the table itself.
        self._weights = np.concatenate([np.ones((1, len(names))), drawn])

    def figure(self, values: np.ndarray, statistic: Callable) -> Figure:
        """Return a statistic of the rows and its interval.

        Args:
            values: one or several per row, shape (rows, ...); NaN where the row does not count.
            statistic: from the values that count, shape (counted, ...), their rooms, shape
                (counted,), and weights, shape (resamples, rooms), to the figure of each resample.
        """
        counted = ~np.isnan(values).reshape(len(values), -1).any(axis=1)
        if not counted.any():
            return Figure(math.nan)
        rooms = self._rooms[counted]
        value, *resampled = statistic(values[counted], rooms, self._weights)
        if len(np.unique(rooms)) < 2:
            return Figure(float(value))
        # A draw may hold none of the rooms that count.
        low, high = np.nanpercentile(resampled, _INTERVAL)
        return Figure(float(value), float(low), float(high))


def mean(values: np.ndarray, rooms: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean of values, shape (counted,): a statistic of `Bootstrap.figure`."""
    return ratio(np.stack([values, np.ones(len(values))], axis=1), rooms, weights)


def ratio(values: np.ndarray, rooms: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the ratio of two sums, of values of shape (counted, 2): see `mean`."""
    count = weights.shape[1]
    part, whole = (weights @ np.bincount(rooms, column, count) for column in values.T)
    with np.errstate(invalid='ignore'):
        return part / whole
