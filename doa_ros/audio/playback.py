# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""When recorded samples are heard."""

from contextlib import suppress
import queue

import numpy as np

from doa_ros.audio.source import AudioBlock, Clock
from doa_ros.audio.stamps import ClockWatch, read_at_once
from doa_ros.core.units import NANOSECONDS

# While a block waits, the clock is read at this interval [s]: it need not keep pace with time. A
# block of the usual length waits once.
_INTERVAL = 0.05
_LEAST_INTERVAL = 0.001


class Playback:
    """Makes blocks of recorded samples, and delivers each when the clock has reached its end.

    Where the clock is set, the samples go on as another stream: its indices count from 0, its
    stamps from where the clock is now.

    Args:
        sampling_frequency: [Hz].
        real_time: whether to wait for the clock; otherwise blocks come as fast as they are taken,
            and stamps count from where the clock was at the beginning.

    Attributes:
        closed: whether `close` was called.
    """

    def __init__(self, sampling_frequency: int, real_time: bool):
        self._rate, self._real_time = sampling_frequency, real_time
        self.closed = False
        # What `close` puts into it ends a wait. An Event would make a lock for every wait.
        self._closing: queue.SimpleQueue[None] = queue.SimpleQueue()

    def begin(self, clock: Clock) -> None:
        """Let the stream begin now."""
        self._clock, self._watch = clock, ClockWatch()
        self._start_stream(clock())

    def _start_stream(self, now: int) -> None:
        self._start, self._index = now, 0

    def deliver(self, samples: np.ndarray) -> AudioBlock | None:
        """Return the next samples as a block once they would have been acquired.

        Args:
            samples: those of `AudioBlock`.

        Returns:
            None once closed.
        """
        if self._real_time:
            self._wait(len(samples))
        if self.closed:
            return None
        index, self._index = self._index, self._index + len(samples)
        return AudioBlock(samples, self._rate, index, self._time(index))

    def _time(self, index: int) -> int:
        return self._start + index * NANOSECONDS // self._rate

    def _wait(self, count: int) -> None:
        """Wait until the clock has reached the end of so many samples, or until closed."""
        while not self.closed:
            now, moment = read_at_once(self._clock)
            if self._watch.was_set(now, moment):
                self._start_stream(now)
            # A block is there once its last sample is.
            left = (self._time(self._index + count) - now) / NANOSECONDS
            if left <= 0:
                return
            left /= max(self._watch.rate, 1.0)
            with suppress(queue.Empty):
                self._closing.get(timeout=min(max(left, _LEAST_INTERVAL), _INTERVAL))

    def close(self) -> None:
        """End all waiting."""
        self.closed = True
        self._closing.put(None)
