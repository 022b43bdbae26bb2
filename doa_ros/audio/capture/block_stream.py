# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Cuts what PortAudio delivers into blocks of the length that is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
import time

from doa_ros.audio.capture.latest_queue import LatestQueue
from doa_ros.audio.capture.protocol import CapturedBlock, CaptureSettings, Kind, Note
from doa_ros.audio.capture.sample_clock import SampleClock
from doa_ros.core.errors import AudioError

PIECE = 0.01
"""Length of what PortAudio delivers at once [s], whatever the length of a block.

Short pieces tell the time well; longer ones beat with the periods of the device.
"""

# Pieces wait for at most this time [s] to be sent to the parent; older ones are dropped.
_QUEUE_SECONDS = 0.2
# A device that delivers nothing for the first time [s] is dead, and one that has just been started
# for the second. Both are counted in intervals, at each of which the parent hears that this
# process is alive: a computer that stands still for a while is no fault of the device.
_SILENCE_LIMIT = 0.4
_START_LIMIT = 3.0
_INTERVAL = 0.05


@dataclass(frozen=True)
class _Piece:
    """The samples of one callback of PortAudio.

    Attributes:
        samples: int32 of the machine, channels of a sample next to each other.
        delivered: samples per channel that have been delivered so far, with these.
        arrival: when they arrived, on the clock of `time.monotonic` [s].
        overflows: how often samples have been lost so far.
    """

    samples: bytes
    delivered: int
    arrival: float
    overflows: int


# The last piece of a stream.
_END = _Piece(b'', 0, 0.0, 0)


class BlockStream:
    """Cuts what PortAudio delivers into blocks, with the time and the index of each.

    `callback` runs in PortAudio's thread, `run` in another.

    Args:
        settings: what shall be captured.
        send: takes each block, and an ALIVE at each interval in which nothing has arrived.
    """

    def __init__(self, settings: CaptureSettings, send: Callable[[CapturedBlock | Note], None]):
        self._settings = settings
        self._send = send
        self._pieces: LatestQueue[_Piece] = LatestQueue(round(_QUEUE_SECONDS / PIECE))
        self._delivered = 0
        self._overflows = 0

    def callback(self, data, frames, _, status) -> None:
        """Take a piece, in PortAudio's thread: copy, stamp, return."""
        arrival = time.monotonic()
        self._delivered += frames
        # Before the first piece nothing is lost.
        self._overflows += bool(status.input_overflow and self._delivered > frames)
        self._pieces.put(_Piece(bytes(data), self._delivered, arrival, self._overflows))

    def finish(self) -> None:
        """End `run`: the stream has ended."""
        self._pieces.put(_END)

    def _next(self) -> _Piece:
        """Wait for the next piece.

        Raises:
            AudioError: the device has fallen silent.
        """
        limit = _SILENCE_LIMIT if self._delivered else _START_LIMIT
        for _ in range(round(limit / _INTERVAL)):
            if piece := self._pieces.get(_INTERVAL):
                return piece
            self._send(Note(Kind.ALIVE))
        raise AudioError(f'has delivered nothing for {limit:g} s; check its cable')

    def run(self) -> None:
        """Send blocks until `finish`.

        Raises:
            AudioError: the device has fallen silent or runs at another rate.
        """
        clock = SampleClock(self._settings.rate)
        sample_bytes = 4 * self._settings.channels
        block_bytes = self._settings.block * sample_bytes
        pending, pending_end = bytearray(), 0
        overflows = 0
        while (piece := self._next()) is not _END:
            if piece.overflows > overflows:
                # PortAudio does not say how many samples were lost; the clock does.
                clock.interrupt()
                overflows = piece.overflows
            end = clock.add(piece.delivered, piece.arrival)
            if not clock.settled:
                continue
            if end - len(piece.samples) // sample_bytes != pending_end:
                pending.clear()
            pending += piece.samples
            pending_end = end
            while len(pending) >= block_bytes:
                index = end - len(pending) // sample_bytes
                dropped = self._pieces.dropped * round(PIECE * self._settings.rate)
                self._send(
                    CapturedBlock(
                        index,
                        clock.time(index),
                        overflows,
                        dropped,
                        clock.rate,
                        bytes(pending[:block_bytes]),
                    )
                )
                del pending[:block_bytes]
