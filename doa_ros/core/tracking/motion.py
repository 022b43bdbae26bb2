# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How talkers move."""

import math
from typing import NamedTuple

from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.kalman import Transition, transition


class Motion(NamedTuple):
    """How talkers go on in a step.

    Attributes:
        transition: of arc and velocity, to the east and to the north.
        acceleration: square root of the spectral density of the acceleration of a talker who
            stands [rad/s^1.5].
        manoeuvre_gain: how much it grows per angular velocity [s^-0.5].
        elevation_ratio: that to the north, as a share of that to the east [1].
    """

    transition: Transition
    acceleration: float
    manoeuvre_gain: float
    elevation_ratio: float

    def densities(self, east: float, north: float) -> tuple[float, float]:
        """Return the spectral densities of the acceleration to east and north [rad^2/s^3].

        Args:
            east, north: angular velocity of the talker [rad/s].
        """
        to_east = self.acceleration + self.manoeuvre_gain * math.hypot(east, north)
        to_north = self.elevation_ratio * to_east
        return to_east * to_east, to_north * to_north


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

    def motion(self, step: float, heard: float) -> Motion:
        """Return how talkers go on.

        Args:
            step: the duration [s].
            heard: for how long from the beginning of the step on they are heard [s].
        """
        acceleration = self._acceleration
        if not heard:
            acceleration += self._unheard_acceleration
        steady = min(step, heard)
        phi = math.exp((steady - step) / self._decay_time)
        tau = steady + self._decay_time * (1 - phi)
        move = transition(step, tau, phi)
        return Motion(move, acceleration, self._manoeuvre_gain, self._elevation_ratio)
