# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated data on disk: shards of features, audio with labels, and what they are made of.

Every file is whole or it is not there.
"""

from collections.abc import Iterable, Set
import csv
from dataclasses import dataclass
import io
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import soundfile
from tqdm import tqdm
import yaml

from doa_ros.core.config import load_yaml
from doa_ros.core.errors import ConfigError, DoaError
from doa_ros.core.files import write_whole

from ..settings import Settings
from ..simulation.corpus import SPLITS
from .clips import Clip
from .recordings import LABELS

# Stretches of a source with a shorter pause are one [s]; each begins so long before it counts.
_PAUSE, _ONSET = 1.0, 0.2


@dataclass(frozen=True)
class Shard:
    """Some simulated clips on their way to the disk.

    Attributes:
        split, number: which it is.
        clips: how many it holds.
        content: of its npz file.
        audio: contents of its FLAC files by name.
        labels: rows of labels.csv.
        unusable: why recordings were left out, by path.
    """

    split: str
    number: int
    clips: int
    content: bytes
    audio: dict[str, bytes]
    labels: list[tuple]
    unusable: dict[Path, str]


def remember(settings: Settings, out: Path) -> None:
    """Store what the data in a folder is made of.

    Raises:
        ConfigError: the folder holds data of other settings.
        DoaError: it cannot be written.
    """
    stored = {
        'array': settings.array,
        'data_features': settings.data_features.to_mapping(),
        'simulate': settings.simulate.to_mapping(),
    }
    remember_stored(stored, 'simulate', out)


def remember_stored(stored: dict, section: str, out: Path) -> None:
    """Store what the data in a folder is made of, as a mapping.

    Args:
        stored: the mapping.
        section: which of its parts says how many clips there are.
        out: the folder.

    Raises:
        ConfigError: the folder holds data made of something else.
        DoaError: it cannot be written.
    """
    path = out / 'settings.yaml'
    if path.exists():
        before = load_yaml(path)
        # More clips may be asked for at any time.
        counts = {f'{split}_clips': stored[section][f'{split}_clips'] for split in SPLITS}
        before[section] = {**(before.get(section) or {}), **counts}
        if before != stored:
            raise ConfigError(f'{out} holds data of other settings; choose another folder')
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(path, yaml.safe_dump(stored, sort_keys=False).encode())
    except OSError as error:
        raise DoaError(f'{out}: cannot be written ({error.strerror or error})') from None


def stored_clips(out: Path, split: str, number: int) -> int:
    """Return how many clips a shard holds; 0 if it is not there or damaged."""
    try:
        with np.load(_shard_path(out, split, number)) as content:
            return len(np.unique(content['clip']))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return 0


def _shard_path(out: Path, split: str, number: int) -> Path:
    return out / split / f'{number:05d}.npz'


def audio_name(clip: int, channels: int) -> str:
    """Return the name of the file of a clip by its number."""
    # FLAC has room for eight channels.
    return f'{clip:06d}.{"flac" if channels <= 8 else "wav"}'


def encoded(clip: Clip, suffix: str) -> bytes:
    """Return the audio as a file of 24 bit; `suffix` says of which format."""
    buffer = io.BytesIO()
    soundfile.write(
        buffer, clip.audio, clip.sampling_frequency, format=suffix[1:], subtype='PCM_24'
    )
    return buffer.getvalue()


def stretches(clip: Clip, name: str, hop: float) -> list[tuple]:
    """Return the rows of labels.csv for a clip: when a source is heard, with short pauses.

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


def write(shard: Shard, out: Path) -> None:
    """Write a shard; its npz file comes last and says that the rest is there.

    Raises:
        OSError: it cannot be written.
    """
    folder = out / 'audio' / shard.split
    for name, content in shard.audio.items():
        write_whole(folder / name, content)
    if shard.labels:
        with (folder / 'labels.csv').open('a', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows(shard.labels)
    write_whole(_shard_path(out, shard.split, shard.number), shard.content)


def write_all(shards: Iterable[Shard], out: Path, clips: int, title: str) -> int:
    """Write shards as they come, and show how far it is.

    Args:
        shards: in any order.
        out: folder of the data set.
        clips: how many they hold together.
        title: for people.

    Returns:
        How many recordings were left out; each is named once.

    Raises:
        OSError: one cannot be written.
    """
    unusable: dict[Path, str] = {}
    with tqdm(total=clips, unit='clip', desc=title) as progress:
        for shard in shards:
            write(shard, out)
            for path in shard.unusable.keys() - unusable.keys():
                tqdm.write(f'left out: {shard.unusable[path]}')
            unusable.update(shard.unusable)
            progress.update(shard.clips)
    return len(unusable)


def rewrite_labels(out: Path, split: str, without: Set[int] = frozenset()) -> None:
    """Put the rows of labels.csv in order, and leave out those of some clips.

    Raises:
        OSError: it cannot be written.
    """
    path = out / 'audio' / split / 'labels.csv'
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    if path.exists():
        with path.open(newline='', encoding='utf-8') as file:
            # The last row may have been cut off.
            rows = [row for row in csv.reader(file) if len(row) == len(LABELS)]
        rows = [row for row in rows if row[0][:6].isdigit() and int(row[0][:6]) not in without]
    # Columns are numbers or empty.
    rows.sort(key=lambda row: (row[0], float(row[1] or 0), row[3]))
    text = io.StringIO(newline='')
    csv.writer(text).writerows([LABELS, *rows])
    write_whole(path, text.getvalue().encode())
