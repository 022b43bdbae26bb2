# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of scenes as they are in the world: a table for each family of them."""

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure as Plot
from pandas import DataFrame

from ...tables import Table
from ..metrics.metric import results_by_condition
from ..metrics.world import METRICS
from ..scenes.world.situation import Family
from .figure_tables import figure_table
from .report import Plots, Report

_BY_NAME = {metric.name: metric for metric in METRICS}


def world_report(
    matches: DataFrame, families: Sequence[Family], *, notes: Sequence[str]
) -> Report:
    """Return the report of matches.

    Args:
        matches: of `collect_world`, of all situations of the families.
        families: in the order of the tables.
        notes: sentences for the reader.
    """
    results = results_by_condition(matches, METRICS)
    short, long = (
        [_family_table(results, family, intervals) for family in families]
        for intervals in (False, True)
    )
    return Report(matches, results, short, long, notes, partial(_draw, results, families))


def _family_table(results: DataFrame, family: Family, intervals: bool) -> Table:
    names = [situation.name for situation in family.situations]
    return figure_table(
        family.title,
        results[results['condition'].isin(names)],
        [_BY_NAME[name] for name in family.metrics],
        intervals=intervals,
        goals={situation.name: situation.goals for situation in family.situations},
    )


def _draw(results: DataFrame, families: Sequence[Family]) -> Plots:
    """Return a plot per family: what is found in each situation, and what is wrong."""
    plots = {}
    for number, family in enumerate(families):
        names = [situation.name for situation in family.situations]
        here = results[results['condition'].isin(names)]
        figure = Plot(figsize=(11, 1.5 + 0.32 * len(names)), layout='constrained')
        panels = figure.subplots(1, 2, sharey=True)
        for axes, metric in zip(panels, ('recall', 'wrong_and_confident'), strict=True):
            for method, mine in here.groupby('method', sort=False):
                places = [names.index(name) for name in mine['condition']]
                axes.plot(mine[metric], places, 'o', label=method, alpha=0.7)
            axes.set(title=_BY_NAME[metric].title, xlim=(-0.02, 1.02))
            axes.set_yticks(range(len(names)), names, fontsize=7)
            axes.grid(alpha=0.3)
        panels[0].invert_yaxis()
        panels[1].legend(fontsize=6)
        plots[f'world_{number}'] = (family.title, figure)
    return plots
