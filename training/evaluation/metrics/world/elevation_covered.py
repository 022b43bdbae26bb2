# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How many elevations of found talkers lie within one stated standard deviation."""

from ..metric import ratio_metric
from ..multi_source.matches import MatchedBlock


def count_covered(matched: MatchedBlock) -> dict[str, float]:
    """Return the number of estimates `with_deviation`, and of those `covered` by it."""
    pairs = [
        (matched.estimates[i], matched.voiced[k].elevation[matched.block])
        for i, k in matched.pairs
    ]
    # A method that states no deviation has 0 or NaN.
    stated = [(estimate, true) for estimate, true in pairs if estimate.elevation_stddev > 0]
    covered = sum(abs(e.elevation - true) <= e.elevation_stddev for e, true in stated)
    return {'with_deviation': len(stated), 'covered': covered}


ELEVATION_COVERED = ratio_metric(
    'elevation_covered',
    'elevation within stated deviation',
    lambda m: m['covered'],
    lambda m: m['with_deviation'],
)
