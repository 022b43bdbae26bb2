# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The steered response: how well features agree with a plane wave from each direction.

J. DiBiase, "A high-accuracy, low-latency technique for talker localization in reverberant
environments", PhD thesis, Brown University, 2000. The response of a direction is the mean of the
pairs' GCC-PHAT at its TDOAs. On a lag axis, and for other types of features, that is one fixed
matrix on the features.
"""

import math

import numpy as np

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.features.feature_type import FeatureType


class SteeredResponse:
    """The steered response over a grid of directions.

    Attributes:
        grid: the classes of azimuth and elevation. They cover what the array can tell apart.
        directions: unit vectors of the look directions of `response`, shape (rows * azimuths, 3).

    Args:
        feature_type: of the features.
        azimuth_count: how many azimuths are looked at.

    Raises:
        ConfigError: the array resolves no azimuth.
    """

    # Of a horizontal array.
    grid = DirectionGrid(azimuth_count=72, elevation_count=10)

    def __init__(self, feature_type: FeatureType, azimuth_count: int = grid.azimuth_count):
        ambiguity = ambiguity_of(feature_type.array)
        self.grid = response_grid(azimuth_count, ambiguity.elevation_min)
        directions, answers = ambiguity.look_directions(self.grid.azimuths, self.grid.elevations)
        self._outside = None if answers.all() else ~answers
        self.directions = directions.reshape(-1, 3)
        self._matrix = feature_type.steering_matrix(self.directions)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the response, (rows, azimuths)."""
        azimuths = self.grid.azimuth_count
        return len(self.directions) // azimuths, azimuths

    def response(self, features: np.ndarray) -> np.ndarray:
        """Return the response for features of (..., channels, columns), (..., rows, azimuths).

        The rows are the elevations of the grid; where it has none, those of `directions`. What no
        answer looks like is -inf.
        """
        *several, _, _ = features.shape
        flat = features.reshape(*several, -1)
        # Of a single window, a product with a vector.
        product = flat @ self._matrix.T if several else self._matrix @ flat
        response = product.reshape(*several, *self.shape)
        if self._outside is not None:
            response[..., self._outside] = -np.inf
        return response


def response_grid(azimuth_count: int, elevation_min: float) -> DirectionGrid:
    """Return classes of azimuth, and of elevation from the lowest [rad] on; none where NaN."""
    if math.isnan(elevation_min):
        return DirectionGrid(azimuth_count, 0)
    count = 1 + round((math.pi / 2 - elevation_min) / SteeredResponse.grid.elevation_step)
    return DirectionGrid(azimuth_count, count, elevation_min)
