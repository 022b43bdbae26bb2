# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of separated sounds."""

from collections.abc import Sequence

from matplotlib.figure import Figure as Plot
from pandas import DataFrame

from ..metrics.separation import METRICS
from .error_bars import error_bars
from .figure_tables import Goals
from .goal_report import goal_report
from .report import Plots, Report


def voices_report(sounds: DataFrame, *, goals: Goals, notes: Sequence[str]) -> Report:
    """Return the report of separated sounds.

    Args:
        sounds: of `collect_separation`.
        goals: by condition.
        notes: sentences for the reader.
    """
    return goal_report(sounds, METRICS, _draw, goals=goals, notes=notes)


def _draw(results: DataFrame) -> Plots:
    """Return a plot of the gain of each method in every condition, with intervals."""
    conditions = list(dict.fromkeys(results['condition']))
    figure = Plot(figsize=(9, 1.5 + 0.5 * len(conditions)), layout='constrained')
    axes = figure.subplots()
    methods = list(dict.fromkeys(results['method']))
    for number, (method, mine) in enumerate(results.groupby('method', sort=False)):
        shift = 0.12 * (number - len(methods) / 2)
        places = [conditions.index(name) + shift for name in mine['condition']]
        spread = error_bars(mine, 'si_sdr_gain')
        axes.errorbar(mine['si_sdr_gain'], places, xerr=spread, fmt='o', label=method)
    axes.set(xlabel='SI-SDR gain [dB]')
    axes.set_yticks(range(len(conditions)), conditions)
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    return {'voices': ('SI-SDR gain over the centre microphone, with 95 % intervals', figure)}
