# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which samples have arrived and which are lost, over all processes that capture a stream."""

import time

from doa_ros.audio.capture.protocol import CapturedBlock


class SampleCount:
    """Counts the samples of a stream that processes capture one after the other.

    Each process counts its samples from 0, those that the driver lost among them (see
    `SampleClock`). The times of the blocks show how many are missing between two processes.

    Args:
        rate: sampling frequency [Hz].
        block: length of a block [samples].

    Attributes:
        end: index of the sample that comes next.
        end_time: its time on the clock of `time.monotonic` [s]; that of the start before a block
            was taken.
        lost: samples missing in the stream, whatever the reason.
        dropped: those of them that the consumer was too slow for.
        overflows: how often the driver has lost samples.
    """

    def __init__(self, rate: int, block: int):
        self._rate, self._block = rate, block
        self.end, self.end_time = 0, time.monotonic()
        self.lost = self.dropped = self.overflows = 0
        self.begin_process()

    @property
    def started(self) -> bool:
        """Whether a block was taken."""
        return self.end > 0

    def begin_process(self) -> None:
        """Expect the blocks of another process, which counts anew."""
        # Index of its sample 0 in the stream; None before its first block.
        self._first: int | None = None
        self._late = 0
        self._dropped_before, self._overflows_before = self.dropped, self.overflows

    def drop(self) -> None:
        """Count a block that came too late."""
        self._late += 1

    def take(self, captured: CapturedBlock, dropped: int) -> int:
        """Count a block and return the index of its first sample in the stream.

        Args:
            captured: the block.
            dropped: blocks of this process that were dropped on the way.
        """
        if self._first is None:
            missing = 0
            if self.started:
                missing = max(1, round((captured.time - self.end_time) * self._rate))
            self._first = self.end + missing - captured.index
        index = self._first + captured.index
        self.lost += index - self.end
        self.dropped = (
            self._dropped_before + captured.dropped + (dropped + self._late) * self._block
        )
        self.overflows = self._overflows_before + captured.overflows
        self.end = index + self._block
        self.end_time = captured.time + self._block / self._rate
        return index
