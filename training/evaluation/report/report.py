# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation: on the console, as Markdown and HTML, as CSV and as raw frames."""

import csv
from dataclasses import dataclass, field
import math
from pathlib import Path

import numpy as np

from ...deployment.costs import Cost
from ..metrics.bootstrap import Figure
from ..metrics.frames import Frames
from ..metrics.statistics import BINNINGS, METRICS, SHOWN_SENSITIVITIES, Group, trade_off
from .figures import draw_all
from .tables import Table, figure_text, print_tables, write_pages

# In the console and the README; the report holds all metrics.
_SHORT = (
    'class_accuracy',
    'azimuth_mae_deg',
    'elevation_mae_deg',
    'within_10',
    'unanswered',
    'answered_azimuth_mae_deg',
    'silence_answered',
)
_OF_DEVIATIONS = (
    'azimuth_covered',
    'elevation_covered',
    'azimuth_stddev_median_deg',
    'elevation_stddev_median_deg',
    'calibration_error',
)
_OF_BINS = (
    'azimuth_mae_deg',
    'within_10',
    'elevation_mae_deg',
    'unanswered',
    'azimuth_stddev_median_deg',
)


@dataclass(frozen=True)
class Report:
    """What an evaluation found.

    Attributes:
        frames: every answer.
        groups: figures by method and condition, and by method and class of frames.
        costs: of the models, by name.
        notes: sentences for the reader.
        goals: least values of metrics by condition.
    """

    frames: Frames
    groups: tuple[Group, ...]
    costs: dict[str, Cost]
    notes: tuple[str, ...]
    goals: dict[str, dict[str, float]] = field(default_factory=dict)


def print_report(report: Report) -> None:
    """Print the main table, that of the models, and the notes."""
    print_tables(_main_tables(report), report.notes)


def write_report(folder: Path, report: Report) -> None:
    """Write report.md, report.html, the plots, results.csv and frames.npz.

    The HTML file holds its plots; the Markdown file links to those beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / 'frames.npz', **report.frames.columns())
    _write_csv(folder / 'results.csv', report.groups)
    tables = [
        *_main_tables(report),
        _overview(report, [metric.name for metric in METRICS], intervals=True),
        _sensitivity(report.frames),
        *(table for binning in BINNINGS if (table := _by(report, binning)).rows),
    ]
    write_pages(folder, tables, draw_all(report.frames, report.groups), report.notes)


def _main_tables(report: Report) -> list[Table]:
    goals = [_beside_goals(report)] if report.goals else []
    overview = _overview(report, _SHORT, intervals=False)
    return [*goals, overview, _deviations(report), _models(report)]


def _beside_goals(report: Report) -> Table:
    """The metrics that have goals, with intervals, and the goals as the last row."""
    names = list(dict.fromkeys(name for goals in report.goals.values() for name in goals))
    table = _overview(report, names, intervals=True)
    rows = []
    for condition, goals in report.goals.items():
        rows += [row for row in table.rows if row[0] == condition]
        chosen = [metric.name for metric in METRICS if metric.name in names]
        texts = [figure_text(Figure(goals[name]), name, False) for name in chosen]
        rows.append([condition, 'goal', *texts])
    return Table('Beside the goals, with 95 % intervals', table.headers, rows)


def _overview(report: Report, metrics, intervals: bool) -> Table:
    chosen = [metric for metric in METRICS if metric.name in metrics]
    rows = [
        [
            group.condition,
            group.method,
            *(
                figure_text(group.figures[metric.name], metric.name, intervals)
                for metric in chosen
            ),
        ]
        for group in _sorted_by_condition(report.groups)
    ]
    return Table(
        'All figures, with 95 % intervals' if intervals else 'All methods on the same frames',
        ['condition', 'method', *(metric.title for metric in chosen)],
        rows,
    )


def _deviations(report: Report) -> Table:
    """How true are the deviations and confidences that the answers come with.

    Of the errors of a normal distribution, 68 % lie within one standard deviation.
    """
    chosen = [metric for metric in METRICS if metric.name in _OF_DEVIATIONS]
    together = [group for group in report.groups if not (group.condition or group.binning)]
    rows = [
        [
            group.condition or 'all of them',
            group.method,
            *(figure_text(group.figures[metric.name], metric.name, True) for metric in chosen),
        ]
        for group in (*_sorted_by_condition(report.groups), *together)
        if not math.isnan(group.figures['azimuth_covered'].value)
    ]
    return Table(
        'Stated standard deviations of the answers, with 95 % intervals',
        ['condition', 'method', *(metric.title for metric in chosen)],
        rows,
    )


def _sorted_by_condition(groups) -> list[Group]:
    whole = [group for group in groups if group.condition and not group.binning]
    order = list(dict.fromkeys(group.condition for group in whole))
    return sorted(whole, key=lambda group: order.index(group.condition))


def _models(report: Report) -> Table:
    """Every model's accuracy beside what it costs."""
    rows = []
    for group in _sorted_by_condition(report.groups):
        if group.method not in report.costs:
            continue
        cost = report.costs[group.method]
        rows.append(
            [
                group.condition,
                group.method,
                figure_text(group.figures['within_10'], 'within_10', False),
                figure_text(group.figures['azimuth_mae_deg'], 'azimuth_mae_deg', False),
                figure_text(group.figures['elevation_mae_deg'], 'elevation_mae_deg', False),
                '-' if cost.parameters is None else f'{cost.parameters:,}',
                f'{cost.size / 1024:.1f}',
                f'{cost.compressed_size / 1024:.1f}',
                f'{cost.latency * 1e6:.1f}',
            ]
        )
    return Table(
        'Models: accuracy and cost',
        [
            'condition',
            'model',
            'within 10 deg',
            'azimuth MAE [deg]',
            'elevation MAE [deg]',
            'parameters',
            'size [KiB]',
            'compressed [KiB]',
            'latency [us]',
        ],
        rows,
    )


