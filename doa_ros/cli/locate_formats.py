# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How doa-locate prints what it has found: a table, JSON lines or CSV."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
import csv
from dataclasses import dataclass
import io
import json
import math
from typing import Any

from doa_ros.cli.offline_pipeline import LocatedWindow
from doa_ros.core.errors import printable
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.track import Track

Value = bool | int | float | str | None
"""What is printed; None where it is not known."""

Values = dict[str, Value]
"""Values by the names of their columns."""


def _degrees(angle: float) -> float | None:
    return round(math.degrees(angle), 2) if math.isfinite(angle) else None


@dataclass(frozen=True)
class _Column:
    """What is printed of an estimate, a track or a window.

    Attributes:
        name: in JSON lines and CSV.
        value: returns that of an estimate, a track or a window.
        heading: in the table; None where it is not shown there.
        decimals: in the table, of what is not a whole number.
    """

    name: str
    value: Callable[[Any], Value]
    heading: str | None = None
    decimals: int | None = None


@dataclass(frozen=True)
class _Contents:
    """What is printed: all that the messages hold.

    Attributes:
        name: in JSON lines.
        columns: of each estimate or track.
        window_columns: of each window, besides its stamp.
    """

    name: str
    columns: tuple[_Column, ...]
    window_columns: tuple[_Column, ...] = ()


_DIRECTION = (
    _Column('azimuth_deg', lambda e: _degrees(e.azimuth), 'azimuth [deg]', 1),
    _Column('elevation_deg', lambda e: _degrees(e.elevation), 'elevation [deg]', 1),
    _Column('confidence', lambda e: round(e.confidence, 3), 'confidence', 2),
)
_DEVIATION = (
    _Column('azimuth_stddev_deg', lambda e: _degrees(e.azimuth_stddev)),
    _Column('elevation_stddev_deg', lambda e: _degrees(e.elevation_stddev)),
)
_ESTIMATES = _Contents(
    'estimates',
    (*_DIRECTION, *_DEVIATION),
    (
        _Column('window_duration', lambda w: w.duration),
        _Column('hop', lambda w: w.hop),
        _Column('sound_age', lambda w: round(w.sound_age, 3)),
    ),
)
_TRACKS = _Contents(
    'tracks',
    (
        _Column('track_id', lambda t: t.id, 'track'),
        *_DIRECTION,
        _Column('azimuth_rate_deg', lambda t: _degrees(t.azimuth_rate), 'azimuth [deg/s]', 1),
        _Column(
            'elevation_rate_deg', lambda t: _degrees(t.elevation_rate), 'elevation [deg/s]', 1
        ),
        _Column('age', lambda t: round(t.age, 3), 'age [s]', 2),
        _Column('predicted', lambda t: t.predicted, 'predicted'),
        *_DEVIATION,
        _Column('azimuth_rate_stddev_deg', lambda t: _degrees(t.azimuth_rate_stddev)),
        _Column('elevation_rate_stddev_deg', lambda t: _degrees(t.elevation_rate_stddev)),
    ),
)


def _plain(value: Value, unknown: str) -> str:
    if value is None:
        return unknown
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(columns: Sequence[_Column], of: Estimate | Track | LocatedWindow) -> Values:
    return {column.name: column.value(of) for column in columns}


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
        values = _values(self._contents.window_columns, window)
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
        for one in window.found or [None]:
            cells = (
                f'{self._cell(column, one):>{len(heading) + 2}}' for column, heading in self._shown
            )
            yield f'{window.end:10.2f}' + ''.join(cells)

    @staticmethod
    def _cell(column: _Column, one: Estimate | Track | None) -> str:
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
            contents.name: [_values(contents.columns, one) for one in window.found],
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
        for one in window.found or [None]:
            values = nothing if one is None else _values(contents.columns, one)
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
