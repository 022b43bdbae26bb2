# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Phantoms: estimates where nobody is, while somebody speaks or has just spoken."""

import math

from ..metric import ratio_metric
from ..multi_source.matches import MatchedBlock
from .angles import distance_from

# From this confidence on, a robot would turn its head.
CONFIDENT = 0.8
# So far from every talker, an estimate is of somebody else [rad].
_FAR = math.radians(20)


def count_phantoms(matched: MatchedBlock) -> dict[str, float]:
    """Return the number of estimates `beside_talkers`, and of `phantoms` among them.

    They count where a talker was heard in the last second. `confident_phantoms` have a confidence
    of 0.8 or more.
    """
    if not (matched.voiced or matched.uncertain):
        return dict.fromkeys(('beside_talkers', 'phantoms', 'confident_phantoms'), 0)
    phantoms = [
        estimate
        for estimate in matched.estimates
        if all(distance_from(estimate, t, matched.block) > _FAR for t in matched.talkers)
    ]
    return {
        'beside_talkers': len(matched.estimates),
        'phantoms': len(phantoms),
        'confident_phantoms': sum(e.confidence >= CONFIDENT for e in phantoms),
    }


PHANTOMS = ratio_metric(
    'phantoms', 'phantoms', lambda m: m['phantoms'], lambda m: m['beside_talkers']
)
CONFIDENT_PHANTOMS = ratio_metric(
    'confident_phantoms',
    'confident phantoms',
    lambda m: m['confident_phantoms'],
    lambda m: m['beside_talkers'],
)
