# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How near tracks are, and how many talkers have one."""

import math

import numpy as np

from doa_ros.core.geometry import wrap_angle

from ..metric import ratio_metric
from .matches import TrackedClip


def sum_errors(tracked: TrackedClip) -> dict[str, float]:
    """Return the number of `pairs` of a block and a voiced talker, and what is found of them.

    `found` have a track, or an estimate; `squared_error` is the sum over these [rad^2].
    """
    errors = [
        wrap_angle(block.azimuths[i] - block.true_azimuths[k])
        for block in tracked.blocks
        for i, k in block.pairs
    ]
    return {
        'pairs': sum(len(block.voiced) for block in tracked.blocks),
        'found': len(errors),
        'squared_error': float(np.sum(np.square(errors))),
    }


AZIMUTH_RMSE = ratio_metric(
    'azimuth_rmse_deg',
    'azimuth RMSE [deg]',
    lambda m: np.degrees(np.degrees(m['squared_error'])),
    lambda m: m['found'],
    transform=math.sqrt,
)
FOUND = ratio_metric('found', 'found', lambda m: m['found'], lambda m: m['pairs'])
