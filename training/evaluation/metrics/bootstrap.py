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

# Gives the figure of each resample, shape (resamples,). It is given the values that count, shape
# (counted, ...), the numbers of their rooms, shape (counted,), and the weights of the rooms, shape
# (resamples, rooms).
Statistic = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Figure:
    """A value and its 95 % confidence interval.

    The value is NaN where nothing counts, the interval also where all that counts is of one room.
    """

    value: float
    low: float = math.nan
    high: float = math.nan


class Bootstrap:
    """Draws of the rooms that the rows of a table come from.

    Args:
        room: name of the room of every row, shape (rows,).
    """

    def __init__(self, room: np.ndarray):
        names, self._rooms = np.unique(room.astype(str), return_inverse=True)
        drawn = np.random.default_rng(_SEED).multinomial(
            len(names), np.full(len(names), 1 / len(names)), size=_RESAMPLES
        )
        # The first row is the table itself.
        self._weights = np.concatenate([np.ones((1, len(names))), drawn])

    def figure(self, values: np.ndarray, statistic: Statistic) -> Figure:
        """Return a statistic of the rows and its interval.

        Args:
            values: one or several per row, shape (rows, ...); NaN where the row does not count.
            statistic: of `statistics.py`, for example.
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
