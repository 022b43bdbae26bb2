# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated data on disk, as `simulate` writes it, and its targets."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from doa_ros.core.config import load_yaml
from doa_ros.core.decoding import DirectionGrid
from doa_ros.core.errors import ConfigError

from .settings import Settings


@dataclass(frozen=True)
class Dataset:
    """Examples of one split, one row each.

    Attributes:
        gcc: features on the model's lags, shape (rows, pairs, lags), float16.
        activity: of the features, shape (rows,).
        voiced, silent: whether an estimate is expected, or must not come, shape (rows,).
        azimuth, elevation: true direction [rad], shape (rows,).
        rt60, snr, distance: of the scene, [s], [dB], [m], shape (rows,).
        clip: number of the clip a row belongs to, shape (rows,).
    """

    gcc: np.ndarray
    activity: np.ndarray
    voiced: np.ndarray
    silent: np.ndarray
    azimuth: np.ndarray
    elevation: np.ndarray
    rt60: np.ndarray
    snr: np.ndarray
    distance: np.ndarray
    clip: np.ndarray

    def rows(self, mask: np.ndarray) -> 'Dataset':
        """Return the chosen rows."""
        return Dataset(**{name: getattr(self, name)[mask] for name in _COLUMNS})


_COLUMNS = tuple(field.name for field in fields(Dataset))


def load_dataset(folder: Path, split: str, settings: Settings) -> Dataset:
    """Read the shards of a split.

    Raises:
        ConfigError: there are none, or they were made for other settings.
    """
    shards = sorted((folder / split).glob('*.npz'))
    if not shards:
        raise ConfigError(f'{folder / split}: no data; run simulate first')
    stored = load_yaml(folder / 'settings.yaml')
    if stored.get('data_features') != settings.data_features.to_mapping():
        raise ConfigError(f'{folder}: was simulated with other data_features than the settings')
    if stored.get('array') != settings.array:
        raise ConfigError(f'{folder}: was simulated for array {stored.get("array")!r}')
    columns: dict[str, list[np.ndarray]] = {name: [] for name in _COLUMNS}
    for shard in shards:
        with np.load(shard) as content:
            for name in _COLUMNS:
                values = content[name]
                columns[name].append(
                    values[:, :, settings.lag_slice()] if name == 'gcc' else values
                )
    return Dataset(**{name: np.concatenate(parts) for name, parts in columns.items()})


def azimuth_targets(azimuth: np.ndarray, grid: DirectionGrid, kappa: float) -> np.ndarray:
    """Return von Mises soft targets, shape (rows, classes), each row summing to 1."""
    return _normalised(np.cos(azimuth[:, None] - grid.azimuths), kappa)


def elevation_targets(elevation: np.ndarray, grid: DirectionGrid, kappa: float) -> np.ndarray:
    """Return soft targets of the elevation, shape (rows, classes), each row summing to 1."""
    return _normalised(np.cos(elevation[:, None] - grid.elevations), kappa)


def _normalised(cosine: np.ndarray, kappa: float) -> np.ndarray:
    weights = np.exp(kappa * (cosine - 1))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
