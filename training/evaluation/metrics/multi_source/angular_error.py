# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Errors of the estimates that are near a talker."""

import numpy as np

from doa_ros.core.geometry import wrap_angle

from ..metric import ratio_metric
from .matches import MatchedBlock


def sum_errors(matched: MatchedBlock) -> dict[str, float]:
    """Return the sums of absolute errors of the found talkers [rad].

    They are `azimuth_error` and `elevation_error`; `with_elevation` counts the found talkers whose
    estimate has an elevation.
    """
    azimuth, elevation = [], []
    for i, k in matched.pairs:
        estimate, talker = matched.estimates[i], matched.voiced[k]
        azimuth.append(abs(wrap_angle(estimate.azimuth - talker.azimuth[matched.block])))
        elevation.append(abs(estimate.elevation - talker.elevation[matched.block]))
    return {
        'azimuth_error': float(np.sum(azimuth)),
        'elevation_error': float(np.nansum(elevation)),
        'with_elevation': int(np.count_nonzero(~np.isnan(elevation))),
    }


AZIMUTH_MAE = ratio_metric(
    'azimuth_mae_deg',
    'azimuth MAE [deg]',
    lambda m: np.degrees(m['azimuth_error']),
    lambda m: m['found'],
)
ELEVATION_MAE = ratio_metric(
    'elevation_mae_deg',
    'elevation MAE [deg]',
    lambda m: np.degrees(m['elevation_error']),
    lambda m: m['with_elevation'],
)
