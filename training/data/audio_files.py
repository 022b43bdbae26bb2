# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated audio as files with labels, as `load_recordings` takes it: audio/{train,val}."""

from collections.abc import Iterable, Set
import csv
import io
from pathlib import Path

import numpy as np
import soundfile

from doa_ros.core.files import write_whole

from .clips import Clip
from .labels import LABEL_COLUMNS

# A source with a shorter pause is labelled as one segment [s], which begins so long before it
# counts as voiced [s].
_PAUSE, _ONSET = 1.0, 0.2


def audio_name(clip: int, channels: int) -> str:
    """Return the name of the file of a clip by its number."""
    # FLAC has room for eight channels.
    return f'{clip:06d}.{"flac" if channels <= 8 else "wav"}'


def encoded_audio(clip: Clip, suffix: str) -> bytes:
    """Return the audio as a file of 24 bit; `suffix` says of which format."""
    buffer = io.BytesIO()
    soundfile.write(
        buffer, clip.audio, clip.sampling_frequency, format=suffix[1:], subtype='PCM_24'
    )
    return buffer.getvalue()


def label_rows(clip: Clip, name: str, hop: float) -> list[tuple]:
    """Return the rows of labels.csv for a clip: when each source is heard, short pauses included.

    Args:
        clip: what is heard.
        name: of its file.
        hop: length of the clip's blocks [s].
    """
    rows = []
    for source in clip.sources:
        voiced = np.flatnonzero(source.voiced)
        for part in np.split(voiced, np.flatnonzero(np.diff(voiced) * hop > _PAUSE) + 1):
            if not len(part):
                continue
            rows.append(
                (
                    name,
                    # A block counts as voiced only some time after the beginning of a sound.
                    f'{max(0.0, part[0] * hop - _ONSET):.3f}',
                    f'{(part[-1] + 1) * hop:.3f}',
                    f'{np.degrees(source.azimuth[part[0]]):.2f}',
                    f'{np.degrees(source.elevation[part[0]]):.2f}',
                )
            )
    # Where no direction is given, nobody speaks.
    return rows or [(name, '', '', '', '')]


def append_labels(out: Path, split: str, rows: Iterable[tuple]) -> None:
    """Append rows to the labels of a split.

    Raises:
        OSError: they cannot be written.
    """
    with _labels_path(out, split).open('a', newline='', encoding='utf-8') as file:
        csv.writer(file).writerows(rows)


def _labels_path(out: Path, split: str) -> Path:
    return out / 'audio' / split / 'labels.csv'


def sort_labels(out: Path, split: str, *, without: Set[int] = frozenset()) -> None:
    """Put the rows of labels.csv in order, and leave out those of some clips.

    Raises:
        OSError: it cannot be written.
    """
    path = _labels_path(out, split)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    if path.exists():
        with path.open(newline='', encoding='utf-8') as file:
            # The last row may have been cut off.
            rows = [row for row in csv.reader(file) if len(row) == len(LABEL_COLUMNS)]
        rows = [row for row in rows if row[0][:6].isdigit() and int(row[0][:6]) not in without]
    # Columns are numbers or empty.
    rows.sort(key=lambda row: (row[0], float(row[1] or 0), row[3]))
    text = io.StringIO(newline='')
    csv.writer(text).writerows([LABEL_COLUMNS, *rows])
    write_whole(path, text.getvalue().encode())
