# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A talker as the tracker gives it."""

from typing import NamedTuple

NUMBERS = 1000
"""So many tracks in a row have numbers of their own."""


class Track(NamedTuple):
    """A talker that is tracked, at the time of an analysis window.

    Attributes:
        id: 1 or more; never that of another talker. 0 until the track is confirmed.
        azimuth: [rad] in (-pi, pi].
        elevation: [rad], within the range that the array gives; NaN where it is not known.
        azimuth_rate, elevation_rate: angular velocity [rad/s]; the latter NaN where the elevation
            is not known.
        azimuth_stddev, elevation_stddev: standard deviations [rad].
        azimuth_rate_stddev, elevation_rate_stddev: standard deviations [rad/s].
        confidence: mean of the confidences of its detections in about the last `confidence_time`,
            0..1; a window without a detection counts as 0.
        age: time since its first detection [s].
        confirmed: whether there is enough evidence for a talker.
        predicted: whether this window had no detection of its own, so that it is extrapolated.
    """

    id: int
    azimuth: float
    elevation: float
    azimuth_rate: float
    elevation_rate: float
    azimuth_stddev: float
    elevation_stddev: float
    azimuth_rate_stddev: float
    elevation_rate_stddev: float
    confidence: float
    age: float
    confirmed: bool
    predicted: bool

    @property
    def number(self) -> int:
        """The number that people see, the last three digits of the id, or 1000 for three zeros."""
        return (self.id - 1) % NUMBERS + 1
