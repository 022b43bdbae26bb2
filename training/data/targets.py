# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a network should say about labelled features."""

import numpy as np

from ..sections import TrainConfig
from .dataset import Dataset


def usable_rows(data: Dataset, config: TrainConfig) -> np.ndarray:
    """Return which rows a network learns from, boolean, shape (rows,).

    One that knows a single source learns from clips with one source; silence is for all. A fan or
    motor at the array is no silence to learn from: it is a source in a dry room, which only the
    noise floor, not the network, can tell from a talker.
    """
    heard = np.any(data.voiced, axis=1) if config.multi_source else data.single
    return heard | (data.silent & ~data.ego_noise)


def head_targets(
    data: Dataset, config: TrainConfig
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Return the targets of every head and the weights of the rows in each.

    A source is a von Mises bump on the classes. For a single source the classes sum to 1, and
    silence is flat, or counts in the activity alone where there is such a head; for several, each
    azimuth class has the height of the nearest source's bump, silence is 0, and the elevations of
    an azimuth class are those of that source.

    Returns:
        Targets, of the shapes of `config.heads` after the axis of the rows, and weights of the
        classes, without the last axis, in this order; the weight is 0 where the elevation is not
        known.
    """
    grid = config.grid
    heard = np.any(data.voiced, axis=1)
    unknown = (data.voiced & np.isnan(data.elevation)).any(axis=1)
    directed = heard | (not config.activity) | config.multi_source
    azimuth = _bumps(data.azimuth, grid.azimuths, data, config)
    elevation = _bumps(data.elevation, grid.elevations, data, config)
    known = (directed & ~unknown).astype(np.float32)
    if config.multi_source:
        height = azimuth.max(axis=1)
        # Of each azimuth class the bump of the nearest source.
        of_class = np.take_along_axis(elevation, azimuth.argmax(axis=1)[:, :, None], axis=1)
        directions = {'azimuth': height, 'elevation': _shares(of_class)}
        known = known[:, None] * height
    else:
        directions = {
            'azimuth': _shares(azimuth.sum(axis=1)),
            'elevation': _shares(elevation.sum(axis=1)),
        }
    targets = {**directions, 'activity': heard[:, None].astype(np.float32)}
    weights = {
        'azimuth': directed.astype(np.float32),
        'elevation': known,
        'activity': np.ones(len(data), np.float32),
    }
    return tuple(targets[name] for name in config.heads), tuple(
        weights[name] for name in config.heads
    )


def _bumps(
    angles: np.ndarray, centres: np.ndarray, data: Dataset, config: TrainConfig
) -> np.ndarray:
    """Return the bump of each source, 0 without one, shape (rows, sources, classes), float32."""
    cosine = np.cos(angles[:, :, None] - centres)
    cosine = np.where(data.voiced[:, :, None], np.nan_to_num(cosine, nan=-1.0), -np.inf)
    if config.kappa > 0:
        return np.exp(config.kappa * (cosine - 1)).astype(np.float32)
    nearest = cosine == cosine.max(axis=2, keepdims=True)
    return np.where(nearest & np.isfinite(cosine), 1.0, 0.0).astype(np.float32)


def _shares(heights: np.ndarray) -> np.ndarray:
    """Return the heights of classes as shares of 1, flat where there is nothing."""
    total = heights.sum(axis=-1, keepdims=True)
    shares = heights / np.maximum(total, 1e-12)
    return np.where(total > 0, shares, np.float32(1 / heights.shape[-1])).astype(np.float32)
