# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What panels plot: messages in JSON that hold rows of columns, with schemas that name them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from doa_ros.columns import ESTIMATE_COLUMNS, TRACK_COLUMNS, Column, values_of
from doa_ros.core.units import NANOSECONDS


@dataclass(frozen=True)
class Records:
    """Messages that hold a timestamp and rows.

    Attributes:
        title: of the schema.
        rows: the name of the rows in a message.
        columns: of each row; what is not known is left out.
    """

    title: str
    rows: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema. Each type is a single one, as Foxglove knows no others."""
        row = {column.name: {'type': column.json_type} for column in self.columns}
        rows = {'type': 'array', 'items': {'type': 'object', 'properties': row}}
        time = {'type': 'object', 'properties': {k: {'type': 'integer'} for k in ('sec', 'nsec')}}
        properties = {'timestamp': time, self.rows: rows}
        return {'title': self.title, 'type': 'object', 'properties': properties}

    def message(self, stamp: int, rows: Iterable[Any]) -> dict[str, Any]:
        """Return a message of what the columns are of, with a stamp [ns]."""
        seconds, nanoseconds = divmod(stamp, NANOSECONDS)
        return {
            'timestamp': {'sec': seconds, 'nsec': nanoseconds},
            self.rows: [
                {name: v for name, v in values_of(self.columns, row).items() if v is not None}
                for row in rows
            ],
        }


class ChannelLevel(NamedTuple):
    """The level of a channel.

    Attributes:
        channel: its number, from 0.
        label: of its microphone; '' where it has none.
        dbfs: its level [dB of full scale].
    """

    channel: int
    label: str
    dbfs: float


ESTIMATES = Records('doa_ros.Estimates', 'estimates', ESTIMATE_COLUMNS)
TRACKS = Records('doa_ros.Tracks', 'tracks', TRACK_COLUMNS)
LEVELS = Records(
    'doa_ros.Levels',
    'levels',
    (
        Column('channel', lambda level: level.channel, json_type='integer'),
        Column('label', lambda level: level.label, json_type='string'),
        Column('level_dbfs', lambda level: level.dbfs),
    ),
)
