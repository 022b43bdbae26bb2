# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of a benchmark with several talkers."""

from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure as Plot
import numpy as np

from .bootstrap import Figure
from .pages import Table, print_tables, write_pages
from .ratios import RatioGroup, ratio_table, write_ratios
from .sets import SET_METRICS, Sets

_MAIN = ('recall', 'spurious', 'spurious_in_speech')


@dataclass(frozen=True)
class SetReport:
    """What an evaluation found.

    Attributes:
        sets: every frame.
        groups: figures by condition and method.
        goals: least recall and most spurious estimates by condition.
        notes: sentences for the reader.
    """

    sets: Sets
    groups: tuple[RatioGroup, ...]
    goals: dict[str, dict[str, float]]
    notes: tuple[str, ...]


def print_set_report(report: SetReport) -> None:
    """Print the table and the notes."""
    print_tables(_tables(report, intervals=False), report.notes)


def write_set_report(folder: Path, report: SetReport) -> None:
    """Write report.md, report.html, the plot, results.csv and sets.npz."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / 'sets.npz', **report.sets.columns())
    write_ratios(folder / 'results.csv', report.groups, SET_METRICS)
    caption = 'Talkers found and spurious estimates, with 95 % intervals; the stars are the goals'
    plots = {'found_and_spurious': (caption, _draw(report))}
    write_pages(folder, _tables(report, intervals=True), plots, report.notes)


def _tables(report: SetReport, intervals: bool) -> list[Table]:
    beside = [metric for metric in SET_METRICS if metric.name in _MAIN]
    return [
        ratio_table(
            'Beside the goals, with 95 % intervals', report.groups, beside, report.goals, True
        ),
        ratio_table('All figures', report.groups, SET_METRICS, report.goals, intervals),
    ]


def _draw(report: SetReport) -> Plot:
    conditions = list(report.goals)
    methods = list(dict.fromkeys(group.method for group in report.groups))
    figure = Plot(figsize=(4.5 * len(conditions), 4.2), layout='constrained')
    panels = figure.subplots(1, len(conditions), sharey=True, squeeze=False)[0]
    for axes, condition in zip(panels, conditions, strict=True):
        for number, method in enumerate(methods):
            for group in report.groups:
                if (group.condition, group.method) == (condition, method):
                    found, spurious = (group.figures[n] for n in ('recall', 'spurious'))
                    axes.errorbar(
                        spurious.value,
                        found.value,
                        xerr=_around(spurious),
                        yerr=_around(found),
                        fmt='o',
                        color=f'C{number}',
                        label=method,
                    )
        goals = report.goals[condition]
        axes.plot(goals['spurious'], goals['recall'], 'k*', markersize=12)
        axes.set(title=condition, xlabel='spurious estimates', xlim=(-0.02, 1), ylim=(0, 1.02))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel('talkers found within 15 degrees')
    panels[-1].legend(fontsize=7)
    return figure


def _around(figure: Figure) -> np.ndarray:
    return np.nan_to_num([[figure.value - figure.low], [figure.high - figure.value]]).clip(0)
