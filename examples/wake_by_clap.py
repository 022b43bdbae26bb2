#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Wake by a clap from behind: from `doa/estimates` to `wake`.

A clap, a knock or another short sound after silence is told from a voice by the age of the sound:
the features are a mean over time, and after a clap nothing new comes in, so that `sound_age` grows
as fast as time does. A word of less than 0.3 s passes for a clap.

`wake` is a geometry_msgs/PoseStamped in the frame of the array whose x axis points to the clap.
"""

from dataclasses import dataclass
import math
import sys

from geometry_msgs.msg import PoseStamped

from doa_ros.conversions.directions import directions_of, pose_towards
from doa_ros.core.config import Config, setting
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaEstimateArray
from doa_ros.nodes.robot import RobotNode, spin
from doa_ros.parameters import declare

# Nothing new is heard when the sound ages by this share of the time that goes by, so often.
_AGEING, _WINDOWS = 0.9, 2


@dataclass(frozen=True)
class ClapConfig(Config):
    """What is a clap from behind."""

    array_yaw: float = setting(0.0, 'Yaw of the frame of the array on the robot [rad].')
    sector: float = setting(1.0, 'Behind is this far to both sides of it [rad].', minimum=0.0)
    silence: float = setting(0.5, 'No sound was heard for this time before it [s].', minimum=0.0)
    duration: float = setting(
        0.4,
        'Time in which the sound begins and ends, with the mean of the features [s].',
        minimum=0.1,
    )
    timeout: float = setting(1.0, 'Older estimates do not count [s].', minimum=0.1)


class WakeByClap(RobotNode):
    """Tells claps from behind."""

    def __init__(self) -> None:
        super().__init__('wake_by_clap')
        self._config = declare(self, ClapConfig)
        # Of the last window: its stamp [s], the age of its sound [s], and for how many windows
        # nothing new has been heard.
        self._stamp, self._age, self._ageing = -math.inf, 0.0, 0
        # When a sound was heard last, and when one began that may be a clap [s].
        self._heard, self._began = -math.inf, -math.inf
        self._wake = self.create_publisher(PoseStamped, 'wake', 1)
        self.create_subscription(DoaEstimateArray, 'doa/estimates', self._on_estimates, 20)

    def _on_estimates(self, message: DoaEstimateArray) -> None:
        window, stamp = directions_of(message), stamp_of(message.header) / NANOSECONDS
        ageing = window.sound_age - self._age >= _AGEING * (stamp - self._stamp)
        self._ageing = self._ageing + 1 if ageing else 0
        self._stamp, self._age = stamp, window.sound_age
        if window.estimates:
            # Anew, too, where the clock was set back.
            if not 0 <= stamp - self._heard < self._config.silence:
                self._began = stamp
            self._heard, self._direction = stamp, window.estimates[0]
        if self._ageing < _WINDOWS or self._began == -math.inf:
            return
        short, self._began = stamp - self._began <= self._config.duration, -math.inf
        behind = math.pi - abs(wrap_angle(self._direction.azimuth + self._config.array_yaw))
        if (
            short
            and behind <= self._config.sector
            and self.age_of(message.header) <= self._config.timeout
        ):
            self._wake.publish(
                PoseStamped(header=message.header, pose=pose_towards(self._direction))
            )
            self.get_logger().info('a clap from behind')


if __name__ == '__main__':
    sys.exit(spin(WakeByClap))
