# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From the clock of the computer to stamps on a clock that may be set, or run at another rate."""

import math
import time

from doa_ros.audio.source import Clock
from doa_ros.core.units import NANOSECONDS

# Two clocks are read at the same time where nothing came between for longer than this [s]; a
# busy computer gets so many chances.
_SIMULTANEOUS = 50e-6
_ATTEMPTS = 5
# A simulation may run this much faster than time passes [1], and a busy computer may receive its
# clock this much later [s]. A clock that goes ahead by more was set.
_FASTEST = 10
_LATE = 0.5
# A clock that shows the same for this time stands still [s]; some go on in coarse steps.
_STILL = 0.5


def read_at_once(clock: Clock) -> tuple[int, float]:
    """Return what a clock shows [ns], and the time of `time.monotonic` then [s]."""
    best = math.inf, 0, 0.0
    for _ in range(_ATTEMPTS):
        before = time.monotonic()
        shown = clock()
        after = time.monotonic()
        if after - before < best[0]:
            best = after - before, shown, (before + after) / 2
        if best[0] < _SIMULTANEOUS:
            break
    _, shown, moment = best
    return shown, moment


class ClockWatch:
    """Tells from readings of a clock whether it was set, and whether it goes.

    It may run at any rate, and stand still for a while: then it was not set.

    Attributes:
        rate: how fast it went between the latest two readings; 1 is the pace of time.
    """

    def __init__(self):
        # The latest reading, when it was taken, and since when the clock shows that.
        self._shown: int | None = None
        self._read, self._changed = 0.0, -math.inf
        self.rate = 1.0

    def was_set(self, shown: int, now: float) -> bool:
        """Take a reading; return whether the clock was set since the one before.

        Args:
            shown: what the clock shows [ns].
            now: the time of `time.monotonic` [s].
        """
        before, passed = self._shown, now - self._read
        self._shown, self._read = shown, now
        if before is None:
            return False
        if shown != before:
            self._changed = now
        step = (shown - before) / NANOSECONDS
        self.rate = step / passed if passed > 0 else 1.0
        return step < 0 or step > _LATE + _FASTEST * passed

    @property
    def goes(self) -> bool:
        """Whether the clock was seen to go on lately."""
        return self._read - self._changed < _STILL


class Stamps:
    """Indices and stamps of the blocks of a stream.

    Where the clock is set, another stream begins: indices count from 0 again. Within a stream
    stamps grow, however inexactly the clock can be read.

    Args:
        clock: the clock they are on.
    """

    def __init__(self, clock: Clock):
        self._clock = clock
        self._watch = ClockWatch()
        self._watch.was_set(*read_at_once(clock))
        self._start_stream()

    def _start_stream(self) -> None:
        # Index of its first block, and the latest stamp.
        self._first: int | None = None
        self._last = -1

    def place(self, index: int, seconds: float) -> tuple[int, int] | None:
        """Return index and stamp [ns] of a block in its stream.

        Args:
            index: of its first sample, since the start.
            seconds: the time of that [s], on the clock of `time.monotonic`.

        Returns:
            None where it has no time: the clock stands still, or began to run only afterwards.
        """
        shown, now = read_at_once(self._clock)
        if self._watch.was_set(shown, now):
            self._start_stream()
        ahead = shown - round(now * NANOSECONDS)
        stamp = ahead + round(seconds * NANOSECONDS)
        if stamp < 0 or not self._watch.goes:
            return None
        if self._first is None:
            self._first = index
        self._last = max(stamp, self._last + 1)
        return index - self._first, self._last
