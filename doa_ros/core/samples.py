# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples as numbers: integers and floats on one scale, and their levels."""

import numpy as np

QUIETEST_DBFS = -120.0
"""The level of a channel that is constant [dB of full scale]."""

# Full scale is 1; beyond this, sums of squares leave the range of float32.
_LOUDEST = 1e6


def usable(samples: np.ndarray) -> bool:
    """Return whether samples are numbers that can be computed with: no NaN, not absurd."""
    return samples.dtype.kind != 'f' or bool((np.abs(samples) <= _LOUDEST).all())


def as_float(samples: np.ndarray) -> np.ndarray:
    """Return samples, integers or floats, as float32; full scale is 1."""
    if samples.dtype.kind == 'f':
        return samples.astype(np.float32, copy=False)
    scaled = samples.astype(np.float32)
    # A power of two, so that this is exact.
    scaled *= np.float32(-1 / np.iinfo(samples.dtype).min)
    return scaled


def levels(samples: np.ndarray) -> list[float]:
    """Return the level of each channel without its offset [dB of full scale].

    Args:
        samples: shape (samples, channels), integers or floats of full scale 1.
    """
    deviation = as_float(samples).std(axis=0, dtype=np.float64)
    least = 10 ** (QUIETEST_DBFS / 20)
    return np.round(20 * np.log10(np.maximum(deviation, least)), 1).tolist()
