# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A WAV file for the sound of each track, and a table of them."""

from collections.abc import Iterator, Sequence
import csv
from dataclasses import dataclass
import io
import math
from pathlib import Path
from typing import BinaryIO
import wave

import numpy as np

from doa_ros.core.errors import DoaError
from doa_ros.core.separation.separator import TrackSound
from doa_ros.core.separation.short_time_fourier import RATE
from doa_ros.core.tracking.track import Track

_TABLE = 'tracks.csv'
# Where a track was first and last; `doa-locate --tracks` tells all in between.
_COLUMNS = ('track', 'begin', 'end', 'first_azimuth_deg', 'last_azimuth_deg', 'file')
_HEADINGS = ('track', 'begin [s]', 'end [s]', 'from [deg]', 'to [deg]', 'file')
_FULL_SCALE = 32767


@dataclass
class _TrackFile:
    """The WAV file of a track.

    Attributes:
        path: where it is.
        begin: index of its first sample since the start of the recording.
        stream: the open file.
        wav: writes into it.
        samples: how many it holds.
    """

    path: Path
    begin: int
    stream: BinaryIO
    wav: wave.Wave_write
    samples: int = 0


class TrackFiles:
    """Writes the sounds of tracks into a folder, as they come.

    Args:
        folder: it is made where there is none.

    Raises:
        DoaError: it cannot be written to, or holds such files already.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._files: dict[int, list[_TrackFile]] = {}
        # Of each track, the first azimuth and the last one [rad].
        self._azimuths: dict[int, tuple[float, float]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held = {*folder.glob('track_*.wav'), *folder.glob(_TABLE)}
            if held:
                raise DoaError(
                    f'{folder}: holds {min(held).name} already; name another folder, or move what '
                    'is there'
                )
            (folder / _TABLE).touch()
        except OSError as error:
            raise _unwritable(folder, error) from None

    def follow(self, tracks: Sequence[Track]) -> None:
        """Take where tracks are in a window."""
        for track in tracks:
            first, _ = self._azimuths.get(track.id, (track.azimuth, 0.0))
            self._azimuths[track.id] = first, track.azimuth

    def write(self, sounds: Sequence[TrackSound]) -> None:
        """Append what has come of tracks to their files.

        Raises:
            DoaError: a file cannot be written.
        """
        for sound in sounds:
            files = self._files.setdefault(sound.track_id, [])
            # A track that came back after its sound had ended has a second file.
            part = f'_{len(files) + 1}' if files and sound.begins else ''
            path = self._folder / f'track_{sound.track_id}{part}.wav'
            try:
                if sound.begins:
                    files.append(_opened(path, sound.first_sample_index))
                file = files[-1]
                scaled = np.clip(sound.samples, -1, 1) * _FULL_SCALE
                file.wav.writeframes(np.rint(scaled).astype('<i2').tobytes())
                file.samples += len(sound.samples)
                if sound.ends:
                    file.wav.close()
                    file.stream.close()
            except OSError as error:
                raise _unwritable(path, error) from None

    def write_table(self) -> Iterator[str]:
        """Write the table; yield its lines as people read them.

        Raises:
            DoaError: it cannot be written.
        """
        rows = sorted(self._rows(), key=lambda row: (row[1], row[0]))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator='\n')
        writer.writerow(_COLUMNS)
        writer.writerows(map(_cell, row) for row in rows)
        path = self._folder / _TABLE
        try:
            path.write_text(text.getvalue(), encoding='utf-8')
        except OSError as error:
            raise _unwritable(path, error) from None
        yield '  '.join(_HEADINGS)
        for row in rows:
            cells = map(_cell, row[:-1])
            aligned = [f'{c:>{len(h)}}' for c, h in zip(cells, _HEADINGS[:-1], strict=True)]
            yield '  '.join([*aligned, str(row[-1])])

    def _rows(self) -> Iterator[tuple[int, float, float, float, float, str]]:
        for number, files in self._files.items():
            for file in files:
                begin, end = file.begin / RATE, (file.begin + file.samples) / RATE
                first, last = map(math.degrees, self._azimuths[number])
                yield (number, begin, end, first, last, file.path.name)


def _opened(path: Path, begin: int) -> _TrackFile:
    # The module wave complains where it cannot open a file by itself.
    stream = path.open('wb')
    wav = wave.open(stream, 'wb')
    wav.setnchannels(1)
    wav.setsampwidth(2)
    wav.setframerate(RATE)
    return _TrackFile(path, begin, stream, wav)


def _cell(value: object) -> str:
    return f'{value:.2f}' if isinstance(value, float) else str(value)


def _unwritable(path: Path, error: OSError) -> DoaError:
    return DoaError(f'{path}: cannot be written ({error.strerror or error})')
