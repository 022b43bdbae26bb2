# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings to simulate with: speech, noise and impulses."""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
import hashlib
import json
import math
from pathlib import Path
from threading import Lock
import warnings

import numpy as np

from doa_ros.audio.recordings.mono import read_mono
from doa_ros.audio.recordings.recording import Recording
from doa_ros.core.errors import AudioError

from ..splits import ALL_SPLITS, TEST

KINDS = ('speech', 'noise', 'impulse')
_NEEDED = ('speech', 'noise')
_SUFFIXES = ('.wav', '.flac', '.ogg', '.mp3', '.aif', '.aiff', '.opus')
# Share of the speakers or recordings that are kept for the val split, and for the test split.
_KEPT_SHARE = 0.1
# Longer recordings are read in pieces [s].
_PIECE = 30.0
# What is kept of the recordings read last [bytes], per process.
_CACHE_BYTES = 200e6


@dataclass
class Corpus:
    """Recordings of one split, read and resampled on demand; only the last ones are kept.

    Attributes:
        files: paths by kind.
        rate: sampling frequency the recordings are brought to [Hz].
        strict: whether a recording that cannot be read is an error, or left out.
        unusable: why recordings were left out, by path.
    """

    files: dict[str, list[Path]]
    rate: int
    strict: bool = False
    unusable: dict[Path, str] = field(default_factory=dict)
    _cache: OrderedDict = field(default_factory=OrderedDict, repr=False)
    _lengths: dict[Path, float] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def draw(self, kind: str, rng: np.random.Generator) -> np.ndarray:
        """Return a random recording, or 30 s of it, shape (samples,), float32, RMS of 1.

        Raises:
            AudioError: one cannot be read and `strict` is set, or none can.
        """
        paths = self.files[kind]
        while True:
            path, place = paths[rng.integers(len(paths))], rng.random()
            try:
                with self._lock:
                    return self._read(path, place)
            except AudioError as error:
                if self.strict:
                    raise
                self.unusable[path] = str(error)
                if all(path in self.unusable for path in paths):
                    raise AudioError(
                        f'none of the {kind} recordings can be read: {error}'
                    ) from None

    def _read(self, path: Path, place: float) -> np.ndarray:
        if path in self.unusable:
            raise AudioError(self.unusable[path])
        if path not in self._lengths:
            self._lengths[path] = _length(path)
        pieces = max(1, int(self._lengths[path] / _PIECE))
        piece = int(place * pieces)
        key = path, piece
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        samples = read_mono(path, self.rate, piece * _PIECE, _PIECE)
        self._cache[key] = samples
        while sum(s.nbytes for s in self._cache.values()) > _CACHE_BYTES:
            self._cache.popitem(last=False)
        return samples


def _length(path: Path) -> float:
    recording = Recording(path)
    recording.close()
    # Where only reading would tell, the beginning is used.
    return recording.duration or 0.0


def load_corpus(folder: Path, split: str, rate: int, *, strict: bool = False) -> Corpus:
    """Find the recordings of a split: speech, noise and, where there are any, impulses.

    - A `manifest.json` lists `files` with `file`, `kind` and `split`; or
    - they lie in folders SPLIT/KIND; or
    - they lie in folders KIND. Then its subfolders, which are to be corpora or speakers, are
      assigned to one split each by their names, to test where there are three or more; without
      subfolders the files are, which may put a speaker into several.

    Args:
        folder: the recordings.
        split: 'train', 'val' or 'test'; no speaker or noise recording should be in two.
        rate: sampling frequency wanted [Hz].
        strict: whether a recording that cannot be read is an error, or left out.

    Raises:
        AudioError: nothing usable was found.
    """
    if not folder.is_dir():
        raise AudioError(f'{folder}: not a folder')
    if (folder / 'manifest.json').is_file():
        files = _listed(folder / 'manifest.json', split)
    elif any((folder / name).is_dir() for name in ALL_SPLITS):
        files = {kind: _audio_files(folder / split / kind) for kind in KINDS}
    else:
        files = {kind: _share(folder / kind, split) for kind in KINDS}
    for kind in _NEEDED:
        if not files[kind]:
            raise AudioError(
                f'{folder}: no {kind} for split {split!r}; put audio files into '
                f'{split}/{kind} or {kind}, or list them in manifest.json'
            )
    return Corpus(files, rate, strict)


def _listed(manifest: Path, split: str) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    try:
        for row in json.loads(manifest.read_text(encoding='utf-8'))['files']:
            if row['split'] == split and row['kind'] in files:
                files[row['kind']].append(manifest.parent / row['file'])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AudioError(f'{manifest}: not a usable manifest ({error!r})') from None
    return files


def _audio_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob('*') if path.suffix.lower() in _SUFFIXES)


def _share(folder: Path, split: str) -> list[Path]:
    """Return the files of a split where folders do not say which is which."""
    files = _audio_files(folder)
    names = [path.relative_to(folder).parts for path in files]
    # The first level that has more than one folder is that of corpora or speakers.
    level = 0
    while names and all(len(n) > level + 1 for n in names) and len({n[level] for n in names}) == 1:
        level += 1
    groups = [name[level] for name in names]
    if Counter(groups).total() and all(len(name) == level + 1 for name in names):
        warnings.warn(
            f'{folder}: no subfolders of corpora or speakers; files are split one by one, so that '
            'a speaker may be in several splits',
            stacklevel=2,
        )
    marks = {group: _mark(group) for group in groups}
    # At least one for each split; with two there is no test split.
    highest_val = max(_KEPT_SHARE, min(marks.values(), default=0.0))
    lowest_test = min(1 - _KEPT_SHARE, max(marks.values(), default=1.0))
    if len(marks) < 3:
        lowest_test = math.inf

    def split_of(group: str) -> str:
        if marks[group] <= highest_val:
            return 'val'
        return TEST if marks[group] >= lowest_test else 'train'

    return [p for p, group in zip(files, groups, strict=True) if split_of(group) == split]


def _mark(name: str) -> float:
    """Return an arbitrary number in 0..1 that is the same for a name everywhere."""
    digest = hashlib.sha256(name.encode('utf-8', 'surrogateescape')).digest()
    return int.from_bytes(digest[:8], 'big') / 2**64
