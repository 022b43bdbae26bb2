# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Speech and noise recordings to simulate with."""

from dataclasses import dataclass, field
import json
from pathlib import Path

import numpy as np

from doa_ros.audio.mono import read_mono
from doa_ros.core.errors import AudioError

KINDS = ('speech', 'noise')


@dataclass
class Material:
    """Recordings of one split, read and resampled on demand.

    Attributes:
        files: paths by kind.
        rate: sampling frequency the recordings are brought to [Hz].
    """

    files: dict[str, list[Path]]
    rate: int
    _cache: dict[Path, np.ndarray] = field(default_factory=dict, repr=False)

    def draw(self, kind: str, rng: np.random.Generator) -> np.ndarray:
        """Return a random recording, shape (samples,), float32, with an RMS of 1."""
        path = self.files[kind][rng.integers(len(self.files[kind]))]
        if path not in self._cache:
            self._cache[path] = read_mono(path, self.rate)
        return self._cache[path]


def load_material(folder: Path, split: str, rate: int) -> Material:
    """Find the recordings of a split.

    A `manifest.json` in the folder lists the files with kind and split. Without one, the files
    lie in `SPLIT/speech` and `SPLIT/noise`.

    Args:
        folder: the sound material.
        split: 'train' or 'val'; no speaker or noise recording should be in both.
        rate: sampling frequency wanted [Hz].

    Raises:
        AudioError: nothing usable was found.
    """
    manifest = folder / 'manifest.json'
    files: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    if manifest.is_file():
        try:
            rows = json.loads(manifest.read_text(encoding='utf-8'))['files']
            for row in rows:
                if row['split'] == split and row['kind'] in files:
                    files[row['kind']].append(folder / row['file'])
        except (ValueError, KeyError, TypeError) as error:
            raise AudioError(f'{manifest}: not a usable manifest ({error!r})') from None
    else:
        for kind in KINDS:
            found = (folder / split / kind).rglob('*')
            files[kind] = sorted(p for p in found if p.suffix.lower() in ('.wav', '.flac', '.ogg'))
    for kind in KINDS:
        if not files[kind]:
            raise AudioError(
                f'{folder}: no {kind} for split {split!r}; put audio files into '
                f'{split}/{kind} or list them in manifest.json'
            )
    return Material(files, rate)
