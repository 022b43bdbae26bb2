# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Files that are written as a whole."""

from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name first: it is whole or as it was.

    Args:
        path: of the file; where it is a link, what it leads to is written.
        content: of the file.

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
