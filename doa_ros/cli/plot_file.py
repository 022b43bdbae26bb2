# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that command lines draw when all is done."""

from collections.abc import Callable
import io
from pathlib import Path
from typing import TYPE_CHECKING

from doa_ros.cli.output_file import OutputFile
from doa_ros.core.errors import DoaError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NEEDED = 'none, it needs matplotlib: sudo apt install python3-matplotlib'


class PlotFile:
    """A picture whose place and format are tried before the work begins.

    Args:
        path: where it shall be; its suffix is the format, PNG without one.

    Raises:
        DoaError: it cannot be written there, or there is no such format.
    """

    def __init__(self, path: Path):
        self._path, self._file = path, OutputFile(path)
        self._format = path.suffix[1:].lower() or 'png'
        try:
            from matplotlib.backend_bases import FigureCanvasBase
        except ImportError:
            return  # Nothing will be drawn.
        formats = FigureCanvasBase.get_supported_filetypes()
        if self._format not in formats:
            raise DoaError(
                f'{path}: {path.suffix} is no format of pictures; known are '
                + ', '.join(sorted(formats))
            )

    def write(self, draw: Callable[[], 'Figure']) -> str:
        """Write what is drawn; return where it is, or what is missing to draw it.

        Raises:
            DoaError: it cannot be written.
        """
        picture = io.BytesIO()
        try:
            draw().savefig(picture, format=self._format, dpi=120)
        except ImportError:
            return _NEEDED
        self._file.write(picture.getvalue())
        return str(self._path.resolve())
