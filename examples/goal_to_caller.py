#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Send Nav2 towards whoever calls: from `doa/tracks` to `goal_pose`.

Nav2 drives to every geometry_msgs/PoseStamped on `goal_pose`, as RViz sends it, so that its own
messages (nav2_msgs) are not needed. The goal is given in the frame of the array, with the stamp of
the sound: Nav2 turns it into its map with the transform of that moment, however the robot has
turned since. It needs TF from the map to the array.

One array does not hear how far away somebody is. The goal lies `distance` ahead of the robot, in
the direction of the voice, facing it; who calls again from there brings the robot nearer.
"""

from dataclasses import dataclass
import math
import sys

from geometry_msgs.msg import PoseStamped
from std_msgs.msg import Header

from doa_ros.conversions.directions import pose_towards, tracks_of
from doa_ros.core.config import Config, setting
from doa_ros.msg import DoaTrackArray
from doa_ros.nodes.robot import RobotNode, spin
from doa_ros.parameters import declare


@dataclass(frozen=True)
class CallConfig(Config):
    """What is a call, and where it leads."""

    distance: float = setting(1.5, 'How far the goal is from the array [m].', minimum=0.1)
    duration: float = setting(
        0.6, 'A voice that has been tracked for this time is a call [s].', minimum=0.0
    )
    confidence_min: float = setting(
        0.7, 'Smallest confidence of a call.', minimum=0.0, maximum=1.0
    )
    pause: float = setting(5.0, 'Time from one goal to the next [s].', minimum=0.0)
    timeout: float = setting(0.5, 'Older tracks are left out [s].', minimum=0.1)


class GoalToCaller(RobotNode):
    """Sends a goal for each call."""

    def __init__(self) -> None:
        super().__init__('goal_to_caller')
        self._config = declare(self, CallConfig)
        # Of the last goal.
        self._sent = Header()
        self._goal = self.create_publisher(PoseStamped, 'goal_pose', 1)
        self.create_subscription(DoaTrackArray, 'doa/tracks', self._on_tracks, 1)

    def _on_tracks(self, message: DoaTrackArray) -> None:
        if self.age_of(message.header) > self._config.timeout:
            return
        # A clock that was set back must not silence it.
        if 0 <= self.age_of(self._sent) < self._config.pause:
            return
        for track in tracks_of(message):
            if (
                not track.predicted
                and track.age >= self._config.duration
                and track.confidence >= self._config.confidence_min
            ):
                # The floor is flat: only the azimuth counts.
                goal = PoseStamped(header=message.header)
                goal.pose = pose_towards(track._replace(elevation=0.0))
                goal.pose.position.x = self._config.distance * math.cos(track.azimuth)
                goal.pose.position.y = self._config.distance * math.sin(track.azimuth)
                self._goal.publish(goal)
                self._sent = message.header
                self.get_logger().info(f'called from {math.degrees(track.azimuth):.0f} degrees')
                return


if __name__ == '__main__':
    sys.exit(spin(GoalToCaller))
