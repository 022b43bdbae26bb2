# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which samples have arrived and when they were acquired, from when they arrive."""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
import math
from statistics import linear_regression

from doa_ros.core.errors import AudioError

# Arrivals are judged by the earliest of every slice of this time [s] ...
_SLICE = 0.07
# ... of which the last so many tell the time, and whether samples are missing: about 2 s.
_SLICES = 28
# So many slices have to be seen before times are good and the rate is known not to be wrong.
_SETTLED = 5
# The time follows arrivals that become later by this part per slice: drift is slow.
_GAIN = 0.025
# Arrivals that have all become later by more than this mean lost samples [s].
_LOSS = 0.02
# A rate is wrong if it is off by this part in all steps between these slices, and by about the
# same in all: what losses and a busy computer do to arrivals does not repeat itself so. If it is
# too high, samples come earlier than any before; otherwise they catch up with a delay.
_WRONG_RATE = 0.05
# The measured rate is taken over at most so many slices: 10 s.
_RATE_SLICES = 143


@dataclass
class _Slice:
    """A slice of time: when it begins, and the smallest lateness in it [s]."""

    begin: float
    lateness: float


class SampleClock:
    """Tells when a sample was acquired, and how many are lost, from when blocks have arrived.

    No block arrives before its last sample was acquired, but many arrive late: devices deliver
    in bursts, and computers are busy. So the earliest arrivals, relative to the count of
    samples, tell the time. It starts with the first block, follows earlier arrivals at once and
    later ones slowly, which corrects for the drift of the device's clock. What a device says
    about its own latency is not used: it is wrong by up to 0.7 s in some drivers.

    Times are on the clock of `time.monotonic`. The latency of the hardware itself, a millisecond
    or two with USB, remains.

    Args:
        rate: nominal sampling frequency [Hz].

    Attributes:
        rate: the measured one [Hz]; the nominal one until it is known.
        lost: samples that have turned out to be missing.
    """

    def __init__(self, rate: int):
        self.rate = float(rate)
        self.lost = 0
        self._nominal = rate
        # Of the sample with index 0 [s]; infinite before the first block.
        self._origin = math.inf
        # The same before an interruption, while it is not known how much was lost.
        self._before: float | None = None
        # The slice that is not complete, and those that are; lateness is relative to the count
        # alone.
        self._slice: _Slice | None = None
        self._earliest: deque[_Slice] = deque(maxlen=_RATE_SLICES)

    @property
    def settled(self) -> bool:
        """Whether times are reliable and the rate is not wrong."""
        return self._before is None and len(self._earliest) >= _SETTLED

    def time(self, index: int) -> float:
        """Return when a sample was acquired [s].

        Args:
            index: of the sample; those that are lost count, too.
        """
        return self._origin + index / self._nominal

    def add(self, delivered: int, arrival: float) -> int:
        """Take note of a block and return the index of the first sample after it.

        Losses that show now, after an interruption or silently, count as before this block.

        Args:
            delivered: how many samples have arrived so far, with the block.
            arrival: when it arrived [s].

        Raises:
            AudioError: the device runs at another rate.
        """
        lateness = arrival - (delivered + self.lost) / self._nominal
        self._origin = min(self._origin, lateness)
        current = self._slice
        if current is None:
            self._slice = _Slice(arrival, lateness)
        elif arrival - current.begin < _SLICE:
            current.lateness = min(current.lateness, lateness)
        else:
            self._earliest.append(current)
            self._slice = _Slice(arrival, lateness)
            self._judge()
        return delivered + self.lost

    def _judge(self) -> None:
        """Draw the conclusions from a slice that is complete."""
        if self._before is not None:
            lost = max(1, round((self._origin - self._before) * self._nominal))
            self._origin -= lost / self._nominal
            self._before = None
            self._lose(lost, slices=1)
            return
        self._measure_rate()
        self._origin += _GAIN * self._rise()
        if len(self._earliest) >= _SLICES and self._rise() > _LOSS:
            self._lose(round(self._rise() * self._nominal), slices=_SLICES)

    def _lose(self, count: int, slices: int) -> None:
        """Take samples as missing before the latest slices."""
        self.lost += count
        for late in (*list(self._earliest)[-slices:], self._slice):
            if late is not None:
                late.lateness -= count / self._nominal

    def _rise(self) -> float:
        """Return by how much all recent arrivals are later than expected [s]."""
        recent = list(self._earliest)[-_SLICES:]
        return max(0.0, min(each.lateness for each in recent) - self._origin)

    def _measure_rate(self) -> None:
        if not self.settled:
            return
        slices = list(self._earliest)[-_SETTLED:]
        before = list(self._earliest)[:-_SETTLED]
        catches_up = any(each.lateness <= slices[_SETTLED // 2].lateness for each in before)
        steps = [(b.lateness - a.lateness) / (b.begin - a.begin) for a, b in pairwise(slices)]
        small, *_, large = sorted(steps, key=abs)
        alike = max(steps) - min(steps) < abs(large) / 2
        if abs(small) > _WRONG_RATE and alike and not (small < 0 and catches_up):
            measured = self._nominal * (1 - steps[-1])
            raise AudioError(
                f'delivers {measured:.0f} samples per second instead of '
                f'{self._nominal}; it does not support this rate'
            )
        slope, _ = linear_regression(
            [each.begin for each in self._earliest], [each.lateness for each in self._earliest]
        )
        self.rate = self._nominal * (1 - slope)

    def interrupt(self) -> None:
        """Expect a loss before the samples that come next; their arrivals tell how large it is.

        That takes a slice, for what is late has not been lost. Until then it is not settled.
        """
        if self._before is None and math.isfinite(self._origin):
            self._before = self._origin
        self._origin, self._slice = math.inf, None
