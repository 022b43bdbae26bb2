#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Turn a base to the talker: from `doa/tracks` to `cmd_vel`.

The base turns to the most confident talker and stays with them while they are tracked. It is told
to stop when nobody is tracked, when tracks come late or not at all, and when this node ends.
Nothing is published while it stands: whoever else drives it is not disturbed.
"""

from dataclasses import dataclass
import math
import sys

from geometry_msgs.msg import Twist
from std_msgs.msg import Header

from doa_ros.conversions.directions import tracks_of
from doa_ros.core.config import Config, setting
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaTrackArray
from doa_ros.nodes.robot import RobotNode, bounded, spin
from doa_ros.parameters import declare

# The turn rate changes by no more than in this time, however long nothing came [s].
_STEP_MAX = 0.1


@dataclass(frozen=True)
class TurnConfig(Config):
    """How a base turns."""

    array_yaw: float = setting(
        0.0, 'Yaw of the frame of the array on the base [rad].', minimum=-math.pi, maximum=math.pi
    )
    deadband: float = setting(0.2, 'The base turns from this angle on [rad].', minimum=0.0)
    gain: float = setting(1.5, 'Turn rate per angle to the talker [1/s].', minimum=0.0)
    rate_max: float = setting(1.0, 'Largest turn rate [rad/s].', minimum=0.0)
    acceleration_max: float = setting(2.0, 'Largest change of it [rad/s^2].', minimum=0.0)
    timeout: float = setting(0.4, 'Older tracks stop the base [s].', minimum=0.1)


class TurnToTalker(RobotNode):
    """Turns a base to the talker."""

    def __init__(self) -> None:
        super().__init__('turn_to_talker')
        self._config = declare(self, TurnConfig)
        self._rate = 0.0
        self._track_id = 0
        self._turning = False
        # Of the newest tracks.
        self._seen = Header()
        self._twist = self.create_publisher(Twist, 'cmd_vel', 1)
        self.create_subscription(DoaTrackArray, 'doa/tracks', self._on_tracks, 1)
        self.create_timer(self._config.timeout / 4, self._stop_if_late)

    def _on_tracks(self, message: DoaTrackArray) -> None:
        tracks = tracks_of(message)
        step = abs(stamp_of(message.header) - stamp_of(self._seen)) / NANOSECONDS
        self._seen = message.header
        if self.age_of(self._seen) > self._config.timeout:
            self.stop()
            return
        angle = self._angle_to_talker({track.id: track for track in tracks})
        # Once it turns, it does so until the talker is well inside.
        edge = self._config.deadband * (0.5 if self._turning else 1.0)
        self._turning = abs(angle) > edge
        wanted = bounded(self._config.gain * angle, self._config.rate_max) * self._turning
        change = self._config.acceleration_max * min(step, _STEP_MAX)
        self._publish(self._rate + bounded(wanted - self._rate, change))

    def _angle_to_talker(self, tracks: dict[int, Track]) -> float:
        """Return the angle to the left [rad]; 0 where nobody is tracked.

        Args:
            tracks: by their ids, most confident first.
        """
        if self._track_id not in tracks:
            self._track_id = next(iter(tracks), 0)
        if not self._track_id:
            return 0.0
        return wrap_angle(tracks[self._track_id].azimuth + self._config.array_yaw)

    def _stop_if_late(self) -> None:
        if self.age_of(self._seen) > self._config.timeout:
            self.stop()

    def stop(self) -> None:
        """Stop the base at once."""
        self._turning = False
        self._publish(0.0)

    def _publish(self, rate: float) -> None:
        if rate or self._rate:
            twist = Twist()
            twist.angular.z = rate
            self._twist.publish(twist)
        self._rate = rate


if __name__ == '__main__':
    sys.exit(spin(TurnToTalker))
