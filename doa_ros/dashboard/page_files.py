# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of the page."""

from dataclasses import dataclass
import hashlib
from importlib import resources
from pathlib import Path

_TYPES = {
    '.html': 'text/html',
    '.css': 'text/css',
    '.js': 'text/javascript',
    '.svg': 'image/svg+xml',
    '.uPlot': 'text/plain',
}


@dataclass(frozen=True)
class PageFile:
    """A file of the page: its bytes and its media type."""

    content: bytes
    media_type: str


def load_page() -> dict[str, PageFile]:
    """Return all files of the page by their paths, as in `/main.js`; `/` is the page itself.

    Nothing else is ever served: a path is looked up here and nowhere on the disk.
    """
    folder = Path(str(resources.files(__package__))) / 'page'
    files = {
        f'/{path.relative_to(folder).as_posix()}': PageFile(path.read_bytes(), _TYPES[path.suffix])
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }
    return files | {'/': files.pop('/index.html')}


def version_of(page: dict[str, PageFile]) -> str:
    """Return what changes when any file does: a page that is open then loads itself again."""
    digest = hashlib.sha256()
    for path, file in sorted(page.items()):
        digest.update(f'{path} {len(file.content)} '.encode() + file.content)
    return digest.hexdigest()[:16]
