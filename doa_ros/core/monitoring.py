# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Counts events, rates and durations of a running program, and says in a sentence how it is.

One thread counts and measures, another asks for the status from time to time; neither waits.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
import time

import numpy as np

# An event is reported for this long, and rates are means over this time [s].
RECENT = 5.0
# Durations of so many calls are kept: 10 s of estimates.
_KEPT_DURATIONS = 200


class Level(IntEnum):
    """How bad it is; the values are those of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Status:
    """How a part of the program is doing.

    Attributes:
        level: OK, WARN or ERROR.
        message: sentences that say what to do.
        values: measures by name, unit in [ ].
    """

    level: Level
    message: str
    values: Mapping[str, str] = field(default_factory=dict)


def merge(statuses: Sequence[Status]) -> Status:
    """Return the worst level, its and all other bad sentences, and all values."""
    level = max((s.level for s in statuses), default=Level.OK)
    # The worst comes first; where all is well the first sentence says so.
    by_level = sorted(statuses, key=lambda s: -s.level)
    sentences = [s.message for s in by_level if s.level > Level.OK or level == Level.OK]
    message = '; '.join(dict.fromkeys(filter(None, sentences)))
    return Status(level, message, {k: v for s in statuses for k, v in s.values.items()})


class Events:
    """Counts what should not happen.

    Args:
        name: plural, as 'rejected messages'.
        advice: what to do about it.
        clock: returns a time that never goes back [s].

    Attributes:
        total: how many there were; may be set where they are counted elsewhere.
    """

    def __init__(self, name: str, advice: str, clock: Callable[[], float] = time.monotonic):
        self._name, self._advice, self._clock = name, advice, clock
        self.total = 0
        self._history: deque[tuple[float, int]] = deque()

    def add(self, count: int = 1) -> None:
        """Count events."""
        self.total += count

    def status(self) -> Status:
        """Return a warning while there were events in the last seconds."""
        before = _before(self._history, self._clock(), self.total, counted_from=0)
        recent = self.total - before[1]
        values = {self._name: str(self.total)}
        if not recent:
            return Status(Level.OK, '', values)
        sentence = f'{recent} {self._name} in the last {RECENT:g} s: {self._advice}'
        return Status(Level.WARN, sentence, values)


class Rate:
    """Counts what should happen all the time.

    Args:
        name: of the value, with its unit.
        missing: sentence for the case that nothing happens.
        clock: returns a time that never goes back [s].
    """

    def __init__(self, name: str, missing: str, clock: Callable[[], float] = time.monotonic):
        self._name, self._missing, self._clock = name, missing, clock
        self._total = 0
        self._history: deque[tuple[float, int]] = deque([(clock(), 0)])

    def add(self, count: int = 1) -> None:
        """Count what has happened."""
        self._total += count

    def status(self) -> Status:
        """Return the rate of the last seconds; a warning where it is 0."""
        now, total = self._clock(), self._total
        start, counted = _before(self._history, now, total, counted_from=None)
        passed = now - start
        rate = (total - counted) / passed if passed > 0 else 0.0
        values = {self._name: f'{rate:.1f}'}
        if rate == 0 and passed >= RECENT / 2:
            return Status(Level.WARN, self._missing, values)
        return Status(Level.OK, '', values)


def _before(history: deque, now: float, total: int, counted_from: int | None) -> tuple[float, int]:
    """Add a total to the history; return the newest entry at least RECENT old, or the oldest.

    Args:
        history: time [s] and total of earlier calls.
        now: the time [s].
        total: at this time.
        counted_from: the total with which an empty history begins; None where it never is empty.
    """
    if counted_from is not None and not history:
        history.append((now, counted_from))
    history.append((now, total))
    while len(history) > 1 and history[1][0] <= now - RECENT:
        history.popleft()
    return history[0]


class Durations:
    """How long something takes.

    Args:
        name: of the value.
    """

    def __init__(self, name: str):
        self._name = name
        self._seconds: deque[float] = deque(maxlen=_KEPT_DURATIONS)

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Measure what is done in the context."""
        start = time.perf_counter()
        yield
        self.add(time.perf_counter() - start)

    def add(self, seconds: float) -> None:
        """Take a measured duration [s]."""
        self._seconds.append(seconds)

    def status(self) -> Status:
        """Return the median and the 95th percentile of the last calls."""
        if not self._seconds:
            return Status(Level.OK, '')
        # A copy: the other thread goes on.
        median, high = np.percentile(self._seconds.copy(), [50, 95])
        values = {
            f'{self._name} p50 [ms]': f'{1e3 * median:.3f}',
            f'{self._name} p95 [ms]': f'{1e3 * high:.3f}',
        }
        return Status(Level.OK, '', values)
