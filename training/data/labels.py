# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The labels of recordings: which file holds a source from where, and when."""

from collections.abc import Mapping, Sequence
import csv
from dataclasses import dataclass, replace
import math
from pathlib import Path

from doa_ros.core.ambiguity import Ambiguity
from doa_ros.core.config import load_yaml, require_keys
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import wrap_angle

from .bags import is_bag

LABEL_COLUMNS = ('file', 'start', 'end', 'azimuth_deg', 'elevation_deg')


@dataclass(frozen=True)
class Segment:
    """A row of the labels: a source, or silence, from a time to another.

    Attributes:
        row: where it stands in the labels, for people.
        start, end: in the recording [s]; `end` is infinite where it is that of the recording.
        azimuth: of the source in the board's frame [rad]; NaN where nobody speaks.
        elevation: of the source [rad]; NaN where it is not known.
    """

    row: str
    start: float
    end: float
    azimuth: float
    elevation: float

    @property
    def has_source(self) -> bool:
        """Whether a source is heard in it."""
        return not math.isnan(self.azimuth)

    def folded(self, ambiguity: Ambiguity) -> 'Segment':
        """Return it with the direction as far as an array can tell it."""
        azimuth, elevation = ambiguity.fold(self.azimuth, self.elevation)
        return replace(self, azimuth=float(azimuth), elevation=float(elevation))


def read_labels(folder: Path, most_sources: int) -> dict[str, list[Segment]]:
    """Return the segments of each recording that the labels name, in the order of their starts.

    Args:
        folder: of the recordings and their labels.csv or labels.yaml.
        most_sources: so many segments with a source may overlap.

    Raises:
        ConfigError: the labels are missing or not usable.
    """
    table, listing = folder / 'labels.csv', folder / 'labels.yaml'
    rows: object
    if table.is_file():
        path, rows = table, _csv_rows(table)
    elif listing.is_file():
        path, rows = listing, load_yaml(listing).get('labels')
    else:
        raise ConfigError(f'{folder}: holds no labels.csv and no labels.yaml')
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f'{path}: holds no labels')
    labels: dict[str, list[Segment]] = {}
    for number, row in enumerate(rows, 1):
        where = f'{path}: row {number}'
        require_keys(row, where, required={'file', 'azimuth_deg'}, optional=LABEL_COLUMNS)
        name = Path(str(row['file'])).as_posix()
        if not (is_bag(folder / name) or (folder / name).is_file()):
            raise ConfigError(f'{where}: {folder / name} is no recording')
        labels.setdefault(name, []).append(_segment(row, where))
    for segments in labels.values():
        segments.sort(key=lambda segment: segment.start)
        _check_overlaps(segments, most_sources)
    return labels


def _csv_rows(path: Path) -> list[dict]:
    try:
        with path.open(encoding='utf-8-sig', newline='') as file:
            return list(csv.DictReader(file, restkey='more columns', strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f'{path}: cannot be read as CSV ({error})') from None


def _segment(row: Mapping, where: str) -> Segment:
    azimuth_deg = _number(row, 'azimuth_deg', where, math.nan, -360, 360)
    segment = Segment(
        row=where,
        start=_number(row, 'start', where, 0.0, 0.0, math.inf),
        end=_number(row, 'end', where, math.inf, 0.0, math.inf),
        azimuth=float(wrap_angle(math.radians(azimuth_deg))),
        elevation=math.radians(_number(row, 'elevation_deg', where, math.nan, -90, 90)),
    )
    if segment.end <= segment.start:
        raise ConfigError(f'{where}: end must come after start')
    return segment


def _number(
    row: Mapping, name: str, where: str, default: float, least: float, most: float
) -> float:
    """Return a cell as a number, `default` where it is empty."""
    cell = row.get(name)
    if cell is None or str(cell).strip() == '':
        return default
    try:
        value = float(cell)
    except (TypeError, ValueError):
        value = math.nan
    if not least <= value <= most or math.isinf(value):
        bounds = f'in {least:g}..{most:g}' if most < math.inf else f'of at least {least:g}'
        raise ConfigError(f'{where}: {name} must be a number {bounds}, not {cell!r}')
    return value


def _check_overlaps(segments: Sequence[Segment], most_sources: int) -> None:
    for segment in segments:
        at_once = [s for s in segments if s.start <= segment.start < s.end]
        if sum(s.has_source for s in at_once) > most_sources:
            raise ConfigError(f'{segment.row}: more than {most_sources} segments overlap')
