# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables of texts: on the console, as CSV and as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pandas import DataFrame
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

_WIDTH = 170

# A row: the value of each named column.
Row = dict[str, str | int | float | None]


@dataclass(frozen=True)
class Table:
    """A table for people.

    Attributes:
        title: of the table.
        cells: texts.
        labels: how many columns say what a row is about: the first ones.
    """

    title: str
    cells: DataFrame
    labels: int = 0

    @property
    def headers(self) -> list[str]:
        """Names of the columns."""
        return list(self.cells.columns)

    @property
    def rows(self) -> list[list[str]]:
        """Texts by row."""
        return self.cells.to_numpy().tolist()

    def print(self) -> None:
        """Print it on the console."""
        rich = RichTable(title=escape(self.title), box=SIMPLE_HEAD)
        for number, header in enumerate(self.headers):
            is_label = number < self.labels
            rich.add_column(
                escape(header),
                justify='left' if is_label else 'right',
                no_wrap=is_label,
                # Headers break between words, never within.
                min_width=max(map(len, header.split())),
            )
        for row in self.rows:
            rich.add_row(*map(escape, row))
        Console(width=_WIDTH).print(rich)

    @property
    def markdown(self) -> str:
        """Its cells as a Markdown table."""
        lines = [self.headers, ['---'] * len(self.headers), *self.rows]
        return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def show_table(rows: Sequence[Row], title: str, path: Path | None = None) -> None:
    """Print rows of the same columns; where there is a path, write them as its .csv and .md."""
    cells = [[str(value) for value in row.values()] for row in rows]
    table = Table(title, DataFrame(cells, columns=list(rows[0])))
    table.print()
    if path is not None:
        table.cells.to_csv(path.with_suffix('.csv'), index=False)
        path.with_suffix('.md').write_text(f'{title}\n\n{table.markdown}', encoding='utf-8')
