# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Estimates and tracks as rows of a table: all that their messages hold, angles in degrees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math
from typing import Any

Value = bool | int | float | str | None
"""What stands in a table; None where it is not known."""

Values = dict[str, Value]
"""Values by the names of their columns."""


@dataclass(frozen=True)
class Column:
    """What a table says of an estimate, a track or a window.

    Attributes:
        name: in JSON and CSV.
        value: returns that of an estimate, a track or a window.
        heading: in a table for people; None where it is not shown there.
        decimals: in a table for people, of what is not a whole number.
        json_type: of its values in JSON, as a JSON schema calls it.
    """

    name: str
    value: Callable[[Any], Value]
    heading: str | None = None
    decimals: int | None = None
    json_type: str = 'number'


def values_of(columns: Sequence[Column], of: Any) -> Values:
    """Return what columns say of an estimate, a track or a window."""
    return {column.name: column.value(of) for column in columns}


def _degrees(angle: float) -> float | None:
    return round(math.degrees(angle), 2) if math.isfinite(angle) else None


_DIRECTION = (
    Column('azimuth_deg', lambda e: _degrees(e.azimuth), 'azimuth [deg]', 1),
    Column('elevation_deg', lambda e: _degrees(e.elevation), 'elevation [deg]', 1),
    Column('confidence', lambda e: round(e.confidence, 3), 'confidence', 2),
)
_DEVIATION = (
    Column('azimuth_stddev_deg', lambda e: _degrees(e.azimuth_stddev)),
    Column('elevation_stddev_deg', lambda e: _degrees(e.elevation_stddev)),
)

ESTIMATE_COLUMNS = (*_DIRECTION, *_DEVIATION)
"""Of an `Estimate`."""

TRACK_COLUMNS = (
    Column('track_id', lambda t: t.id, 'track', json_type='integer'),
    *_DIRECTION,
    Column('azimuth_rate_deg', lambda t: _degrees(t.azimuth_rate), 'azimuth [deg/s]', 1),
    Column('elevation_rate_deg', lambda t: _degrees(t.elevation_rate), 'elevation [deg/s]', 1),
    Column('age', lambda t: round(t.age, 3), 'age [s]', 2),
    Column('predicted', lambda t: t.predicted, 'predicted', json_type='boolean'),
    *_DEVIATION,
    Column('azimuth_rate_stddev_deg', lambda t: _degrees(t.azimuth_rate_stddev)),
    Column('elevation_rate_stddev_deg', lambda t: _degrees(t.elevation_rate_stddev)),
)
"""Of a `Track`."""
