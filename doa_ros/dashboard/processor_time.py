# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How much this process and the whole computer compute."""

from collections.abc import Callable
import os
from pathlib import Path
import time

from doa_ros.dashboard.encoding import number


class ProcessorTime:
    """Measures the load between two calls.

    Args:
        clock: returns a time that never goes back [s].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._last = self._now()

    def load(self) -> dict[str, float | int | None]:
        """Return the load since the call before.

        Returns:
            `process`: how many cores this process kept busy; `computer`: the share of all cores
            that were busy, None where it is not known; `cores`: how many there are.
        """
        before, self._last = self._last, self._now()
        passed, process, busy, total = (
            now - then for now, then in zip(self._last, before, strict=True)
        )
        return {
            'process': number(process / passed) if passed > 0 else None,
            'computer': number(busy / total) if total > 0 else None,
            'cores': os.cpu_count(),
        }

    def _now(self) -> tuple[float, float, float, float]:
        return self._clock(), time.process_time(), *_computer()


def _computer() -> tuple[float, float]:
    """Return the time that all cores were busy, and that there was, as in proc(5) stat."""
    try:
        line = Path('/proc/stat').read_text(encoding='ascii').partition('\n')[0]
        user, nice, system, idle, waiting, *others = (float(t) for t in line.split()[1:9])
    except (OSError, ValueError):
        return 0.0, 0.0
    busy = user + nice + system + sum(others)
    return busy, busy + idle + waiting
