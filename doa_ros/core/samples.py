# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples as numbers: integers and floats on one scale."""

import numpy as np

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
