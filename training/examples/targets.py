# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a network should say about labelled features."""

import numpy as np

from doa_ros.core.decoding import DirectionGrid

from ..settings import TrainConfig
from .dataset import Dataset


def usable_rows(data: Dataset, config: TrainConfig) -> np.ndarray:
    """Return which rows a network learns from, boolean, shape (rows,).

    One that knows a single source learns from clips with one source; silence is for all. A fan or
    motor at the array is no silence to learn from: it is a source in a dry room, which only the
    noise floor, not the network, can tell from a talker.
    """
    heard = data.voiced.any(axis=1) if config.multilabel else data.single
    return heard | (data.silent & ~data.ego_noise)


def head_targets(
    data: Dataset, config: TrainConfig
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Return the targets of every head and the weights of the rows in each.

    A source is a von Mises bump on the classes. For a single source the classes sum to 1, and
    silence is flat, or counts in the activity alone where there is such a head; for several, each
    class has the height of the nearest source's bump, and silence is 0.

    Returns:
        Targets, shape (rows, values of the head), and weights, shape (rows,) each, in the order
        of `config.heads`; the weight is 0 where the elevation is not known.
    """
    grid = DirectionGrid(config.azimuth_classes, config.elevation_classes)
    heard = data.voiced.any(axis=1)
    unknown = (data.voiced & np.isnan(data.elevation)).any(axis=1)
    directed = heard | (not config.activity) | config.multilabel
    targets = {
        'azimuth': _classes(data.azimuth, grid.azimuths, data, config),
        'elevation': _classes(data.elevation, grid.elevations, data, config),
        'activity': heard[:, None].astype(np.float32),
    }
    weights = {
        'azimuth': directed.astype(np.float32),
        'elevation': (directed & ~unknown).astype(np.float32),
        'activity': np.ones(len(data), np.float32),
    }
    return tuple(targets[name] for name in config.heads), tuple(
        weights[name] for name in config.heads
    )


def _classes(angles, centres, data: Dataset, config: TrainConfig) -> np.ndarray:
    cosine = np.cos(angles[:, :, None] - centres)
    cosine = np.where(data.voiced[:, :, None], np.nan_to_num(cosine, nan=-1.0), -np.inf)
    if config.kappa > 0:
        bumps = np.exp(config.kappa * (cosine - 1))
    else:
        nearest = cosine == cosine.max(axis=2, keepdims=True)
        bumps = np.where(nearest & np.isfinite(cosine), 1.0, 0.0)
    if config.multilabel:
        return bumps.max(axis=1).astype(np.float32)
    total = bumps.sum(axis=(1, 2))[:, None]
    flat = 1 / len(centres)
    return np.where(total > 0, bumps.sum(axis=1) / np.maximum(total, 1e-12), flat).astype(
        np.float32
    )
