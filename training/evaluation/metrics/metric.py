# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a metric is, and the figures of a table by metric.

A table is a DataFrame with the columns `method`, `condition` and `room` and what metrics are made
of. A new metric is a file beside its kin and an entry in the tuple METRICS of their package.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pandas import DataFrame

from .bootstrap import Bootstrap, Figure, Statistic
from .statistics import mean, ratio


@dataclass(frozen=True)
class Metric:
    """A figure of merit.

    Attributes:
        name: column of results.csv; a name that ends in _deg says the unit.
        title: for people.
        values: of each row of a table, shape (rows,), or several, shape (rows, n); NaN where the
            row does not count.
        statistic: from the values that count to the figure.
        transform: what is done to the figure and to the ends of its interval.
    """

    name: str
    title: str
    values: Callable[[DataFrame], np.ndarray]
    statistic: Statistic = mean
    transform: Callable[[float], float] = float

    def figure(self, table: DataFrame, bootstrap: Bootstrap) -> Figure:
        """Return the figure of a table, given the draws of its rooms."""
        figure = bootstrap.figure(np.asarray(self.values(table), dtype=float), self.statistic)
        return Figure(*map(self.transform, (figure.value, figure.low, figure.high)))


def ratio_metric(
    name: str,
    title: str,
    part: Callable[[DataFrame], np.ndarray],
    whole: Callable[[DataFrame], np.ndarray],
    transform: Callable[[float], float] = float,
) -> Metric:
    """Return the metric that is the sum of one column over the sum of another.

    Args:
        name, title, transform: of `Metric`.
        part, whole: one value per row of a table; rows with a whole of 0 do not count.
    """

    def values(table: DataFrame) -> np.ndarray:
        parts, wholes = (np.asarray(f(table), dtype=float) for f in (part, whole))
        return np.where((wholes > 0)[:, None], np.stack([parts, wholes], axis=1), np.nan)

    return Metric(name, title, values, ratio, transform)


def counted_where(mask: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the values of the rows that count, NaN in the others."""
    return np.where(mask, values, np.nan)


def summarise(table: DataFrame, metrics: Sequence[Metric]) -> dict[str, float]:
    """Return the figures of the rows of one method as NAME, NAME_low and NAME_high."""
    bootstrap = Bootstrap(table['room'].to_numpy())
    row = {}
    for metric in metrics:
        figure = metric.figure(table, bootstrap)
        row[metric.name] = figure.value
        row[f'{metric.name}_low'] = figure.low
        row[f'{metric.name}_high'] = figure.high
    return row


def results_by_condition(table: DataFrame, metrics: Sequence[Metric]) -> DataFrame:
    """Return the figures of every condition, and in each of every method.

    Returns:
        Columns `method` and `condition`; `count` and `rooms`, the numbers of rows and rooms; and
        those of `summarise`.
    """
    rows = []
    for condition, here in table.groupby('condition', sort=False):
        for method, mine in here.groupby('method', sort=False):
            keys = {'method': method, 'condition': condition}
            counts = {'count': len(mine), 'rooms': mine['room'].nunique()}
            rows.append({**keys, **counts, **summarise(mine, metrics)})
    return DataFrame(rows)
