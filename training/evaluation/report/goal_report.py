# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of methods that have goals in every condition."""

from collections.abc import Callable, Sequence
from functools import partial

from pandas import DataFrame

from ..metrics.metric import Metric, results_by_condition
from .figure_tables import Goals, figure_table, goal_table
from .report import Plots, Report


def goal_report(
    answers: DataFrame,
    metrics: Sequence[Metric],
    draw: Callable[[DataFrame], Plots],
    *,
    goals: Goals,
    notes: Sequence[str],
) -> Report:
    """Return the report of the figures of every condition and method.

    Args:
        answers: the table that the metrics read.
        metrics: in the order of the tables.
        draw: returns the plots of the figures.
        goals: by condition.
        notes: sentences for the reader.
    """
    results = results_by_condition(answers, metrics)
    beside = goal_table(results, metrics, goals)
    # On the console, all intervals would be too much.
    short, long = (
        figure_table('All figures', results, metrics, intervals=intervals, goals=goals)
        for intervals in (False, True)
    )
    return Report(answers, results, [beside, short], [beside, long], notes, partial(draw, results))
