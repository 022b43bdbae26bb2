# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Labelled recordings of a real board.

A folder holds recordings, in subfolders as you like:

- WAV or FLAC files with all channels of the array's device or its microphones alone;
- rosbag2 folders (SQLite or MCAP) and bare .mcap files with the topic /doa/audio;

and `labels.csv`, or `labels.yaml` with a list `labels` of mappings with the same names:

    file,start,end,azimuth_deg,elevation_deg
    kitchen/left.wav,2.0,6.5,90,15
    kitchen/left.wav,8.0,12.0,-30,
    kitchen/fan.wav,,,,

`file` is the path in the folder; `start` and `end` [s] bound a stretch in which a source at that
direction is heard, with its pauses, and are the whole recording where they are left out.
Directions are those of the board: azimuth from x counter-clockwise, elevation above the board's
plane, empty where it is not known; a flat board hears below its plane as above. A row without
azimuth says that nobody speaks there. At most three stretches may overlap. A recording that no
row names is left out: nothing is known about it.

Recordings in one subfolder are of one room; one that lies in the folder itself is a room of its
own. Any rate is good that is at least twice band_max of the features.
"""

from collections.abc import Iterator
import csv
from dataclasses import dataclass, field, replace
import math
from pathlib import Path

import numpy as np
from scipy import signal
from tqdm import tqdm

from doa_ros.audio.file_source import FileSource
from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.source import NANOSECONDS, AudioBlock
from doa_ros.core.ambiguity import Ambiguity, ambiguity_of
from doa_ros.core.config import load_yaml, require_keys
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.features.extractor import FeatureConfig
from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.simulation.labels import active_blocks, silent_blocks, voiced_blocks

from .bags import audio_blocks, is_bag
from .clips import MAX_SOURCES, Clip, Source

_AUDIO = ('.wav', '.flac')
# Of labels.csv.
LABELS = ('file', 'start', 'end', 'azimuth_deg', 'elevation_deg')
# Recordings are taken in pieces of this length, so that memory does not grow with theirs [s].
_PIECE = 60.0
_BLOCK = 1.0
# A block is heard when it is this far above the background [dB].
_ABOVE_BACKGROUND = 3.0
# Where no block is known to be background, these quietest ones are taken for it.
_QUIETEST = 0.1


@dataclass(frozen=True)
class _Stretch:
    """A row of the labels: times in [s], angles in [rad]; azimuth NaN where nobody speaks."""

    where: str
    start: float
    end: float
    azimuth: float
    elevation: float

    def folded(self, ambiguity: Ambiguity) -> '_Stretch':
        azimuth, elevation = ambiguity.fold(self.azimuth, self.elevation)
        return replace(self, azimuth=float(azimuth), elevation=float(elevation))


@dataclass
class _Piece:
    """Gap-free audio, shape (samples, channels), from `start` [s] of the recording on."""

    start: float
    rate: int
    blocks: list[np.ndarray] = field(default_factory=list)

    @property
    def end(self) -> float:
        return self.start + sum(map(len, self.blocks)) / self.rate


def load_recordings(
    folder: Path, array: MicArray, features: FeatureConfig, *, strict: bool = False
) -> Iterator[Clip]:
    """Yield the labelled recordings of a folder, long ones in several clips.

    Within a labelled stretch a source counts as voiced where the sound, in the band of the
    features, stands 3 dB above the background, that is the median of the blocks outside of all
    stretches, or the quietest tenth where there are none, and within 22 dB of its loudest block.
    Blocks are silent when no stretch was there for a second.

    Args:
        folder: see above.
        array: the microphones.
        features: their hop is the length of a clip's blocks.
        strict: stop at a recording that cannot be read instead of leaving it out.

    Raises:
        ConfigError: the labels are missing or not usable.
        AudioError: no recording can be read, or one cannot and `strict` is set.
    """
    labels = _read_labels(folder)
    skipped = []
    for name, stretches in tqdm(labels.items(), desc='recordings', unit='file', leave=False):
        path = folder / name
        try:
            yield from _clips(path, _room(name), stretches, array, features)
        except AudioError as error:
            if strict:
                raise
            skipped.append(error)
            tqdm.write(f'left out: {error}')
    if len(skipped) == len(labels):
        raise AudioError(f'{folder}: none of {len(labels)} recordings can be read')
    if skipped:
        tqdm.write(f'{folder}: left out {len(skipped)} of {len(labels)} recordings')


def _room(name: str) -> str:
    parent, _, file = name.rpartition('/')
    return parent or file


def _clips(path: Path, room: str, stretches, array: MicArray, features: FeatureConfig):
    stretches = [s.folded(ambiguity_of(array)) for s in stretches]
    end = 0.0
    for piece in _pieces(path, array):
        if piece.rate < 2 * features.band_max:
            raise AudioError(
                f'{path}: is sampled at {piece.rate} Hz, but features up to '
                f'{features.band_max:g} Hz need at least {2 * features.band_max:g} Hz'
            )
        end = piece.end
        audio = np.concatenate(piece.blocks)
        if len(audio) >= round(features.window * piece.rate):
            yield _label(audio, piece, room, stretches, features)
    for stretch in stretches:
        if stretch.start >= end:
            raise ConfigError(
                f'{stretch.where}: starts at {stretch.start:g} s, but {path} ends at {end:g} s'
            )


def _pieces(path: Path, array: MicArray) -> Iterator[_Piece]:
    """Yield what the microphones heard in pieces without gaps."""
    piece, following, origin = None, None, None
    for block in audio_blocks(path, array) if is_bag(path) else _file_blocks(path, array):
        origin = block.stamp if origin is None else origin
        goes_on = following == (block.first_sample_index, block.sampling_frequency)
        if not goes_on or piece.end - piece.start >= _PIECE:
            if piece is not None:
                yield piece
            piece = _Piece((block.stamp - origin) / NANOSECONDS, block.sampling_frequency)
        channels = array.microphone_channels(block.samples.shape[1])
        piece.blocks.append(block.as_float()[:, channels])
        following = block.first_sample_index + len(block.samples), block.sampling_frequency
    if piece is not None:
        yield piece


def _file_blocks(path: Path, array: MicArray) -> Iterator[AudioBlock]:
    recording = Recording(path, warn=tqdm.write)
    try:
        array = replace(array, sampling_frequency=recording.sampling_frequency)
    except ConfigError as error:
        raise AudioError(f'{path}: cannot be read as audio ({error})') from None
    source = FileSource(recording, array, block_duration=_BLOCK)
    return source.blocks(lambda: 0)


def _label(audio: np.ndarray, piece: _Piece, room: str, stretches, features) -> Clip:
    hop = round(features.hop * piece.rate)
    level = _level(audio, piece.rate, features)[: len(audio) // hop * hop]
    power = np.mean(level.reshape(-1, hop) ** 2, axis=1)
    # Blocks are counted from the recording's start: what was heard before the piece matters too.
    earlier = round(piece.start / features.hop)
    middles = piece.start + (np.arange(earlier + len(power)) - earlier + 0.5) * features.hop
    heard = [s for s in stretches if not math.isnan(s.azimuth)]
    inside = np.array([(middles >= s.start) & (middles < s.end) for s in heard], dtype=bool)
    inside = inside.reshape(-1, len(middles))
    silent = silent_blocks(inside.any(axis=0), features.hop)[earlier:]
    inside = inside[:, earlier:]
    background = power[~inside.any(axis=0)]
    background = np.median(background) if len(background) else np.quantile(power, _QUIETEST)
    loud = power > background * 10 ** (_ABOVE_BACKGROUND / 10)
    columns = []
    for stretch, blocks in zip(heard, inside, strict=True):
        if not blocks.any():
            continue
        active = active_blocks(level * np.repeat(blocks, hop), hop) & loud
        part = Source(
            azimuth=np.where(blocks, stretch.azimuth, np.nan),
            elevation=np.where(blocks, stretch.elevation, np.nan),
            voiced=voiced_blocks(active) & blocks,
        )
        _add(columns, part)
    return Clip(
        audio=audio,
        sampling_frequency=piece.rate,
        sources=tuple(columns),
        silent=silent,
        room=room,
    )


def _add(columns: list[Source], part: Source):
    """Put a stretch into the first column that is free then, or into a new one."""
    blocks = ~np.isnan(part.azimuth)
    for number, column in enumerate(columns):
        if np.isnan(column.azimuth[blocks]).all():
            columns[number] = Source(
                azimuth=np.where(blocks, part.azimuth, column.azimuth),
                elevation=np.where(blocks, part.elevation, column.elevation),
                voiced=column.voiced | part.voiced,
            )
            return
    columns.append(part)


def _level(audio: np.ndarray, rate: int, features: FeatureConfig) -> np.ndarray:
    """Return the level over the microphones, in the band of the features, shape (samples,)."""
    highest = min(features.band_max, 0.49 * rate)
    band = signal.butter(2, (features.band_min, highest), 'bandpass', fs=rate, output='sos')
    return np.sqrt(np.mean(signal.sosfilt(band, audio, axis=0) ** 2, axis=1))


def _read_labels(folder: Path) -> dict[str, list[_Stretch]]:
    """Return the rows of the labels by recording.

    Raises:
        ConfigError: they are missing or not usable.
    """
    table, listing = folder / 'labels.csv', folder / 'labels.yaml'
    if table.is_file():
        path, rows = table, _csv_rows(table)
    elif listing.is_file():
        path, rows = listing, load_yaml(listing).get('labels')
    else:
        raise ConfigError(f'{folder}: holds no labels.csv and no labels.yaml')
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f'{path}: holds no labels')
    labels: dict[str, list[_Stretch]] = {}
    for number, row in enumerate(rows, 1):
        where = f'{path}: row {number}'
        require_keys(row, where, required={'file', 'azimuth_deg'}, optional=LABELS)
        name = Path(str(row['file'])).as_posix()
        if not (is_bag(folder / name) or (folder / name).is_file()):
            raise ConfigError(f'{where}: {folder / name} is no recording')
        labels.setdefault(name, []).append(_stretch(row, where))
    for stretches in labels.values():
        stretches.sort(key=lambda stretch: stretch.start)
        _check_overlaps(stretches)
    return labels


def _csv_rows(path: Path) -> list[dict]:
    try:
        with path.open(encoding='utf-8-sig', newline='') as file:
            return list(csv.DictReader(file, restkey='more columns', strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f'{path}: cannot be read as CSV ({error})') from None


def _stretch(row: dict, where: str) -> _Stretch:
    stretch = _Stretch(
        where=where,
        start=_number(row, 'start', where, 0.0, 0.0, math.inf),
        end=_number(row, 'end', where, math.inf, 0.0, math.inf),
        azimuth=wrap_angle(math.radians(_number(row, 'azimuth_deg', where, math.nan, -360, 360))),
        elevation=math.radians(_number(row, 'elevation_deg', where, math.nan, -90, 90)),
    )
    if stretch.end <= stretch.start:
        raise ConfigError(f'{where}: end must come after start')
    return stretch


def _number(row: dict, name: str, where: str, default: float, least: float, most: float) -> float:
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


def _check_overlaps(stretches: list[_Stretch]):
    for stretch in stretches:
        at_once = [s for s in stretches if s.start <= stretch.start < s.end]
        if sum(not math.isnan(s.azimuth) for s in at_once) > MAX_SOURCES:
            raise ConfigError(f'{stretch.where}: more than {MAX_SOURCES} stretches overlap')
