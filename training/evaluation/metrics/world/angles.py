# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far estimates are from talkers who may be high above the array."""

import math

import numpy as np

from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import Estimate

from ....data.clips import Source
from ..single_source.angular_error import great_circle


def direction_error(estimate: Estimate, talker: Source, block: int) -> float:
    """Return the great circle between an estimate and a talker [rad]; NaN without elevation."""
    directions = (
        np.array(angle)
        for angle in (
            estimate.azimuth,
            estimate.elevation,
            talker.azimuth[block],
            talker.elevation[block],
        )
    )
    return float(great_circle(*directions))


def distance_from(estimate: Estimate, talker: Source, block: int) -> float:
    """Return how far an estimate is from a talker at least: in azimuth, or on the sphere [rad].

    A wrong elevation does not make another talker, nor does a wrong azimuth near the zenith.
    """
    azimuth = float(abs(wrap_angle(estimate.azimuth - talker.azimuth[block])))
    error = direction_error(estimate, talker, block)
    return azimuth if math.isnan(error) else min(azimuth, error)
