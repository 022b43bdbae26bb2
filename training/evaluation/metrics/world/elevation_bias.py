# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How much too high estimates of talkers are."""

import numpy as np

from ..metric import ratio_metric
from ..multi_source.matches import MatchedBlock


def sum_bias(matched: MatchedBlock) -> dict[str, float]:
    """Return the sum of the `elevation_excess` of the found talkers [rad].

    `angular_error.sum_errors` counts those `with_elevation`.
    """
    excess = [
        matched.estimates[i].elevation - matched.voiced[k].elevation[matched.block]
        for i, k in matched.pairs
    ]
    return {'elevation_excess': float(np.nansum(excess))}


ELEVATION_BIAS = ratio_metric(
    'elevation_bias_deg',
    'elevation bias [deg]',
    lambda m: np.degrees(m['elevation_excess']),
    lambda m: m['with_elevation'],
)
