# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Spurious estimates: those without a talker.

A second estimate of one talker is spurious, too. Estimates near a talker who is neither voiced nor
clearly silent count as neither right nor spurious.
"""

import numpy as np

from doa_ros.core.geometry import wrap_angle

from ..metric import ratio_metric
from .matches import NEAR, MatchedBlock


def count_spurious(matched: MatchedBlock) -> dict[str, float]:
    """Return how many estimates are `spurious`, and how many are `counted`: right or spurious."""
    right = {number for number, _ in matched.pairs}
    uncertain = [talker.azimuth[matched.block] for talker in matched.uncertain]
    spurious = sum(
        number not in right
        and all(abs(wrap_angle(estimate.azimuth - azimuth)) > NEAR for azimuth in uncertain)
        for number, estimate in enumerate(matched.estimates)
    )
    return {'spurious': spurious, 'counted': len(right) + spurious}


SPURIOUS = ratio_metric(
    'spurious', 'spurious estimates', lambda m: m['spurious'], lambda m: m['counted']
)
SPURIOUS_IN_SPEECH = ratio_metric(
    'spurious_in_speech',
    'spurious, somebody speaking',
    lambda m: np.where(m['talkers'] > 0, m['spurious'], 0),
    lambda m: np.where(m['talkers'] > 0, m['counted'], 0),
)
