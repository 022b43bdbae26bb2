# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of methods that find several talkers at a time."""

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure as Plot
from pandas import DataFrame

from ..metrics.multi_source import METRICS
from .error_bars import error_bars
from .figure_tables import Goals
from .goal_report import goal_report
from .report import Plots, Report


def multi_source_report(matches: DataFrame, *, goals: Goals, notes: Sequence[str]) -> Report:
    """Return the report of matches.

    Args:
        matches: of `collect_matches`.
        goals: by condition.
        notes: sentences for the reader.
    """
    return goal_report(matches, METRICS, partial(_draw, goals), goals=goals, notes=notes)


def _draw(goals: Goals, results: DataFrame) -> Plots:
    """Return the plot of the talkers found over the spurious estimates."""
    methods = list(results['method'].unique())
    figure = Plot(figsize=(4.5 * len(goals), 4.2), layout='constrained')
    panels = figure.subplots(1, len(goals), sharey=True, squeeze=False)[0]
    for axes, (condition, asked) in zip(panels, goals.items(), strict=True):
        here = results[results['condition'] == condition]
        for method, result in here.groupby('method', sort=False):
            axes.errorbar(
                result['spurious'],
                result['recall'],
                xerr=error_bars(result, 'spurious'),
                yerr=error_bars(result, 'recall'),
                fmt='o',
                color=f'C{methods.index(method)}',
                label=method,
            )
        axes.plot(asked['spurious'], asked['recall'], 'k*', markersize=12)
        axes.set(title=condition, xlabel='spurious estimates', xlim=(-0.02, 1), ylim=(0, 1.02))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel('talkers found within 15 degrees')
    panels[-1].legend(fontsize=7)
    caption = 'Talkers found and spurious estimates, with 95 % intervals; the stars are the goals'
    return {'found_and_spurious': (caption, figure)}
