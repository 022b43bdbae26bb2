# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Errors of the strongest estimate, however far it is from the nearest talker.

A talker who was silent for more than a second does not count.
"""

import math

import numpy as np

from doa_ros.core.geometry import wrap_angle

from ..metric import ratio_metric
from ..multi_source.matches import MatchedBlock
from .angles import direction_error, distance_from


def sum_strongest(matched: MatchedBlock) -> dict[str, float]:
    """Return 1 or 0 for whether somebody is `answered`, and the errors of the answer [rad].

    They are `strongest_azimuth_error` and `strongest_direction_error`, the latter 0 where the
    answer is not `answered_with_elevation`.
    """
    names = (
        'answered',
        'strongest_azimuth_error',
        'answered_with_elevation',
        'strongest_direction_error',
    )
    if not (matched.voiced and matched.estimates):
        return dict.fromkeys(names, 0)
    strongest, block = matched.estimates[0], matched.block
    heard = [*matched.voiced, *matched.uncertain]
    talker = min(heard, key=lambda t: distance_from(strongest, t, block))
    azimuth = float(abs(wrap_angle(strongest.azimuth - talker.azimuth[block])))
    error = direction_error(strongest, talker, block)
    values = (1, azimuth, not math.isnan(error), 0 if math.isnan(error) else error)
    return dict(zip(names, values, strict=True))


STRONGEST_AZIMUTH_MAE = ratio_metric(
    'strongest_azimuth_mae_deg',
    'azimuth of strongest [deg]',
    lambda m: np.degrees(m['strongest_azimuth_error']),
    lambda m: m['answered'],
)
STRONGEST_GREAT_CIRCLE = ratio_metric(
    'strongest_great_circle_deg',
    'great circle of strongest [deg]',
    lambda m: np.degrees(m['strongest_direction_error']),
    lambda m: m['answered_with_elevation'],
)
