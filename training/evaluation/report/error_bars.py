# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Error bars of plots."""

import numpy as np
from pandas import DataFrame


def error_bars(results: DataFrame, name: str) -> np.ndarray:
    """Return how far the intervals of a metric reach below and above its figures.

    Args:
        results: with NAME, NAME_low and NAME_high.
        name: of the metric.

    Returns:
        Shape (2, rows), 0 where there is no interval.
    """
    value, low, high = (results[f'{name}{end}'] for end in ('', '_low', '_high'))
    return np.nan_to_num([value - low, high - value]).clip(0)
