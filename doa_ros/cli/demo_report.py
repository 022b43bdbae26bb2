# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the demo prints while it goes on, and at the end."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
import math
from typing import Protocol

from doa_ros.cli.demo_log import DemoLog
from doa_ros.cli.demo_plot import draw
from doa_ros.cli.plot_file import PlotFile
from doa_ros.core.errors import DoaError
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.track import Track

# The table has a line for every fifth estimate.
_LINE_EVERY = 5
_WIDTHS = (8, 10, 12, 11, 14, 12)
# The width of a list of azimuths.
_LIST_WIDTH = 20


class Console(Protocol):
    """Prints lines."""

    def print(self, text: str, /, *, style: str | None = None) -> None:
        """Print a line in a style of rich."""


class _PlainConsole:
    """Prints without style."""

    def print(self, text: str, /, *, style: str | None = None) -> None:
        print(text)


def make_console() -> Console:
    """Return what prints lines: with style where rich is installed."""
    try:
        from rich.console import Console as RichConsole
    except ImportError:
        return _PlainConsole()
    return RichConsole(highlight=False, markup=False)


class LiveTable(ABC):
    """Prints a line for every fifth estimate.

    Args:
        console: prints them.
        log: what was received so far.
    """

    def __init__(self, console: Console, log: DemoLog):
        self._console, self._log = console, log

    def show(self, stamp: int) -> None:
        """Take a stamp [ns] whose estimates have come."""
        count = len(self._log.estimates)
        if count == _LINE_EVERY:
            self._console.print(self._heading(), style='bold')
        if count % _LINE_EVERY == 0:
            self._print(stamp)

    @abstractmethod
    def _heading(self) -> str: ...

    @abstractmethod
    def _print(self, stamp: int) -> None: ...


class OneTalkerTable(LiveTable):
    """The direction of the talker beside that of the estimate."""

    def _heading(self) -> str:
        return _row(('time', 'true az', 'estimated', 'true el', 'estimated', 'confidence'))

    def _print(self, stamp: int) -> None:
        truth, estimates = self._log.truth.get(stamp, ()), self._log.estimates[stamp]
        cells = [f'{self._log.time(stamp):.2f} s']
        for true, estimated in zip(angles(truth), angles(estimates), strict=True):
            cells += [true, estimated]
        cells.append(f'{estimates[0].confidence:.2f}' if estimates else '')
        style = None
        if truth and estimates:
            error = abs(math.remainder(estimates[0].azimuth - truth[0].azimuth, 2 * math.pi))
            style = 'green' if error <= math.radians(10) else 'red'
        self._console.print(_row(cells), style=style)


class TalkersTable(LiveTable):
    """The azimuths of all talkers beside those of estimates and tracks."""

    def _heading(self) -> str:
        return _lists(('time', 'true azimuths', 'estimated', 'tracks by number (~ predicted)'))

    def _print(self, stamp: int) -> None:
        log = self._log
        # The tracks of this window are published right after its estimates: those before have
        # come.
        earlier = [s for s in log.tracks if s <= stamp]
        tracks = log.tracks[max(earlier)] if earlier else ()
        self._console.print(
            _lists(
                (
                    f'{log.time(stamp):.2f} s',
                    '  '.join(_degrees(e) for e in log.truth.get(stamp, ())),
                    '  '.join(_degrees(e) for e in log.estimates[stamp]),
                    '  '.join(
                        f'{t.number}: {"~" if t.predicted else ""}{_degrees(t)}'
                        for t in sorted(tracks, key=lambda t: t.number)
                    ),
                )
            )
        )


def _degrees(direction: Estimate | Track) -> str:
    return f'{math.degrees(direction.azimuth):.0f} deg'


def _lists(cells: Sequence[str]) -> str:
    time, *lists = cells
    return f'{time:>{_WIDTHS[0]}}   ' + ''.join(f'{cell:<{_LIST_WIDTH}}' for cell in lists)


def angles(estimates: Sequence[Estimate]) -> tuple[str, str]:
    """Return azimuth and elevation of the best estimate, '' for what is not known."""
    if not estimates:
        return '', ''
    best = estimates[0]
    elevation = '' if math.isnan(best.elevation) else f'{math.degrees(best.elevation):.0f} deg'
    return _degrees(best), elevation


def _row(cells: Sequence[str]) -> str:
    return ''.join(f'{cell:>{width}}' for cell, width in zip(cells, _WIDTHS, strict=True))


def summarise(log: DemoLog, plot: PlotFile, console: Console) -> None:
    """Print how well the talkers were found and write the plot.

    Raises:
        DoaError: nothing was heard, or the plot cannot be written.
    """
    stamps = list(log.estimates)
    if not stamps:
        raise DoaError('no estimates came; is another doa_ros running in this ROS domain?')
    seconds = log.time(stamps[-1])
    console.print(f'\nSummary ({seconds:.1f} s, {len(stamps)} estimates)', style='bold')
    if max(map(len, log.truth.values()), default=0) > 1:
        console.print(f'  {"voices with a track within 15 deg":<36}{log.tracked():.1%}')
        for line in _track_lines(log):
            console.print(f'  {line}')
    elif log.truth:
        score = log.score()
        rows = {
            'mean azimuth error': f'{score.azimuth_mae_deg:.1f} deg',
            'mean elevation error': f'{score.elevation_mae_deg:.1f} deg',
            'voiced windows within 10 deg': f'{score.voiced_within_10:.1%} of {score.voiced}',
            'voiced windows answered': f'{score.answered:.1%}',
            'silent windows answered': f'{score.silence_answered:.1%} of {score.silent}',
        }
        for name, value in rows.items():
            console.print(f'  {name:<30}{value}')
    if len(log.cpu) == 2 and seconds > 0:
        factor = (log.cpu[1] - log.cpu[0]) / seconds
        console.print(f'  {"real-time factor":<30}{factor:.3f} CPU seconds per second of audio')
    console.print(f'  {"plot":<30}{plot.write(lambda: draw(log))}')


def _track_lines(log: DemoLog) -> list[str]:
    """Return a line about each track."""
    lines = []
    for number, course in log.courses().items():
        begin, end = min(course), max(course)
        lines.append(
            f'track {number}: {log.time(begin):.1f} to {log.time(end):.1f} s, '
            f'from {_degrees(course[begin])} to {_degrees(course[end])}'
        )
    return lines
