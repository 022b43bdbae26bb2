# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is observed while the pipeline soaks, and what follows from it."""

from dataclasses import dataclass, field
import math

import numpy as np

# The warm-up, after which growth of memory counts, as a share of the whole time.
_WARM_UP = 0.15
# More than two hops without an estimate are a gap [s].
_GAP = 0.12


@dataclass
class InjectedFault:
    """Something that was done to the pipeline or its device.

    Attributes:
        kind: what.
        begin, end: when it was done, and when it was over [s].
        recovered: when the first estimate came that was made of sound after the end [s], or
            None.
    """

    kind: str
    begin: float
    end: float = math.nan
    recovered: float | None = None


@dataclass
class SoakLog:
    """What was observed; times are those of `time.time` [s].

    Attributes:
        arrivals: time and stamp of each estimate.
        memory: time, resident memory of the pipeline and of its children [bytes].
        restarts: when another process was seen to have taken over the capture.
        faults: in order.
    """

    arrivals: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, int, int]] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)
    faults: list[InjectedFault] = field(default_factory=list)

    @property
    def missed(self) -> list[InjectedFault]:
        """Faults without a recovery."""
        return [fault for fault in self.faults if fault.recovered is None]

    def gaps(self) -> list[tuple[float, float, bool]]:
        """Return stamp and length of each gap [s], and whether a fault explains it."""
        stamps = np.array([stamp for _, stamp in self.arrivals])
        steps = np.diff(stamps)
        found = []
        for number in np.flatnonzero(steps > _GAP):
            first, last = stamps[number], stamps[number + 1]
            found.append((first, steps[number], self._explained(first, last)))
        return found

    def needless_restarts(self) -> int:
        """Return how many restarts of the capture no fault explains."""
        # Diagnostics tell of them once a second.
        return sum(not self._explained(seen - 2, seen) for seen in self.restarts)

    def _explained(self, begin: float, end: float) -> bool:
        """Return whether something was broken, or had just been, in a stretch of time."""
        return any(
            fault.begin - 1 < end and begin < (fault.recovered or math.inf) + 1
            for fault in self.faults
        )

    def growth(self) -> float:
        """Return how much the memory of the pipeline grew after the warm-up [bytes]."""
        times, memory, _ = np.array(self.memory, dtype=float).T
        share = (times - times[0]) / max(times[-1] - times[0], 1e-9)
        early = memory[(share >= _WARM_UP) & (share <= 2 * _WARM_UP)]
        late = memory[share >= 1 - _WARM_UP]
        return float(np.median(late) - np.median(early)) if len(early) else 0.0
