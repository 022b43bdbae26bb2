# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables of figures for people."""

from collections.abc import Mapping, Sequence
import math

from pandas import DataFrame

from ...tables import Table
from ..metrics.metric import Metric

# Goals by condition: values of metrics by name.
Goals = Mapping[str, Mapping[str, float]]


def figure_text(row: Mapping[str, float], name: str, interval: bool) -> str:
    """Return a figure for people: degrees with one digit, shares with three.

    Args:
        row: with NAME and, for the interval, NAME_low and NAME_high.
        name: of the metric.
        interval: whether the interval is wanted.
    """
    digits = 1 if name.endswith('_deg') else 3
    value = row[name]
    if math.isnan(value):
        return '-'
    text = f'{value:.{digits}f}'
    if interval and not math.isnan(row[f'{name}_low']):
        text += f' ({row[f"{name}_low"]:.{digits}f}..{row[f"{name}_high"]:.{digits}f})'
    return text


def figure_table(
    title: str,
    results: DataFrame,
    metrics: Sequence[Metric],
    *,
    intervals: bool,
    goals: Goals | None = None,
) -> Table:
    """Return a line for each row of the results, and one for the goals of each condition.

    Args:
        title: of the table.
        results: `condition`, `method` and the figures of the metrics.
        metrics: which ones, in order.
        intervals: whether their intervals are wanted.
        goals: of the metrics, where there are any.
    """
    rows = []
    for condition, here in results.groupby('condition', sort=False):
        for result in here.to_dict('records'):
            texts = [figure_text(result, metric.name, intervals) for metric in metrics]
            rows.append([condition, result['method'], *texts])
        asked = (goals or {}).get(condition, {})
        texts = [figure_text(asked, m.name, False) if m.name in asked else '' for m in metrics]
        if any(texts):
            rows.append([condition, 'goal', *texts])
    headers = ['condition', 'method', *(metric.title for metric in metrics)]
    return Table(title, DataFrame(rows, columns=headers), labels=2)


def goal_table(results: DataFrame, metrics: Sequence[Metric], goals: Goals) -> Table:
    """Return the metrics that have goals beside them: see `figure_table`."""
    names = {name for asked in goals.values() for name in asked}
    chosen = [metric for metric in metrics if metric.name in names]
    title = 'Beside the goals, with 95 % intervals'
    return figure_table(title, results, chosen, intervals=True, goals=goals)
