# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Writing files as a whole."""

from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file as a whole: where that fails, the file is as it was before.

    Args:
        path: of the file; of a link, the file that it leads to is written.
        content: all that the file is to hold.

    Raises:
        OSError: it cannot be written.
    """
    path = path.resolve()
    partial = path.with_name(path.name + '.partial')
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
