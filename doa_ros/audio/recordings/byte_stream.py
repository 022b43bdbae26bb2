# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Files, and pipes that can be read only once."""

import os
from pathlib import Path
import stat
from typing import BinaryIO

# So much of what was read from a pipe can be read again [bytes].
_LEAST_KEPT = 1 << 20


class Pipe:
    """A stream in which one can go back a little: libsndfile reads a header more than once.

    Args:
        stream: can only be read on.
    """

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._position = 0
        # The latest of what was read, and where it begins.
        self._kept = bytearray()
        self._kept_from = 0

    def read(self, count: int) -> bytes:
        """Return the next bytes; fewer than `count` at the end.

        Raises:
            ValueError: they came too long ago.
        """
        place = self._position - self._kept_from
        if place < 0:
            raise ValueError('this format cannot come through a pipe; give a file')
        data = bytes(self._kept[place : place + count])
        if len(data) < count:
            fresh = self._stream.read(count - len(data))
            self._kept += fresh
            data += fresh
        self._position += len(data)
        if len(self._kept) > 4 * _LEAST_KEPT:
            self._kept_from += len(self._kept) - _LEAST_KEPT
            del self._kept[:-_LEAST_KEPT]
        return data

    def seek(self, position: int) -> None:
        """Go to a byte; to the end where there are not so many."""
        while self._position < position:
            if not self.read(min(position - self._position, _LEAST_KEPT)):
                return
        self._position = position

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


ByteStream = BinaryIO | Pipe
"""What a recording is read from."""


def open_file(path: Path) -> BinaryIO:
    """Open a regular file.

    Raises:
        OSError, ValueError: it cannot be opened, or is no regular file.
    """
    # A pipe may never be opened, and a device may never end.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError('not a regular file')
    return path.open('rb')


def byte_stream(stream: BinaryIO) -> ByteStream:
    """Return a stream in which one can go back."""
    return stream if stream.seekable() else Pipe(stream)


def size_of(stream: ByteStream) -> int | None:
    """Return how many bytes there are, None in a pipe."""
    return None if isinstance(stream, Pipe) else stream.seek(0, os.SEEK_END)
