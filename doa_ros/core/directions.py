# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The grid of directions: azimuth and elevation classes."""

from dataclasses import dataclass
import math

import numpy as np

# Nearer peaks are one source [rad].
PEAK_SEPARATION = math.radians(25)


@dataclass(frozen=True)
class DirectionGrid:
    """The directions that classes stand for.

    Azimuth classes divide the circle evenly from 0 on; elevation classes divide the range from
    `elevation_min` [rad] to 90 degrees evenly, both ends included; `elevation_count` is 0 where
    elevation is not estimated.
    """

    azimuth_count: int
    elevation_count: int
    elevation_min: float = 0.0

    @property
    def azimuth_step(self) -> float:
        """Angle between azimuth classes [rad]."""
        return 2 * math.pi / self.azimuth_count

    @property
    def elevation_step(self) -> float:
        """Angle between elevation classes [rad]."""
        if not self.elevation_count:
            return math.nan
        return elevation_step(self.elevation_count, self.elevation_min)

    @property
    def azimuths(self) -> np.ndarray:
        """Centres of the azimuth classes, 0, step, 2 step ... [rad]."""
        return np.arange(self.azimuth_count) * self.azimuth_step

    @property
    def elevations(self) -> np.ndarray:
        """Centres of the elevation classes [rad]."""
        return self.elevation_min + np.arange(self.elevation_count) * self.elevation_step


def elevation_step(elevation_count: int, elevation_min: float) -> float:
    """Return the angle between elevation classes from the lowest [rad] to 90 degrees [rad]."""
    return (math.pi / 2 - elevation_min) / (elevation_count - 1)
