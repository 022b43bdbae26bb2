# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of methods that find several talkers at a time."""

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure as Plot
import numpy as np
from pandas import DataFrame

from ..metrics.metric import results_by_condition
from ..metrics.multi_source import METRICS
from .figure_tables import Goals, tables_beside_goals
from .report import Plots, Report


def multi_source_report(matches: DataFrame, *, goals: Goals, notes: Sequence[str]) -> Report:
    """Return the report of matches.

    Args:
        matches: of `collect_matches`.
        goals: by condition.
        notes: sentences for the reader.
    """
    results = results_by_condition(matches, METRICS)
    short, long = tables_beside_goals(results, METRICS, goals)
    draw = partial(_draw, results, goals)
    return Report(matches, results, short, long, notes, draw)


def _draw(results: DataFrame, goals: Goals) -> Plots:
    """Return the plot of the talkers found over the spurious estimates."""
    methods = list(results['method'].unique())
    figure = Plot(figsize=(4.5 * len(goals), 4.2), layout='constrained')
    panels = figure.subplots(1, len(goals), sharey=True, squeeze=False)[0]
    for axes, (condition, asked) in zip(panels, goals.items(), strict=True):
        for result in results[results['condition'] == condition].to_dict('records'):
            axes.errorbar(
                result['spurious'],
                result['recall'],
                xerr=_around(result, 'spurious'),
                yerr=_around(result, 'recall'),
                fmt='o',
                color=f'C{methods.index(result["method"])}',
                label=result['method'],
            )
        axes.plot(asked['spurious'], asked['recall'], 'k*', markersize=12)
        axes.set(title=condition, xlabel='spurious estimates', xlim=(-0.02, 1), ylim=(0, 1.02))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel('talkers found within 15 degrees')
    panels[-1].legend(fontsize=7)
    caption = 'Talkers found and spurious estimates, with 95 % intervals; the stars are the goals'
    return {'found_and_spurious': (caption, figure)}


def _around(result: dict[str, float], name: str) -> np.ndarray:
    """Return how far the interval reaches below and above a figure, shape (2, 1)."""
    value, low, high = (result[f'{name}{end}'] for end in ('', '_low', '_high'))
    return np.nan_to_num([[value - low], [high - value]]).clip(0)
