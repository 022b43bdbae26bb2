# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Labelled features on disk, as `simulate` writes them: read shard by shard, never as a whole."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from doa_ros.core.config import load_yaml
from doa_ros.core.errors import ConfigError

from ..settings import Settings
from .rows import Rows


@dataclass(frozen=True)
class Dataset(Rows):
    """Labelled features, a row for each window; a row has room for `clips.MAX_SOURCES` sources.

    Attributes:
        features: of the window, shape (rows, channels, columns), float16.
        activity: of the features, shape (rows,).
        silent: whether no estimate may come, shape (rows,).
        voiced: whether an estimate of the source is expected, shape (rows, sources).
        azimuth, elevation: true directions [rad], shape (rows, sources); NaN where there is no
            source or it is not known.
        distance: of the sources [m], shape (rows, sources); NaN as above.
        kind: index into `clips.SOURCE_KINDS`, shape (rows, sources); -1 where there is no source.
        rt60, snr: of the clip [s], [dB], shape (rows,); NaN where not known.
        ego_noise: whether a fan or motor runs at the array, shape (rows,).
        time: end of the window in its clip [s], shape (rows,).
        clip: number of the clip a row belongs to, shape (rows,).
    """

    features: np.ndarray
    activity: np.ndarray
    silent: np.ndarray
    voiced: np.ndarray
    azimuth: np.ndarray
    elevation: np.ndarray
    distance: np.ndarray
    kind: np.ndarray
    rt60: np.ndarray
    snr: np.ndarray
    ego_noise: np.ndarray
    time: np.ndarray
    clip: np.ndarray

    @property
    def single(self) -> np.ndarray:
        """Rows with one voiced source and no other source in the clip, shape (rows,)."""
        return (np.count_nonzero(self.kind >= 0, axis=1) == 1) & self.voiced.any(axis=1)


class Parts(Protocol):
    """A data set in parts: shards that are read when they are asked for, or a list."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Dataset: ...

    def __iter__(self) -> Iterator[Dataset]: ...


class Shards:
    """The shards of one split, with the features of one model; read one at a time.

    Args:
        folder: made by `simulate`.
        split: 'train' or 'val'.
        settings: of the model.

    Raises:
        ConfigError: there are none, or they were made for other settings.
    """

    def __init__(self, folder: Path, split: str, settings: Settings):
        self._paths = sorted((folder / split).glob('*.npz'))
        if not self._paths:
            raise ConfigError(f'{folder / split}: no data; run simulate first')
        stored = load_yaml(folder / 'settings.yaml')
        if stored.get('data_features') != settings.data_features.to_mapping():
            raise ConfigError(
                f'{folder}: was simulated with other data_features than the settings'
            )
        if stored.get('array') != settings.array:
            raise ConfigError(f'{folder}: was simulated for array {stored.get("array")!r}')
        self._columns = settings.stored_columns()

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[Dataset]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int, /) -> Dataset:
        """Read a shard.

        Raises:
            ConfigError: it is damaged.
        """
        data = Dataset.load(self._paths[index], 'simulate')
        return replace(data, features=data.features[:, :, self._columns])
