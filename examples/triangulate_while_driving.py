#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tell where the talker is with one array on a robot that drives: to `talker_position`.

Bearings that the robot takes on its way, by the odometry at the stamps of the tracks, meet where
the talker is, who is to stand still. A talker who has moved is noticed by bearings that disagree;
then it begins anew. The robot has to drive across the line to the talker: towards them, all
bearings are the same.
"""

from collections import deque
from dataclasses import dataclass
import math
import sys

from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
import numpy as np
from scipy.stats import chi2
from std_msgs.msg import Header

from doa_ros.conversions.directions import tracks_of
from doa_ros.conversions.positions import position_message
from doa_ros.core.config import Config, setting
from doa_ros.core.errors import TriangulationError
from doa_ros.core.triangulation import Bearing, triangulate
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaTrackArray
from doa_ros.nodes.robot import RobotNode, spin
from doa_ros.parameters import declare

# Odometry of this many messages is kept: two seconds at 50 Hz.
_ODOMETRY = 100
# Bearings disagree where only one in a thousand would by chance; so many are kept then.
_CHANCE, _LATEST = 1e-3, 4


@dataclass(frozen=True)
class DriveConfig(Config):
    """Which bearings count."""

    array_x: float = setting(0.0, 'Position of the array on the base [m].')
    array_y: float = setting(0.0, 'Position of the array on the base [m].')
    array_yaw: float = setting(0.0, 'Yaw of its frame on the base [rad].')
    spacing: float = setting(
        0.25, 'Distance between the places of two bearings [m].', minimum=0.01
    )
    most: int = setting(30, 'Largest number of bearings.', minimum=2, maximum=1000)


class TriangulateWhileDriving(RobotNode):
    """Publishes where the bearings of a robot on its way meet."""

    def __init__(self) -> None:
        super().__init__('triangulate_while_driving')
        self._config = declare(self, DriveConfig)
        # Rows of stamp [ns], x, y [m] and yaw [rad].
        self._odometry: deque[tuple[float, ...]] = deque(maxlen=_ODOMETRY)
        self._frame_id = ''
        self._bearings: deque[Bearing] = deque(maxlen=self._config.most)
        self._track_id = 0
        self._position = self.create_publisher(PoseWithCovarianceStamped, 'talker_position', 1)
        self.create_subscription(Odometry, 'odom', self._on_odometry, 10)
        self.create_subscription(DoaTrackArray, 'doa/tracks', self._on_tracks, 1)

    def _on_odometry(self, message: Odometry) -> None:
        place, q = message.pose.pose.position, message.pose.pose.orientation
        yaw = math.atan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y**2 + q.z**2))
        if math.isfinite(place.x + place.y + yaw):
            self._odometry.append((stamp_of(message.header), place.x, place.y, yaw))
            self._frame_id = message.header.frame_id

    def _on_tracks(self, message: DoaTrackArray) -> None:
        stamp, tracks = stamp_of(message.header), tracks_of(message)
        heard = [track for track in tracks if not track.predicted]
        times, x, y, yaw = np.array(self._odometry).reshape(-1, 4).T
        # Tracks are later than the odometry of their sound.
        if not heard or not len(times) or not times[0] <= stamp <= times[-1]:
            return
        if heard[0].id != self._track_id:
            self._track_id = heard[0].id
            self._bearings.clear()
        turn = float(np.interp(stamp, times, np.unwrap(yaw)))
        ahead, left = self._config.array_x, self._config.array_y
        bearing = Bearing(
            np.interp(stamp, times, x) + ahead * math.cos(turn) - left * math.sin(turn),
            np.interp(stamp, times, y) + ahead * math.sin(turn) + left * math.cos(turn),
            turn + self._config.array_yaw + heard[0].azimuth,
            heard[0].azimuth_stddev,
        )
        last = self._bearings[-1] if self._bearings else None
        if last and math.hypot(bearing.x - last.x, bearing.y - last.y) < self._config.spacing:
            return
        self._bearings.append(bearing)
        self._publish(Header(stamp=message.header.stamp, frame_id=self._frame_id))

    def _publish(self, header: Header) -> None:
        try:
            fix = triangulate(self._bearings)
            if fix.misfit > chi2.isf(_CHANCE, max(len(self._bearings) - 2, 1)):
                raise TriangulationError('the talker has moved, or another one speaks')
            self._position.publish(position_message(header, fix))
        except TriangulationError as error:
            self.get_logger().info(str(error), throttle_duration_sec=5.0)
            # Only the latest ones may be of this talker, here.
            while len(self._bearings) > _LATEST:
                self._bearings.popleft()


if __name__ == '__main__':
    sys.exit(spin(TriangulateWhileDriving))
