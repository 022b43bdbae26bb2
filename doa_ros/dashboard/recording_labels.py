# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Labels of recordings, and the labels.csv of a folder as training/data/recordings.py reads it."""

from collections.abc import Mapping
import csv
from dataclasses import dataclass
import io
import math
from pathlib import Path
import re
from typing import Any

from doa_ros.core.errors import ConfigError
from doa_ros.core.files import write_whole
from doa_ros.core.geometry import MicArray

_COLUMNS = ['file', 'start', 'end', 'azimuth_deg', 'elevation_deg']
_ROOM = re.compile(r'\w[\w-]{0,39}', re.ASCII)


@dataclass(frozen=True)
class Label:
    """Where the sound of a recording comes from, in the mounted frame, and in which room.

    Attributes:
        azimuth: [rad]; NaN where nobody speaks.
        elevation: [rad]; NaN where it is not known.
        room: the name of the subfolder.
    """

    azimuth: float
    elevation: float
    room: str


def label_from(content: Mapping[str, Any]) -> Label:
    """Return the label that a person has entered.

    Args:
        content: `azimuth_deg`, `elevation_deg`, None where it is not known, and `room`.

    Raises:
        ConfigError: one of them cannot be.
    """
    azimuth = _angle(content, 'azimuth', 180)
    elevation = math.nan
    if content.get('elevation_deg') is not None:
        elevation = _angle(content, 'elevation', 90)
    room = content.get('room')
    if not isinstance(room, str) or not _ROOM.fullmatch(room):
        raise ConfigError(
            'the name of the room must be of letters, digits, _ and -, at most 40 of them'
        )
    return Label(azimuth, elevation, room)


def _angle(content: Mapping[str, Any], name: str, largest: int) -> float:
    value: Any = content.get(f'{name}_deg')
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and abs(value) <= largest):
        raise ConfigError(f'the {name} must be a number from -{largest} to {largest} degrees')
    return math.radians(value)


def check_labels(folder: Path) -> None:
    """Check that a row can be added to the labels of a folder.

    Raises:
        ConfigError: they are of another form.
        OSError: they cannot be read.
    """
    table = folder / 'labels.csv'
    if table.exists():
        columns = next(csv.reader(io.StringIO(_text(table))), [])
        if not set(columns) <= set(_COLUMNS) or not {'file', 'azimuth_deg'} <= set(columns):
            raise ConfigError(
                f'{table} must begin with the line {",".join(_COLUMNS)}; give another folder'
            )
    elif (folder / 'labels.yaml').exists():
        raise ConfigError(
            f'{folder} has labels in labels.yaml, which a labels.csv would hide: give another one'
        )


def add_label(folder: Path, path: Path, array: MicArray, label: Label) -> None:
    """Add a row for a recording, in which the source is heard from the beginning to the end.

    Args:
        folder: with the labels.
        path: of the recording, in the folder.
        array: it was recorded with.
        label: of the recording; labels.csv has the directions of the board.

    Raises:
        ConfigError: the labels are of another form.
        OSError: they cannot be read or written.
    """
    check_labels(folder)
    table = folder / 'labels.csv'
    text = _text(table) if table.exists() else ','.join(_COLUMNS)
    row = {
        'file': path.relative_to(folder).as_posix(),
        'azimuth_deg': _degrees(array.board_azimuth(label.azimuth)),
        'elevation_deg': _degrees(label.elevation),
    }
    line = io.StringIO()
    columns = next(csv.reader(io.StringIO(text)))
    csv.DictWriter(line, columns, extrasaction='ignore', lineterminator='\n').writerow(row)
    write_whole(table, f'{text.rstrip()}\n{line.getvalue()}'.encode())


def _degrees(angle: float) -> str:
    return '' if math.isnan(angle) else f'{math.degrees(angle):g}'


def _text(table: Path) -> str:
    try:
        return table.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError:
        raise ConfigError(f'{table} is no text; give another folder') from None
