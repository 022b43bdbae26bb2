# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes libsndfile read a recording to its real end, not to that in its header."""

import os
from types import ModuleType
from typing import Any

from doa_ros.audio.recordings.byte_stream import ByteStream, Pipe
from doa_ros.audio.recordings.wav_chunks import WRAP, SampleRegion
from doa_ros.core.errors import AudioError

# As length of a pipe: more than will ever come, but not more than libsndfile can multiply.
ENDLESS = 1 << 60
# What libsndfile says of a format that it does not know.
_UNRECOGNISED = 1


def import_soundfile() -> ModuleType:
    """Return the module.

    Raises:
        AudioError: it is not installed, or does not find libsndfile.
    """
    try:
        import soundfile
    except ImportError:
        raise AudioError(
            'the Python package soundfile is not installed; try: pip install soundfile'
        ) from None
    except OSError as error:
        raise AudioError(
            f'the library libsndfile cannot be loaded ({error}); try: sudo apt install libsndfile1'
        ) from None
    return soundfile


def libsndfile_reason(error: Any) -> str:
    """Return what a LibsndfileError says."""
    text: str = error.error_string.rstrip('.').lower()
    if error.code == _UNRECOGNISED:
        text += '; doa-locate --raw-format reads samples without a header'
    return text


class SampleFile:
    """What libsndfile reads of a file: its samples, or all of it.

    It is read as Python reads a file. No exception passes through libsndfile, so the first one is
    kept.

    Args:
        file: holds the samples.
        samples: where.

    Attributes:
        failure: the exception; None as long as there was none.
    """

    def __init__(self, file: ByteStream, samples: SampleRegion):
        self._file = file
        self._samples = samples
        self._end = samples.size
        self._position = 0
        self.failure: BaseException | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte and return which."""
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            pipe = isinstance(self._file, Pipe)
            offset += ENDLESS if pipe or self._end is None else self._end
        self._position = max(0, offset)
        return self._position

    def tell(self) -> int:
        """Return which byte comes next."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there are bytes; return how many."""
        done = 0
        try:
            self._file.seek(self._samples.begin + self._position)
            while done < len(buffer) and (left := self._left()) > 0:
                data = self._file.read(min(left, len(buffer) - done))
                if not data:
                    break
                buffer[done : done + len(data)] = data
                done += len(data)
                self._position += len(data)
        except BaseException as error:
            self.failure = self.failure or error
        return done

    def _left(self) -> int:
        """Return how many bytes there are still."""
        if self._end is None:
            return ENDLESS
        if self._position == self._end and isinstance(self._file, Pipe):
            # The header may have said the true size modulo 4 GB only.
            if not self._samples.end_at(self._file, self._end):
                self._end += WRAP
            self._file.seek(self._samples.begin + self._position)
        return self._end - self._position
