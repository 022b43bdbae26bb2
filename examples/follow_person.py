#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Follow whoever has called: `doa/tracks` say who, `people` say where; to `cmd_vel`.

`people` is a geometry_msgs/PoseArray in the frame of the base, as detectors of legs in laser scans
publish it; the array is near the middle of the base. A voice chooses the person at its azimuth,
who is then followed, in silence too, until they are lost, people come late or not at all, or this
node ends: then the base is told to stop. There is NO OBSTACLE AVOIDANCE: put a collision monitor
between this and the base. While nobody is followed, nothing is published.
"""

from collections.abc import Callable
from dataclasses import dataclass
import math
import sys

from geometry_msgs.msg import PoseArray, Twist
from std_msgs.msg import Header

from doa_ros.conversions.directions import tracks_of
from doa_ros.core.config import Config, setting
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaTrackArray
from doa_ros.nodes.robot import RobotNode, bounded, spin
from doa_ros.parameters import declare

Place = tuple[float, float]
# Largest angle between voice and legs, in standard deviations, and that of the legs [rad].
_GATE, _LEGS = 3.0, 0.1
# Legs farther from where they were are those of somebody else [m].
_STRIDE = 0.6


@dataclass(frozen=True)
class FollowConfig(Config):
    """How a person is followed."""

    array_yaw: float = setting(0.0, 'Yaw of the frame of the array on the base [rad].')
    distance: float = setting(1.2, 'Distance that is kept [m].', minimum=0.3)
    gain: float = setting(1.0, 'Speed per distance, turn rate per angle [1/s].', minimum=0.0)
    speed_max: float = setting(0.5, 'Largest speed [m/s].', minimum=0.0)
    acceleration_max: float = setting(0.5, 'Largest increase of it [m/s^2].', minimum=0.0)
    rate_max: float = setting(1.0, 'Largest turn rate [rad/s].', minimum=0.0)
    timeout: float = setting(0.5, 'Older people and tracks do not count [s].', minimum=0.1)


class FollowPerson(RobotNode):
    """Follows whoever has called."""

    def __init__(self) -> None:
        super().__init__('follow_person')
        self._config = declare(self, FollowConfig)
        self._people: list[Place] = []
        self._seen = Header()
        self._person: Place | None = None
        self._speed = 0.0
        self._twist = self.create_publisher(Twist, 'cmd_vel', 1)
        self.create_subscription(DoaTrackArray, 'doa/tracks', self._on_tracks, 1)
        self.create_subscription(PoseArray, 'people', self._on_people, 1)
        self.create_timer(self._config.timeout / 4, self._stop_if_late)

    def _on_tracks(self, message: DoaTrackArray) -> None:
        tracks = tracks_of(message)
        if self._person or not tracks or self.age_of(message.header) > self._config.timeout:
            return
        azimuth = tracks[0].azimuth + self._config.array_yaw
        widest = _GATE * math.hypot(tracks[0].azimuth_stddev, _LEGS)
        self._person = _nearest(
            self._people, lambda p: abs(wrap_angle(azimuth - math.atan2(p[1], p[0]))) / widest
        )

    def _on_people(self, message: PoseArray) -> None:
        step = abs(stamp_of(message.header) - stamp_of(self._seen)) / NANOSECONDS
        self._people = [(pose.position.x, pose.position.y) for pose in message.poses]
        self._seen, last = message.header, self._person
        if last is None:
            return
        person = _nearest(self._people, lambda p: math.dist(p, last) / _STRIDE)
        if person is None or self.age_of(message.header) > self._config.timeout:
            self.stop()
        else:
            self._person = person
            self._drive(*person, min(step, self._config.timeout))

    def _drive(self, x: float, y: float, step: float) -> None:
        config, angle, twist = self._config, math.atan2(y, x), Twist()
        # It turns before it drives, never drives back, and stops faster than it starts.
        speed = config.gain * (math.hypot(x, y) - config.distance) * math.cos(angle)
        fastest = min(self._speed + config.acceleration_max * step, config.speed_max)
        self._speed = twist.linear.x = min(max(speed, 0.0), fastest)
        twist.angular.z = bounded(config.gain * angle, config.rate_max)
        self._twist.publish(twist)

    def _stop_if_late(self) -> None:
        if self.age_of(self._seen) > self._config.timeout:
            self._people.clear()
            self.stop()

    def stop(self) -> None:
        """Stop the base and follow nobody."""
        if self._person:
            self._twist.publish(Twist())
        self._person, self._speed = None, 0.0


def _nearest(people: list[Place], offset: Callable[[Place], float]) -> Place | None:
    return min((p for p in people if offset(p) < 1), key=offset, default=None)


if __name__ == '__main__':
    sys.exit(spin(FollowPerson))
