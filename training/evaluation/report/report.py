# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation: on the console, as Markdown and HTML, as CSV and as raw answers."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import jinja2
from matplotlib.figure import Figure as Plot
import numpy as np
from pandas import DataFrame

from ...tables import Table

_DPI = 110

# Caption and plot by name.
Plots = Mapping[str, tuple[str, Plot]]


@dataclass(frozen=True)
class Report:
    """What an evaluation found.

    Attributes:
        answers: the table that all figures are made of.
        results: the figures of every metric.
        summary: tables for the console.
        tables: for the files.
        notes: sentences for the reader.
        draw: makes the plots; called where files are written.
    """

    answers: DataFrame
    results: DataFrame
    summary: Sequence[Table]
    tables: Sequence[Table]
    notes: Sequence[str]
    draw: Callable[[], Plots]


def print_report(report: Report) -> None:
    """Print the summary and the notes."""
    for table in report.summary:
        table.print()
    for note in report.notes:
        print(note)


def write_report(folder: Path, report: Report) -> None:
    """Write report.md, report.html, the plots, results.csv and answers.npz.

    The HTML file holds its plots; the Markdown file links to those beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_answers(folder / 'answers.npz', report.answers)
    report.results.to_csv(folder / 'results.csv', index=False, float_format='%.6g', na_rep='nan')
    plots = []
    for name, (caption, figure) in report.draw().items():
        image = BytesIO()
        figure.savefig(image, format='png', dpi=_DPI)
        file = folder / f'{name}.png'
        file.write_bytes(image.getvalue())
        data = b64encode(image.getvalue()).decode()
        plots.append({'file': file.name, 'caption': caption, 'data': data})
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=jinja2.select_autoescape(['html.j2']),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in ('report.md', 'report.html'):
        text = environment.get_template(f'{name}.j2').render(
            tables=report.tables, plots=plots, notes=report.notes
        )
        (folder / name).write_text(text, encoding='utf-8')


def _write_answers(path: Path, answers: DataFrame) -> None:
    """Write every column as an array of its name, texts without pickling."""
    columns: dict[str, Any] = {
        name: column.to_numpy() if column.dtype.kind in 'biuf' else column.to_numpy(dtype=str)
        for name, column in answers.items()
    }
    np.savez_compressed(path, **columns)
