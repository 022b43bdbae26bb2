#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tell where the talker is with two or more arrays that stand still: to `talker_position`.

Each array has a launch of its own, with its own namespace, frame_id and device, and its pose in
the room as parameters `left.x`, `left.y`, `left.yaw` and so on. Of each, the most confident track
counts: this is for one talker at a time. Nothing is published while an array hears nobody, or
where the bearings meet nowhere.
"""

from dataclasses import dataclass
from functools import partial
import sys

from geometry_msgs.msg import PoseWithCovarianceStamped
from std_msgs.msg import Header

from doa_ros.conversions.directions import tracks_of
from doa_ros.conversions.positions import position_message
from doa_ros.core.config import Config, setting
from doa_ros.core.errors import ConfigError, TriangulationError
from doa_ros.core.triangulation import Bearing, triangulate
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaTrackArray
from doa_ros.nodes.robot import RobotNode, spin
from doa_ros.parameters import declare


@dataclass(frozen=True)
class ArraysConfig(Config):
    """Which arrays there are."""

    arrays: str = setting('left right', 'Namespaces of the arrays, with blanks between them.')
    frame_id: str = setting('map', 'Frame of the poses of the arrays and of the position.')
    timeout: float = setting(0.2, 'Bearings differ in time by this at most [s].', minimum=0.05)


@dataclass(frozen=True)
class PoseConfig(Config):
    """Where an array is."""

    x: float = setting(0.0, 'Position of the array [m].')
    y: float = setting(0.0, 'Position of the array [m].')
    yaw: float = setting(0.0, 'Yaw of its frame [rad].')


class TriangulateFromArrays(RobotNode):
    """Publishes where the bearings of arrays meet."""

    def __init__(self) -> None:
        super().__init__('triangulate_from_arrays')
        self._config = declare(self, ArraysConfig)
        names = self._config.arrays.split()
        self._poses = {name: declare(self, PoseConfig, name) for name in names}
        if len({(pose.x, pose.y) for pose in self._poses.values()}) < max(len(names), 2):
            raise ConfigError(
                'arrays must name two or more, each with a position of its own (NAME.x, NAME.y)'
            )
        # The newest bearing of each array, and the stamp of its tracks [ns].
        self._bearings: dict[str, tuple[Bearing, int]] = {}
        self._position = self.create_publisher(PoseWithCovarianceStamped, 'talker_position', 1)
        for name in names:
            take = partial(self._on_tracks, name)
            self.create_subscription(DoaTrackArray, f'{name}/tracks', take, 1)

    def _on_tracks(self, name: str, message: DoaTrackArray) -> None:
        stamp, tracks = stamp_of(message.header), tracks_of(message)
        if not tracks:
            self._bearings.pop(name, None)
            return
        pose, track = self._poses[name], tracks[0]
        bearing = Bearing(pose.x, pose.y, pose.yaw + track.azimuth, track.azimuth_stddev)
        self._bearings[name] = bearing, stamp
        # Once for the bearings of all.
        stamps = [s for _, s in self._bearings.values()]
        late = max(stamps) - min(stamps) > self._config.timeout * NANOSECONDS
        if late or len(stamps) < len(self._poses):
            return
        try:
            fix = triangulate([b for b, _ in self._bearings.values()])
        except TriangulationError as error:
            self.get_logger().info(str(error), throttle_duration_sec=5.0)
            return
        header = Header(stamp=message.header.stamp, frame_id=self._config.frame_id)
        self._position.publish(position_message(header, fix))
        self._bearings.clear()


if __name__ == '__main__':
    sys.exit(spin(TriangulateFromArrays))
