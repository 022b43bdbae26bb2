# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables and plots on the console, as Markdown and as one HTML file."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
import math
from pathlib import Path

import jinja2
from matplotlib.figure import Figure as Plot
from rich.console import Console
from rich.table import Table as RichTable

from ..metrics.bootstrap import Figure

_DPI = 110


@dataclass(frozen=True)
class Table:
    """A table of texts; the first two columns say what a row is about."""

    title: str
    headers: list[str]
    rows: list[list[str]]


def print_tables(tables: Sequence[Table], notes: Sequence[str]) -> None:
    """Print tables, then sentences."""
    console = Console(width=170)
    for table in tables:
        rich = RichTable(title=table.title)
        for number, header in enumerate(table.headers):
            rich.add_column(header, justify='right' if number > 1 else 'left', no_wrap=number < 2)
        for row in table.rows:
            rich.add_row(*row)
        console.print(rich)
    for note in notes:
        console.print(note)


def write_pages(
    folder: Path,
    tables: Sequence[Table],
    drawn: Mapping[str, tuple[str, Plot]],
    notes: Sequence[str],
) -> None:
    """Write report.md, report.html and the plots.

    The HTML file holds its plots; the Markdown file links to those beside it.

    Args:
        folder: it exists.
        tables: in their order.
        drawn: plots with their captions, by name.
        notes: sentences for the reader.
    """
    plots = []
    for name, (caption, figure) in drawn.items():
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
            tables=tables, plots=plots, notes=notes
        )
        (folder / name).write_text(text, encoding='utf-8')


def figure_text(figure: Figure, name: str, interval: bool) -> str:
    """Return a figure of that name for people: degrees with one digit, shares with three."""
    digits = 1 if name.endswith('_deg') else 3
    if math.isnan(figure.value):
        return '-'
    text = f'{figure.value:.{digits}f}'
    if interval and not math.isnan(figure.low):
        text += f' ({figure.low:.{digits}f}..{figure.high:.{digits}f})'
    return text
