# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""OSPA distance of tracks and talkers, with a cut-off of 30 degrees and of order 1.

D. Schuhmacher, B.-T. Vo and B.-N. Vo, "A consistent metric for performance evaluation of
multi-object filters", IEEE Trans. Signal Processing 56(8), 2008.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from doa_ros.core.geometry import wrap_angle

from ..metric import ratio_metric
from .matches import NEAR, TrackedBlock, TrackedClip


def sum_ospa(tracked: TrackedClip) -> dict[str, float]:
    """Return the number of blocks in which it is certain who speaks, and the sum of `ospa` [rad].

    At least one talker is voiced there, and no other is uncertain.
    """
    distances = [
        _distance(block.azimuths, block.true_azimuths)
        for block in tracked.blocks
        if _is_certain(tracked, block)
    ]
    return {'certain_blocks': len(distances), 'ospa': float(np.sum(distances))}


def _is_certain(tracked: TrackedClip, block: TrackedBlock) -> bool:
    silent = sum(source.is_silent(block.block) for source in tracked.clip.sources)
    return bool(block.voiced) and len(block.voiced) + silent == len(tracked.clip.sources)


def _distance(azimuths: np.ndarray, true_azimuths: np.ndarray) -> float:
    """Return the OSPA distance [rad] of two sets, the second not empty."""
    errors = np.abs(wrap_angle(np.subtract.outer(azimuths, true_azimuths))).clip(max=NEAR)
    assigned = linear_sum_assignment(errors)
    largest, smallest = max(errors.shape), min(errors.shape)
    return float(errors[assigned].sum() + NEAR * (largest - smallest)) / largest


OSPA = ratio_metric(
    'ospa_deg', 'OSPA [deg]', lambda m: np.degrees(m['ospa']), lambda m: m['certain_blocks']
)