def _sensitivity(frames: Frames) -> Table:
    """What the sensitivity trades, per condition and method with a confidence."""
    rows = []
    for condition in dict.fromkeys(frames.condition.tolist()):
        for method in dict.fromkeys(frames.method.tolist()):
            mine = frames.rows((frames.condition == condition) & (frames.method == method))
            traded = trade_off(mine, SHOWN_SENSITIVITIES)
            if not np.isnan(traded.unanswered).any():
                shares = zip(1 - traded.unanswered, traded.false, traded.silence, strict=True)
                cells = [' / '.join(f'{100 * share:.0f}' for share in three) for three in shares]
                rows.append([condition, method, *cells])
    return Table(
        'Sensitivity: voiced frames answered / false answers / silence answered [%]',
        ['condition', 'method', *(f'{setting:g}' for setting in SHOWN_SENSITIVITIES)],
        rows,
    )


def _by(report: Report, binning) -> Table:
    """Figures over the classes of a binning, one line per class and method."""
    found = [group for group in report.groups if group.binning == binning.name]
    titles = {metric.name: metric.title for metric in METRICS}
    rows = [
        [
            label,
            group.method,
            str(group.voiced),
            str(group.rooms),
            *(figure_text(group.figures[name], name, True) for name in _OF_BINS),
        ]
        for label in binning.labels
        for group in found
        if group.label == label
    ]
    headers = [binning.title, 'method', 'voiced frames', 'rooms']
    headers += [titles[name] for name in _OF_BINS]
    return Table(f'By {binning.title}', headers, rows)


def _write_csv(path: Path, groups) -> None:
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(
            ['method', 'condition', 'binning', 'label', 'voiced', 'silent', 'rooms']
            + [f'{m.name}{end}' for m in METRICS for end in ('', '_low', '_high')]
        )
        for group in groups:
            figures = [group.figures[metric.name] for metric in METRICS]
            writer.writerow(
                [group.method, group.condition, group.binning, group.label]
                + [group.voiced, group.silent, group.rooms]
                + [f'{x:.6g}' for f in figures for x in (f.value, f.low, f.high)]
            )
