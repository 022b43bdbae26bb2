# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of a benchmark with several talkers."""

from collections.abc import Sequence
import csv
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure as Plot
import numpy as np

from .bootstrap import Figure
from .pages import Table, figure_text, print_tables, write_pages
from .sets import SET_METRICS, SetGroup, Sets

_ALL = tuple(metric.name for metric in SET_METRICS)
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
    groups: tuple[SetGroup, ...]
    goals: dict[str, dict[str, float]]
    notes: tuple[str, ...]


def print_set_report(report: SetReport) -> None:
    """Print the table and the notes."""
    tables = [_table(report, _MAIN, True), _table(report, _ALL, False)]
    print_tables(tables, report.notes)


def write_set_report(folder: Path, report: SetReport) -> None:
    """Write report.md, report.html, the plot, results.csv and sets.npz."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / 'sets.npz', **report.sets.columns())
    _write_csv(folder / 'results.csv', report.groups)
    caption = 'Talkers found and spurious estimates, with 95 % intervals; the stars are the goals'
    plots = {'found_and_spurious': (caption, _draw(report))}
    tables = [_table(report, _MAIN, True), _table(report, _ALL, True)]
    write_pages(folder, tables, plots, report.notes)


def _table(report: SetReport, names: Sequence[str], intervals: bool) -> Table:
    metrics = [metric for metric in SET_METRICS if metric.name in names]
    rows = []
    for condition in dict.fromkeys(group.condition for group in report.groups):
        for group in report.groups:
            if group.condition == condition:
                texts = [
                    figure_text(group.figures[metric.name], metric.name, intervals)
                    for metric in metrics
                ]
                rows.append([condition, group.method, *texts])
        goals = report.goals[condition]
        texts = [
            figure_text(Figure(goals[metric.name]), metric.name, False)
            if metric.name in goals
            else ''
            for metric in metrics
        ]
        rows.append([condition, 'goal', *texts])
    return Table(
        'Beside the goals, with 95 % intervals' if names == _MAIN else 'All figures',
        ['condition', 'method', *(metric.title for metric in metrics)],
        rows,
    )


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


def _write_csv(path: Path, groups: Sequence[SetGroup]) -> None:
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        names = [f'{m.name}{end}' for m in SET_METRICS for end in ('', '_low', '_high')]
        writer.writerow(['method', 'condition', 'frames', 'pairs', 'rooms', *names])
        for group in groups:
            figures = [group.figures[metric.name] for metric in SET_METRICS]
            writer.writerow(
                [group.method, group.condition, group.frames, group.pairs, group.rooms]
                + [f'{x:.6g}' for f in figures for x in (f.value, f.low, f.high)]
            )
