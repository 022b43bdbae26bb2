# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How talkers move."""

import math

from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.kalman import Transition, transition

Motion = tuple[Transition, Transition]
"""The transitions along the axes to the east and to the north in a step."""


class MotionModel:
    """Nearly constant velocity while a talker is heard, a velocity that decays afterwards.

    Args:
        config: the settings.
    """

    def __init__(self, config: TrackerConfig):
        self._acceleration = math.radians(config.acceleration_deg)
        self._unheard_acceleration = math.radians(config.unheard_acceleration_deg)
        self._manoeuvre_gain = config.manoeuvre_gain
        self._decay_time = config.velocity_decay_time
        self._elevation_ratio = config.elevation_motion_ratio

    def motion(self, speed: float, step: float, heard: float) -> Motion:
        """Return how a talker goes on.

        Args:
            speed: its angular velocity [rad/s].
            step: the duration [s].
            heard: for how long from the beginning of the step on the talker is heard [s].
        """
        acceleration = self._acceleration + self._manoeuvre_gain * speed
        if not heard:
            acceleration += self._unheard_acceleration
        steady = min(step, heard)
        phi = math.exp((steady - step) / self._decay_time)
        tau = steady + self._decay_time * (1 - phi)
        return (
            transition(step, tau, phi, acceleration),
            transition(step, tau, phi, self._elevation_ratio * acceleration),
        )
