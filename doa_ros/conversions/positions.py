# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Positions of talkers as messages."""

import math

from geometry_msgs.msg import PoseWithCovarianceStamped
from std_msgs.msg import Header

from doa_ros.core.triangulation import PositionFix

# What is known of people: a mouth is 0 to 2 m above the floor, they face anywhere. Variances of
# uniform distributions [m^2, rad^2].
_HEIGHT, _HEIGHT_VARIANCE = 1.0, 2.0**2 / 12
_TURN_VARIANCE = (2 * math.pi) ** 2 / 12


def position_message(header: Header, fix: PositionFix) -> PoseWithCovarianceStamped:
    """Return the position of a talker, of whom neither height nor orientation are known.

    Args:
        header: its frame is that of the bearings; the floor is at z = 0 in it.
        fix: the position.
    """
    message = PoseWithCovarianceStamped(header=header)
    position = message.pose.pose.position
    position.x, position.y, position.z = fix.x, fix.y, _HEIGHT
    (xx, xy), (_, yy) = fix.covariance.tolist()
    # Rows and columns: x, y, z, and turns about them.
    covariance = message.pose.covariance
    covariance[0], covariance[1], covariance[6], covariance[7] = xx, xy, xy, yy
    covariance[14] = _HEIGHT_VARIANCE
    covariance[21] = covariance[28] = covariance[35] = _TURN_VARIANCE
    return message
