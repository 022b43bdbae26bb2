# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation: on the console, as Markdown and HTML, as CSV and as raw frames."""

from base64 import b64encode
import csv
from dataclasses import dataclass, field
from io import BytesIO
import math
from pathlib import Path

import jinja2
import numpy as np
from rich.console import Console
from rich.table import Table as RichTable

from .figures import draw_all
from .frames import Frames
from .statistics import BINNINGS, METRICS, Figure, Group
from .variants import Cost

_DPI = 110
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
_OF_BINS = ('azimuth_mae_deg', 'within_10', 'elevation_mae_deg', 'unanswered')


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


@dataclass(frozen=True)
class _Table:
    title: str
    headers: list[str]
    rows: list[list[str]]


def print_report(report: Report) -> None:
    """Print the main table, that of the models, and the notes."""
    console = Console(width=170)
    for table in _main_tables(report):
        rich = RichTable(title=table.title)
        for number, header in enumerate(table.headers):
            rich.add_column(
                header, justify='right' if number > 1 else 'left', no_wrap=number < 2
            )
        for row in table.rows:
            rich.add_row(*row)
        console.print(rich)
    for note in report.notes:
        console.print(note)


def write_report(folder: Path, report: Report) -> None:
    """Write report.md, report.html, the plots, results.csv and frames.npz.

    The HTML file holds its plots; the Markdown file links to those beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / 'frames.npz', **report.frames.columns())
    _write_csv(folder / 'results.csv', report.groups)
    plots = []
    for name, (caption, figure) in draw_all(report.frames, report.groups).items():
        image = BytesIO()
        figure.savefig(image, format='png', dpi=_DPI)
        file = folder / f'{name}.png'
        file.write_bytes(image.getvalue())
        data = b64encode(image.getvalue()).decode()
        plots.append({'file': file.name, 'caption': caption, 'data': data})

    tables = [
        *_main_tables(report),
        _overview(report, [metric.name for metric in METRICS], intervals=True),
        *(table for binning in BINNINGS if (table := _by(report, binning)).rows),
    ]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=jinja2.select_autoescape(['html.j2']),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in ('report.md', 'report.html'):
        text = environment.get_template(f'{name}.j2').render(
            tables=tables, plots=plots, notes=report.notes
        )
        (folder / name).write_text(text, encoding='utf-8')


def _main_tables(report: Report) -> list[_Table]:
    goals = [_beside_goals(report)] if report.goals else []
    return [*goals, _overview(report, _SHORT, intervals=False), _models(report)]


def _beside_goals(report: Report) -> _Table:
    """The metrics that have goals, with intervals, and the goals as the last row."""
    names = list(dict.fromkeys(name for goals in report.goals.values() for name in goals))
    table = _overview(report, names, intervals=True)
    rows = []
    for condition, goals in report.goals.items():
        rows += [row for row in table.rows if row[0] == condition]
        chosen = [metric.name for metric in METRICS if metric.name in names]
        texts = [_text(Figure(goals[name]), name, False) for name in chosen]
        rows.append([condition, 'goal', *texts])
    return _Table('Beside the goals, with 95 % intervals', table.headers, rows)


def _overview(report: Report, metrics, intervals: bool) -> _Table:
    chosen = [metric for metric in METRICS if metric.name in metrics]
    rows = [
        [
            group.condition,
            group.method,
            *(_text(group.figures[metric.name], metric.name, intervals) for metric in chosen),
        ]
        for group in _sorted_by_condition(report.groups)
    ]
    return _Table(
        'All figures, with 95 % intervals' if intervals else 'All methods on the same frames',
        ['condition', 'method', *(metric.title for metric in chosen)],
        rows,
    )


def _sorted_by_condition(groups) -> list[Group]:
    whole = [group for group in groups if not group.binning]
    order = list(dict.fromkeys(group.condition for group in whole))
    return sorted(whole, key=lambda group: order.index(group.condition))


def _models(report: Report) -> _Table:
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
                _text(group.figures['within_10'], 'within_10', False),
                _text(group.figures['azimuth_mae_deg'], 'azimuth_mae_deg', False),
                _text(group.figures['elevation_mae_deg'], 'elevation_mae_deg', False),
                '-' if cost.parameters is None else f'{cost.parameters:,}',
                f'{cost.size / 1024:.1f}',
                f'{cost.compressed_size / 1024:.1f}',
                f'{cost.latency * 1e6:.1f}',
            ]
        )
    return _Table(
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


def _by(report: Report, binning) -> _Table:
    """Figures over the classes of a binning, one line per class and method."""
    found = [group for group in report.groups if group.binning == binning.name]
    titles = {metric.name: metric.title for metric in METRICS}
    rows = [
        [
            label,
            group.method,
            str(group.voiced),
            str(group.rooms),
            *(_text(group.figures[name], name, True) for name in _OF_BINS),
        ]
        for label in binning.labels
        for group in found
        if group.label == label
    ]
    headers = [binning.title, 'method', 'voiced frames', 'rooms']
    headers += [titles[name] for name in _OF_BINS]
    return _Table(f'By {binning.title}', headers, rows)


def _text(figure: Figure, name: str, interval: bool) -> str:
    digits = 1 if name.endswith('_deg') else 3
    if math.isnan(figure.value):
        return '-'
    text = f'{figure.value:.{digits}f}'
    if interval and not math.isnan(figure.low):
        text += f' ({figure.low:.{digits}f}..{figure.high:.{digits}f})'
    return text


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
