# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of directions."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from doa_ros.core.geometry import wrap_angle

_TOO_FAR = 1e6
# Angles of pairs may be larger than the limit by a rounding error [rad].
_ROUNDING = 1e-9


def match(azimuths: np.ndarray, others: np.ndarray, within: float) -> list[tuple[int, int]]:
    """Pair directions one to one: as many as possible, then as near as possible.

    Args:
        azimuths, others: [rad], shape (n,) and (m,).
        within: largest angle of a pair [rad].

    Returns:
        Indices of each pair.
    """
    error = np.abs(wrap_angle(np.subtract.outer(azimuths, others)))
    near = error <= within + _ROUNDING
    rows, columns = linear_sum_assignment(np.where(near, error, _TOO_FAR))
    return [(int(i), int(k)) for i, k in zip(rows, columns, strict=True) if near[i, k]]
