# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From the clock of the computer to stamps on the clock that is asked for."""

import time

from doa_ros.audio.source import NANOSECONDS, Clock

# Two clocks are read at the same time where nothing came between for longer than this [s]; a
# busy computer gets so many chances.
_SIMULTANEOUS = 50e-6
_ATTEMPTS = 5


class Stamps:
    """Stamps that never go back, whatever is done to the clock.

    Args:
        clock: the clock they are on.
    """

    def __init__(self, clock: Clock):
        self._clock = clock
        self._last = 0

    def stamp(self, seconds: float) -> int:
        """Return the stamp [ns] of a time of `time.monotonic`; successive ones grow."""
        self._last = max(self._offset() + round(seconds * NANOSECONDS), self._last + 1)
        return self._last

    def _offset(self) -> int:
        """Return by how much the clock is ahead of `time.monotonic` [ns]."""
        best = None
        for _ in range(_ATTEMPTS):
            before = time.monotonic()
            now = self._clock()
            after = time.monotonic()
            middle = round((before + after) / 2 * NANOSECONDS)
            if best is None or after - before < best[0]:
                best = after - before, now - middle
            if best[0] < _SIMULTANEOUS:
                break
        return best[1]
