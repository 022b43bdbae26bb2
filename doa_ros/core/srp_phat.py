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

from doa_ros.core.decoding import PEAK_SEPARATION, DirectionGrid, Spectrum
from doa_ros.core.geometry import MicArray, unit_vector

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
        grid: the classes of azimuth and elevation.
        directions: unit vectors of what `response` looks at, shape (elevations * azimuths, 3).

    Args:
        array: the microphones.
        lags: of the GCC-PHAT [s], shape (lags,).
        azimuth_count: how many azimuths are looked at.
    """

    grid = DirectionGrid(azimuth_count=72, elevation_count=10)

    def __init__(
        self, array: MicArray, lags: np.ndarray, azimuth_count: int = grid.azimuth_count
    ):
        self.grid = DirectionGrid(azimuth_count, self.grid.elevation_count)
        self._reach = round(PEAK_SEPARATION / self.grid.azimuth_step)
        elevations, azimuths = np.meshgrid(
            self.grid.elevations, self.grid.azimuths, indexing='ij'
        )
        self.directions = unit_vector(azimuths.ravel(), elevations.ravel())
        self._matrix = steering_matrix(array, lags, self.directions)

    def response(self, gcc: np.ndarray) -> np.ndarray:
        """Return the response, shape (elevations, azimuths), for GCC-PHAT of (pairs, lags)."""
        response = self._matrix @ gcc.ravel()
        return response.reshape(self.grid.elevation_count, self.grid.azimuth_count)

    def spectrum(self, gcc: np.ndarray) -> Spectrum:
        """Return what GCC-PHAT of shape (pairs, lags) says of several sources."""
        response = self._comparable(self.response(gcc), gcc)
        elevation = np.exp(_SHARPNESS * (response - response.max(axis=0))).T
        return Spectrum(
            azimuth=self._probability(response),
            elevation=elevation / elevation.sum(axis=1, keepdims=True),
            several=True,
        )

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
        height = np.maximum(strongest - np.median(strongest), _LEAST_HEIGHT)
        peak = maximum_filter1d(height, 2 * self._reach + 1, mode='wrap')
        log_odds = (
            _BIAS
            + _RELATIVE_WEIGHT * np.log(peak / height.max())
            + _HEIGHT_WEIGHT * np.log(peak)
        )
        return special.expit(log_odds) * np.exp(_SHARPNESS * (height - peak))
