# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Files that command lines write when all is done."""

import io
import os
from pathlib import Path
import shutil
import stat
import tempfile
from typing import IO

from doa_ros.core.errors import DoaError


class OutputFile:
    """A file that is tried before the work begins, and written as a whole when it is done.

    Args:
        path: where it shall be; what is there is replaced.

    Attributes:
        path: the same.

    Raises:
        DoaError: it cannot be written there.
    """

    def __init__(self, path: Path):
        self.path = path
        # A link is followed: the file behind it is replaced, not the link.
        self._target = Path(os.path.realpath(path))
        try:
            self._mode = _mode_of(path)
            if self._mode is not None and stat.S_ISREG(self._mode):
                self._target.open('ab').close()
            if self._replaces:
                tempfile.TemporaryFile(dir=self._target.parent).close()
        except OSError as error:
            folder = self._target.parent
            missing = isinstance(error, FileNotFoundError) and not folder.is_dir()
            reason = f'there is no folder {folder}' if missing else error.strerror or str(error)
            raise self.error(reason) from None
        if self._mode is not None and stat.S_ISDIR(self._mode):
            raise self.error('it is a folder; name a file')

    @property
    def _replaces(self) -> bool:
        # A pipe or a device, such as /dev/stdout, is written to rather than replaced.
        return self._mode is None or stat.S_ISREG(self._mode)

    def __str__(self) -> str:
        return str(self.path)

    def write(self, content: bytes) -> None:
        """Write the whole content; where that fails, what was there stays.

        Raises:
            DoaError: it cannot be written.
        """
        self.write_from(io.BytesIO(content))

    def write_from(self, stream: IO[bytes]) -> None:
        """Write all that a stream holds; where that fails, what was there stays.

        Raises:
            DoaError: it cannot be written.
        """
        part = self._target.with_name(f'.doa_ros_{os.getpid()}.part')
        stream.seek(0)
        try:
            if not self._replaces:
                _copy(stream, self.path)
                return
            _copy(stream, part)
            if self._mode is not None:
                part.chmod(stat.S_IMODE(self._mode))
            part.replace(self._target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise self.error(error.strerror or str(error)) from None

    def spool(self) -> IO[bytes]:
        """Return a stream for what comes bit by bit, and `write_from` takes at the end.

        It is on the same disk, and nothing is left of it however the process ends.
        """
        return tempfile.TemporaryFile(dir=self._target.parent if self._replaces else None)

    def error(self, reason: str) -> DoaError:
        """Return the error of a file that cannot be written, for a reason."""
        return DoaError(f'{self.path}: cannot be written ({reason})')


def _copy(stream: IO[bytes], path: Path) -> None:
    with path.open('wb') as file:
        shutil.copyfileobj(stream, file)


def _mode_of(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
