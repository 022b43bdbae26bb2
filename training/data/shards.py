# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Shards: files of a few simulated clips each, {train,val}/NNNNN.npz.

Every file is whole or it is not there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
import io
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from doa_ros.core.files import write_whole

from ..splits import SPLITS
from .audio_files import append_labels
from .rows import Rows


@dataclass(frozen=True)
class ShardSpec:
    """Which clips a shard holds.

    Attributes:
        split, number: which shard it is.
        clips: the numbers of its clips.
    """

    split: str
    number: int
    clips: range

    def path(self, out: Path) -> Path:
        """Return the path of its npz file in the folder of the data set."""
        return out / self.split / f'{self.number:05d}.npz'

    def is_stored(self, out: Path, rows: type[Rows]) -> bool:
        """Return whether it is in the folder of a data set, undamaged and with all clips.

        Args:
            out: the folder.
            rows: what its columns are.
        """
        try:
            with np.load(self.path(out)) as content:
                complete = set(rows.names()) <= set(content.files)
                return complete and len(np.unique(content['clip'])) >= len(self.clips)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return False

    def generators(self, seed: int) -> Iterator[tuple[int, np.random.Generator]]:
        """Yield the number of each clip, and a random generator of its own for it."""
        for clip in self.clips:
            yield clip, np.random.default_rng([seed, SPLITS.index(self.split), clip])


@dataclass(frozen=True)
class Shard:
    """Some simulated clips on their way to the disk.

    Attributes:
        spec: which clips they are.
        content: of its npz file, see `packed`.
        audio: contents of its audio files by name.
        labels: rows of labels.csv.
        unusable: why recordings were left out, by path.
    """

    spec: ShardSpec
    content: bytes
    audio: dict[str, bytes] = field(default_factory=dict)
    labels: list[tuple] = field(default_factory=list)
    unusable: dict[Path, str] = field(default_factory=dict)

    def write(self, out: Path) -> None:
        """Write it to the folder of the data set; the npz file comes last: all the rest is there.

        Raises:
            OSError: it cannot be written.
        """
        for name, content in self.audio.items():
            write_whole(out / 'audio' / self.spec.split / name, content)
        if self.labels:
            append_labels(out, self.spec.split, self.labels)
        write_whole(self.spec.path(out), self.content)


def packed(columns: Mapping[str, np.ndarray]) -> bytes:
    """Return the content of an npz file."""
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **columns)
    return content.getvalue()
