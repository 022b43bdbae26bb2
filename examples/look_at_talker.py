#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Turn a head with pan and tilt to the talker: from `doa/tracks` to a joint trajectory.

It is for a joint_trajectory_controller of ros2_control and an array on the body, not on the head.
Every trajectory leads a little way from where the joints are, by `joint_states`, towards the
talker, and ends after `horizon`. So the head is never faster than `rate_max`, and stops by itself
when tracks end or come late, or this node is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import math
import sys

from rclpy.duration import Duration
from sensor_msgs.msg import JointState
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from doa_ros.conversions.directions import tracks_of
from doa_ros.core.config import Config, setting
from doa_ros.core.geometry import wrap_angle
from doa_ros.looks import shown_elevation
from doa_ros.msg import DoaTrackArray
from doa_ros.nodes.robot import RobotNode, bounded, spin
from doa_ros.parameters import declare

# Whoever is farther than this to one side may be at the other in a moment [rad].
_BEHIND = 2.8


@dataclass(frozen=True)
class LookConfig(Config):
    """How a head turns."""

    pan_joint: str = setting('head_pan_joint', 'Joint that turns the head to the left.')
    tilt_joint: str = setting('head_tilt_joint', 'Joint that turns it down, as REP-103 has it.')
    array_yaw: float = setting(0.0, 'Yaw of the frame of the array where the pan is 0 [rad].')
    pan_max: float = setting(1.3, 'The head turns this far to each side [rad].', minimum=0.0)
    tilt_max: float = setting(0.5, 'It turns this far up and down [rad].', minimum=0.0)
    deadband: float = setting(0.1, 'It moves from this angle on [rad].', minimum=0.0)
    rate_max: float = setting(1.5, 'Largest rate of a joint [rad/s].', minimum=0.01)
    horizon: float = setting(0.3, 'Length of a trajectory [s].', minimum=0.1, maximum=2.0)
    timeout: float = setting(0.4, 'Older tracks and joint states do not count [s].', minimum=0.1)


class LookAtTalker(RobotNode):
    """Turns a head to the talker."""

    def __init__(self) -> None:
        super().__init__('look_at_talker')
        self._config = declare(self, LookConfig)
        self._joints = [self._config.pan_joint, self._config.tilt_joint]
        # Where they are [rad], and the header that says when.
        self._there: list[float] = []
        self._seen = Header()
        self._moving = False
        self._trajectory = self.create_publisher(
            JointTrajectory, 'head_controller/joint_trajectory', 1
        )
        self.create_subscription(JointState, 'joint_states', self._on_joint_states, 10)
        self.create_subscription(DoaTrackArray, 'doa/tracks', self._on_tracks, 1)

    def _on_joint_states(self, message: JointState) -> None:
        # Other joints may come in messages of their own, and positions may be missing.
        positions = dict(zip(message.name, message.position, strict=False))
        there = [positions.get(name, math.nan) for name in self._joints]
        if all(map(math.isfinite, there)):
            self._there, self._seen = there, message.header

    def _on_tracks(self, message: DoaTrackArray) -> None:
        tracks = tracks_of(message)
        age = max(self.age_of(message.header), self.age_of(self._seen))
        if age > self._config.timeout or not tracks or not self._there:
            self._moving = False
            return
        # Most confident first.
        talker = tracks[0]
        pan = wrap_angle(talker.azimuth + self._config.array_yaw)
        if abs(pan) > _BEHIND:
            pan = math.copysign(pan, self._there[0])
        # A head that cannot turn so far looks as near as it can.
        wanted = [
            bounded(pan, self._config.pan_max),
            bounded(-shown_elevation(talker), self._config.tilt_max),
        ]
        errors = [w - t for w, t in zip(wanted, self._there, strict=True)]
        # Once it moves, it does so until it is well inside.
        edge = self._config.deadband * (0.5 if self._moving else 1.0)
        self._moving = max(map(abs, errors)) > edge
        if self._moving:
            reach = self._config.rate_max * self._config.horizon
            self._move([t + bounded(e, reach) for t, e in zip(self._there, errors, strict=True)])

    def _move(self, positions: Sequence[float]) -> None:
        # A stamp of 0 stands for now.
        message = JointTrajectory(joint_names=self._joints)
        time = Duration(seconds=self._config.horizon).to_msg()
        message.points = [JointTrajectoryPoint(positions=positions, time_from_start=time)]
        self._trajectory.publish(message)


if __name__ == '__main__':
    sys.exit(spin(LookAtTalker))
