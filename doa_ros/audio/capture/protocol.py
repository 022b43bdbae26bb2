# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the process that captures and the one that started it say to each other.

The parent gives `CaptureSettings` as argument, a byte on stdin when the device shall be opened and
another one when the stream shall start; the end of stdin ends the child. The child writes messages
to stdout: READY when it can open the device, any number of WAITING until it has OPENED it, then
blocks, or ALIVE where there is none, and FAILED before it gives up. Asked for the devices, it
answers with a LISTING.
"""

from dataclasses import asdict, dataclass
from enum import IntEnum
import json
import struct
from typing import BinaryIO

from doa_ros.audio.capture.device_selection import Wanted

# Kind and length of what follows.
_HEADER = struct.Struct('=BI')
# The fields of CapturedBlock before its samples.
_BLOCK = struct.Struct('=QdQQd')


@dataclass(frozen=True)
class CaptureSettings:
    """What shall be captured.

    Attributes:
        wanted: the device.
        rate: sampling frequency [Hz].
        block: length of a block [samples].
    """

    wanted: Wanted
    rate: int
    block: int

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.wanted.channels

    def to_json(self) -> str:
        """Return them as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> 'CaptureSettings':
        """Return what `to_json` gave."""
        fields = json.loads(text)
        return cls(**{**fields, 'wanted': Wanted(**fields['wanted'])})


class Kind(IntEnum):
    """What a message says."""

    READY = 1
    WAITING = 2  # The device does not open yet; why. Comes again after each attempt.
    OPENED = 3  # Its name.
    ALIVE = 4  # The device has delivered nothing, but the process runs.
    BLOCK = 5
    FAILED = 6  # Nothing more will come; why.
    LISTING = 7  # What devices there are.
    WARNING = 8  # Before OPENED: others match as well; how one is chosen.


@dataclass(frozen=True)
class Note:
    """A message with a text, or without one."""

    kind: Kind
    text: str = ''


@dataclass(frozen=True)
class CapturedBlock:
    """A message with samples.

    Attributes:
        index: of its first sample; a jump means that samples are lost.
        time: when the first sample was acquired, on the clock of `time.monotonic` [s].
        overflows: how often the driver has lost samples so far.
        dropped: samples dropped so far because nobody took them.
        rate: measured sampling frequency [Hz].
        samples: int32 of the machine, channels of a sample next to each other.
    """

    index: int
    time: float
    overflows: int
    dropped: int
    rate: float
    samples: bytes


def write(stream: BinaryIO, message: Note | CapturedBlock) -> None:
    """Write a message.

    Raises:
        OSError: the other process is gone.
    """
    if isinstance(message, Note):
        kind, parts = message.kind, [message.text.encode(errors='backslashreplace')]
    else:
        m = message
        kind = Kind.BLOCK
        parts = [_BLOCK.pack(m.index, m.time, m.overflows, m.dropped, m.rate), m.samples]
    stream.write(b''.join([_HEADER.pack(kind, sum(map(len, parts))), *parts]))
    stream.flush()


def read(stream: BinaryIO) -> Note | CapturedBlock | None:
    """Return the next message, or None where the other process has ended."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    kind, length = _HEADER.unpack(header)
    content = stream.read(length)
    if len(content) < length:
        return None
    if kind == Kind.BLOCK:
        index, time, overflows, dropped, rate = _BLOCK.unpack_from(content)
        samples = content[_BLOCK.size :]
        return CapturedBlock(index, time, overflows, dropped, rate, samples)
    return Note(Kind(kind), content.decode())
