# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""SRP-PHAT: the steered response power over a grid of directions, from the same features.

J. DiBiase, "A high-accuracy, low-latency technique for talker localization in reverberant
environments", PhD thesis, Brown University, 2000. The response of a direction is the mean of the
pairs' GCC-PHAT at its TDOAs; on a lag axis that is one fixed matrix on the taps.
"""

import math

import numpy as np
from scipy import special
from scipy.ndimage import maximum_filter1d

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.decoding import PEAK_SEPARATION, DirectionGrid, Spectrum

# Sharpness of a softmax over the response: how fast the probability falls around a peak.
_SHARPNESS = 40.0
# Log-odds of a source at a peak: a constant, and weights of the logarithms of its height over the
# highest one's and of its height. By logistic regression on simulated rooms with two talkers, seen
# by the UMA-8, but for a lower constant: rather silent than wrong. So the confidences are rather
# low than calibrated.
_BIAS, _RELATIVE_WEIGHT, _HEIGHT_WEIGHT = 4.2, 1.55, 1.25
_LEAST_HEIGHT = 1e-3


def steering_matrix(array: MicArray, lags: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the matrix from flattened GCC-PHAT to the response of each direction.

    Between the taps the band-limited GCC is interpolated by a Hann-windowed sinc over four taps
    each way.

    Args:
        array: the microphones.
        lags: uniform lag axis [s], shape (lags,).
        directions: unit vectors, shape (directions, 3).

    Returns:
        Shape (directions, pairs * lags), float32.
    """
    step = lags[1] - lags[0]
    distance = (array.tdoa(directions)[..., None] - lags) / step
    kernel = np.sinc(distance) * np.cos(np.pi * np.clip(distance / 8, -0.5, 0.5)) ** 2
    return (kernel / len(array.pairs)).reshape(len(directions), -1).astype(np.float32)


class SrpPhat:
    """Direction probabilities without training.

    Attributes:
        grid: the classes of azimuth and elevation. They cover what the array can tell apart:
            other directions have no probability.
        directions: unit vectors of what `response` looks at, shape (rows * azimuths, 3).

    Args:
        array: the microphones.
        lags: of the GCC-PHAT [s], shape (lags,).
        azimuth_count: how many azimuths are looked at.

    Raises:
        ConfigError: the array tells no azimuth.
    """

    # Of a horizontal array.
    grid = DirectionGrid(azimuth_count=72, elevation_count=10)

    def __init__(self, array: MicArray, lags: np.ndarray, azimuth_count: int = grid.azimuth_count):
        ambiguity = ambiguity_of(array)
        self.grid = _grid(azimuth_count, ambiguity.elevation_min)
        self._reach = round(PEAK_SEPARATION / self.grid.azimuth_step)
        directions, answers = ambiguity.looked_at(self.grid.azimuths, self.grid.elevations)
        self._outside = None if answers.all() else ~answers
        self.directions = directions.reshape(-1, 3)
        self._matrix = steering_matrix(array, lags, self.directions)

    def response(self, gcc: np.ndarray) -> np.ndarray:
        """Return the response for GCC-PHAT of (pairs, lags), shape (rows, azimuths).

        The rows are the elevations of the grid; where it has none, those of `directions`. What no
        answer looks like is -inf.
        """
        response = (self._matrix @ gcc.ravel()).reshape(-1, self.grid.azimuth_count)
        if self._outside is not None:
            response[self._outside] = -np.inf
        return response

    def spectrum(self, gcc: np.ndarray) -> Spectrum:
        """Return what GCC-PHAT of shape (pairs, lags) says of several sources."""
        response = self._comparable(self.response(gcc), gcc)
        return Spectrum(
            azimuth=self._probability(response),
            elevation=self._elevation(response) if self.grid.elevation_count else None,
            several=True,
            elevation_min=self.grid.elevation_min,
        )

    def _elevation(self, response: np.ndarray) -> np.ndarray:
        """Return how probable elevations are at each azimuth, shape (azimuths, elevations)."""
        strongest = response.max(axis=0)
        # Where none is an answer, all are alike.
        response = np.where(np.isfinite(strongest), response, 0)
        elevation = np.exp(_SHARPNESS * (response - response.max(axis=0))).T
        return elevation / elevation.sum(axis=1, keepdims=True)

    def azimuth_probability(self, response: np.ndarray, gcc: np.ndarray) -> np.ndarray:
        """Return the azimuths of `spectrum` alone, from the response to `gcc`, (azimuths,)."""
        return self._probability(self._comparable(response, gcc))

    def _comparable(self, response: np.ndarray, gcc: np.ndarray) -> np.ndarray:
        """Return a response as it would be with all microphones alive."""
        # The pairs of dead microphones are 0. With this factor the noise of the mean is as it is
        # with all pairs; its peak is still lower, and so less certain.
        living = np.count_nonzero(gcc.any(axis=1))
        return response * math.sqrt(len(gcc) / max(living, 1))

    def _probability(self, response: np.ndarray) -> np.ndarray:
        """Return for each azimuth class how probable a source there is, shape (azimuths,).

        It is as probable as the peak of the response that it makes is high.
        """
        strongest = response.max(axis=0)
        answers = np.isfinite(strongest)
        height = np.maximum(strongest - np.median(strongest[answers]), _LEAST_HEIGHT)
        peak = maximum_filter1d(height, 2 * self._reach + 1, mode='wrap')
        log_odds = (
            _BIAS + _RELATIVE_WEIGHT * np.log(peak / height.max()) + _HEIGHT_WEIGHT * np.log(peak)
        )
        return answers * special.expit(log_odds) * np.exp(_SHARPNESS * (height - peak))


def _grid(azimuth_count: int, elevation_min: float) -> DirectionGrid:
    """Return classes of azimuth, and of elevation from the lowest [rad] on; none where NaN."""
    if math.isnan(elevation_min):
        return DirectionGrid(azimuth_count, 0)
    count = 1 + round((math.pi / 2 - elevation_min) / SrpPhat.grid.elevation_step)
    return DirectionGrid(azimuth_count, count, elevation_min)
