# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How doa-locate prints what it has found: a table, JSON lines or CSV."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
import csv
from dataclasses import dataclass
import io
import json

from doa_ros.cli.offline_pipeline import LocatedWindow
from doa_ros.columns import ESTIMATE_COLUMNS, TRACK_COLUMNS, Column, Value, Values, values_of
from doa_ros.core.errors import printable
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.track import Track

# What stands for a window in which nothing was found.
_NOTHING = (None,)


@dataclass(frozen=True)
class _Contents:
    """What is printed: all that the messages hold.

    Attributes:
        name: in JSON lines.
        found: returns what is printed of a window.
        columns: of each estimate or track.
        window_columns: of each window, besides its stamp.
    """

    name: str
    found: Callable[[LocatedWindow], Sequence[Estimate | Track]]
    columns: tuple[Column, ...]
    window_columns: tuple[Column, ...] = ()


_ESTIMATES = _Contents(
    'estimates',
    lambda window: window.estimates,
    ESTIMATE_COLUMNS,
    (
        Column('window_duration', lambda w: w.directions.window),
        Column('hop', lambda w: w.directions.hop),
        Column('sound_age', lambda w: round(w.directions.sound_age, 3)),
    ),
)
_TRACKS = _Contents('tracks', lambda window: window.tracks, TRACK_COLUMNS)


def _plain(value: Value, unknown: str) -> str:
    if value is None:
        return unknown
    return str(value).lower() if isinstance(value, bool) else str(value)


class Format(ABC):
    """Turns what was found into lines.

    Args:
        contents: what they hold.
        named: whether they say which recording they are of.
    """

    def __init__(self, contents: _Contents, named: bool):
        self._contents, self._named = contents, named

    def begin(self, name: str) -> Iterator[str]:
        """Yield the lines before those of a recording."""
        yield from ()

    @abstractmethod
    def rows(self, window: LocatedWindow, name: str) -> Iterator[str]:
        """Yield the lines of a window in a recording."""

    def _of_window(self, window: LocatedWindow, name: str) -> Values:
        values = values_of(self._contents.window_columns, window)
        return {**values, 'file': name} if self._named else values


class _AlignedTable(Format):
    def __init__(self, contents: _Contents, named: bool):
        super().__init__(contents, named)
        self._shown = [(c, c.heading) for c in contents.columns if c.heading is not None]

    def begin(self, name: str) -> Iterator[str]:
        if self._named:
            yield f'{printable(name)}:'
        yield '  '.join(['  time [s]', *(heading for _, heading in self._shown)])

    def rows(self, window: LocatedWindow, name: str) -> Iterator[str]:
        for one in self._contents.found(window) or _NOTHING:
            cells = (
                f'{self._cell(column, one):>{len(heading) + 2}}' for column, heading in self._shown
            )
            yield f'{window.end:10.2f}' + ''.join(cells)

    @staticmethod
    def _cell(column: Column, one: Estimate | Track | None) -> str:
        value = None if one is None else column.value(one)
        if value is not None and column.decimals is not None:
            value = f'{value:.{column.decimals}f}'
        return _plain(value, '-')


class _JsonLines(Format):
    def rows(self, window: LocatedWindow, name: str) -> Iterator[str]:
        contents = self._contents
        line = {
            'stamp': round(window.end, 6),
            **self._of_window(window, name),
            contents.name: [values_of(contents.columns, one) for one in contents.found(window)],
        }
        yield json.dumps(line)


class _Csv(Format):
    def __init__(self, contents: _Contents, named: bool):
        super().__init__(contents, named)
        names = [column.name for column in (*contents.columns, *contents.window_columns)]
        self._header = [_csv_line(['stamp', *names, *(['file'] if named else [])])]

    def begin(self, name: str) -> Iterator[str]:
        # All recordings form one table with one header.
        yield from self._header
        self._header = []

    def rows(self, window: LocatedWindow, name: str) -> Iterator[str]:
        contents = self._contents
        nothing: Values = dict.fromkeys(column.name for column in contents.columns)
        of_window = self._of_window(window, name)
        for one in self._contents.found(window) or _NOTHING:
            values = nothing if one is None else values_of(contents.columns, one)
            values = values | of_window
            yield _csv_line([f'{window.end:.6f}', *(_plain(v, '') for v in values.values())])


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator='').writerow(cells)
    return line.getvalue()


_FORMATS: dict[str, type[Format]] = {'table': _AlignedTable, 'jsonl': _JsonLines, 'csv': _Csv}
FORMATS = tuple(_FORMATS)
"""Their names."""


def make_format(name: str, *, tracks: bool, named: bool) -> Format:
    """Return a format.

    Args:
        name: one of `FORMATS`.
        tracks: whether it is for tracks rather than estimates.
        named: whether its lines say which recording they are of.
    """
    return _FORMATS[name](_TRACKS if tracks else _ESTIMATES, named)
