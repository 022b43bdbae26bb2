# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""When samples were acquired, from when they arrive."""

from collections import deque
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


class SampleClock:
    """Tells when a sample was acquired from when blocks of samples have arrived.

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
    """

    def __init__(self, rate: int):
        self.rate = float(rate)
        self._nominal = rate
        # Of the sample with index 0 [s].
        self._origin: float | None = None
        # The same before an interruption, while it is not known how much was lost.
        self._before: float | None = None
        self._lost = 0
        self._slice: tuple[float, float] | None = None
        # Begin of each slice and the smallest lateness in it, relative to the count alone.
        self._earliest: deque[tuple[float, float]] = deque(maxlen=_RATE_SLICES)

    @property
    def settled(self) -> bool:
        """Whether times are reliable and the rate is not wrong."""
        return self._before is None and len(self._earliest) >= _SETTLED

    def time(self, index: int) -> float:
        """Return when a sample was acquired [s]."""
        return self._origin + index / self._nominal

    def add(self, end: int, arrival: float) -> None:
        """Take note of a block.

        Args:
            end: index of the first sample after it.
            arrival: when it arrived [s].

        Raises:
            AudioError: the device runs at another rate.
        """
        lateness = arrival - end / self._nominal
        if self._origin is None or lateness < self._origin:
            self._origin = lateness
        if self._slice is None:
            self._slice = arrival, lateness
        elif arrival - self._slice[0] < _SLICE:
            if lateness < self._slice[1]:
                self._slice = self._slice[0], lateness
        else:
            self._earliest.append(self._slice)
            self._slice = arrival, lateness
            self._judge()

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
        self._lost += count
        seconds = count / self._nominal
        for k in range(-slices, 0):
            begin, lateness = self._earliest[k]
            self._earliest[k] = begin, lateness - seconds
        self._slice = self._slice[0], self._slice[1] - seconds

    def _rise(self) -> float:
        """Return by how much all recent arrivals are later than expected [s]."""
        recent = list(self._earliest)[-_SLICES:]
        return max(0.0, min(lateness for _, lateness in recent) - self._origin)

    def _measure_rate(self) -> None:
        if not self.settled:
            return
        slices = list(self._earliest)[-_SETTLED:]
        before = list(self._earliest)[:-_SETTLED]
        catches_up = any(lateness <= slices[_SETTLED // 2][1] for _, lateness in before)
        steps = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(slices, slices[1:], strict=False)]
        small, *_, large = sorted(steps, key=abs)
        alike = max(steps) - min(steps) < abs(large) / 2
        if abs(small) > _WRONG_RATE and alike and not (small < 0 and catches_up):
            measured = self._nominal * (1 - steps[-1])
            raise AudioError(
                f'delivers {measured:.0f} samples per second instead of '
                f'{self._nominal}; it does not support this rate'
            )
        slope, _ = linear_regression(*zip(*self._earliest, strict=True))
        self.rate = self._nominal * (1 - slope)

    def interrupt(self) -> None:
        """Expect a loss before the samples that come next; their arrivals tell how large it is.

        That takes a slice, for what is late has not been lost. Until then it is not settled.
        """
        if self._before is None:
            self._before = self._origin
        self._origin = self._slice = None

    def lost(self) -> int:
        """Return how many samples turn out to be missing, after an interruption or silently.

        They count from now on: the caller has to add them to its indices.
        """
        lost, self._lost = self._lost, 0
        return lost
