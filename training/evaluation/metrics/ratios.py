# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures that are one sum over another: by condition and method, with intervals, as tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
import csv
from dataclasses import dataclass
import math
from pathlib import Path

from matplotlib.figure import Figure as Plot
import numpy as np

from ..report.tables import Table, figure_text, print_tables, write_pages
from .bootstrap import Bootstrap, Figure, ratio
from .columns import Columns


@dataclass(frozen=True)
class RatioMetric:
    """A figure of merit.

    Attributes:
        name: column of results.csv.
        title: for people.
        part, whole: of each row of a table; the figure is the sum of the one over that of the
            other.
        rooted: whether the figure is the square root of that.
    """

    name: str
    title: str
    part: Callable[[Columns], np.ndarray]
    whole: Callable[[Columns], np.ndarray]
    rooted: bool = False


@dataclass(frozen=True)
class RatioGroup:
    """Figures of a method in a condition.

    Attributes:
        method, condition: names.
        count, rooms: how many rows of the table there are, and of how many rooms.
        figures: by name of the metric.
    """

    method: str
    condition: str
    count: int
    rooms: int
    figures: dict[str, Figure]


def ratio_groups(table: Columns, metrics: Sequence[RatioMetric]) -> Iterator[RatioGroup]:
    """Yield the figures of every condition, and in each of every method."""
    for condition in dict.fromkeys(table.condition.tolist()):
        here = table.rows(table.condition == condition)
        for method in dict.fromkeys(here.method.tolist()):
            mine = here.rows(here.method == method)
            figures = summarise_ratios(mine, metrics)
            yield RatioGroup(method, condition, len(mine), len(np.unique(mine.room)), figures)


def summarise_ratios(table: Columns, metrics: Sequence[RatioMetric]) -> dict[str, Figure]:
    """Return every metric of the rows of one method, by name."""
    bootstrap = Bootstrap(table.room)
    figures = {}
    for metric in metrics:
        part, whole = (np.asarray(f(table), dtype=float) for f in (metric.part, metric.whole))
        pairs = np.where((whole > 0)[:, None], np.stack([part, whole], axis=1), np.nan)
        figure = bootstrap.figure(pairs, ratio)
        if metric.rooted:
            figure = Figure(*map(math.sqrt, (figure.value, figure.low, figure.high)))
        figures[metric.name] = figure
    return figures


@dataclass(frozen=True)
class RatioReport:
    """What a benchmark found.

    Attributes:
        table: all rows.
        groups: figures by condition and method.
        metrics: which ones.
        goals: the least or most we ask of ourselves: values of metrics by condition.
        notes: sentences for the reader.
    """

    table: Columns
    groups: Sequence[RatioGroup]
    metrics: Sequence[RatioMetric]
    goals: Mapping[str, Mapping[str, float]]
    notes: Sequence[str]


def print_ratios(report: RatioReport) -> None:
    """Print the tables and the notes."""
    print_tables(_tables(report, intervals=False), report.notes)


def write_ratios(folder: Path, report: RatioReport, plots: Mapping[str, tuple[str, Plot]]) -> None:
    """Write report.md, report.html, plots with captions by name, results.csv and table.npz."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / 'table.npz', **report.table.columns())
    _write_csv(folder / 'results.csv', report)
    write_pages(folder, _tables(report, intervals=True), plots, report.notes)


def _tables(report: RatioReport, intervals: bool) -> list[Table]:
    asked = {name for goals in report.goals.values() for name in goals}
    beside = [metric for metric in report.metrics if metric.name in asked]
    return [
        _table('Beside the goals, with 95 % intervals', report, beside, True),
        _table('All figures', report, report.metrics, intervals),
    ]


def _table(
    title: str, report: RatioReport, metrics: Sequence[RatioMetric], intervals: bool
) -> Table:
    """Return a line for each group, and one for the goals of each condition."""
    rows = []
    for condition in dict.fromkeys(group.condition for group in report.groups):
        for group in report.groups:
            if group.condition == condition:
                figures = [(group.figures[metric.name], metric.name) for metric in metrics]
                texts = [figure_text(figure, name, intervals) for figure, name in figures]
                rows.append([condition, group.method, *texts])
        asked = report.goals.get(condition, {})
        texts = [
            figure_text(Figure(asked[metric.name]), metric.name, False)
            if metric.name in asked
            else ''
            for metric in metrics
        ]
        if any(texts):
            rows.append([condition, 'goal', *texts])
    return Table(title, ['condition', 'method', *(metric.title for metric in metrics)], rows)


def _write_csv(path: Path, report: RatioReport) -> None:
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        names = [f'{m.name}{end}' for m in report.metrics for end in ('', '_low', '_high')]
        writer.writerow(['method', 'condition', 'count', 'rooms', *names])
        for group in report.groups:
            figures = [group.figures[metric.name] for metric in report.metrics]
            writer.writerow(
                [group.method, group.condition, group.count, group.rooms]
                + [f'{x:.6g}' for f in figures for x in (f.value, f.low, f.high)]
            )
