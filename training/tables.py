# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One table: on the console, as CSV and as Markdown."""

import csv
from pathlib import Path

# A row: what stands in each named column.
Row = dict[str, str | int | float]


def show_table(rows: list[Row], title: str, path: Path | None = None) -> None:
    """Print rows of the same columns; where there is a path, write them as its .csv and .md."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    header = list(rows[0])
    cells = [[str(value) for value in row.values()] for row in rows]
    table = Table(title=escape(title), box=SIMPLE_HEAD)
    for name in header:
        # Headers break between words, never within.
        table.add_column(escape(name), min_width=max(map(len, name.split())), justify='right')
    for row in cells:
        table.add_row(*map(escape, row))
    Console(width=130).print(table)
    if path is None:
        return
    with path.with_suffix('.csv').open('w', newline='', encoding='utf-8') as file:
        csv.writer(file).writerows([header, *cells])
    lines = [header, ['---'] * len(header), *cells]
    markdown = ''.join(f'| {" | ".join(line)} |\n' for line in lines)
    path.with_suffix('.md').write_text(f'{title}\n\n{markdown}', encoding='utf-8')
