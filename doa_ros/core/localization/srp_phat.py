# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""SRP-PHAT: direction probabilities from the steered response, without training."""

import math

import numpy as np
from scipy import special
from scipy.ndimage import maximum_filter1d

from doa_ros.core.directions import PEAK_SEPARATION
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.features.feature_type import FeatureType
from doa_ros.core.features.steered_response import SteeredResponse
from doa_ros.core.localization.calibration import SENSITIVITY_POWER
from doa_ros.core.localization.source_filter import NoFilter
from doa_ros.core.localization.spectrum import MultiSourceSpectrum, WindowSpectra

# Sharpness of a softmax over the response: how fast the probability falls around a peak.
_SHARPNESS = 40.0
# Log-odds of a source at a peak: a constant, and weights of the logarithms of its height over the
# highest one's and of its height. By logistic regression on simulated rooms with two talkers, with
# the UMA-8; only the constant is lower, because no answer is better than a wrong one. So the
# confidences are lower than calibrated ones would be.
_BIAS, _RELATIVE_WEIGHT, _HEIGHT_WEIGHT = 4.2, 1.55, 1.25
_LEAST_HEIGHT = 1e-3


class SrpPhat(SteeredResponse):
    """Direction probabilities without training.

    Directions that the array cannot tell apart from others have no probability.

    Args:
        feature_type: of the features.
        azimuth_count: how many azimuths are looked at.

    Raises:
        ConfigError: the array resolves no azimuth.
    """

    sensitivity_power = SENSITIVITY_POWER

    def __init__(
        self,
        feature_type: FeatureType,
        azimuth_count: int = SteeredResponse.grid.azimuth_count,
    ):
        super().__init__(feature_type, azimuth_count)
        self._reach = round(PEAK_SEPARATION / self.grid.azimuth_step)

    def spectra(self, window: WindowFeatures) -> WindowSpectra:
        """Return what is found in a window."""
        return WindowSpectra(self.spectrum(window.features), window.activity, window.sound_age)

    def source_filter(self) -> NoFilter:
        """Return what joins the windows of one stream: nothing does."""
        return NoFilter()

    def spectrum(self, features: np.ndarray) -> MultiSourceSpectrum:
        """Return the probabilities of directions for features of shape (channels, columns)."""
        response = self._comparable(self.response(features), features)
        return MultiSourceSpectrum(
            azimuth=self._probability(response),
            elevation=self._elevation(response) if self.grid.elevation_count else None,
            elevation_min=self.grid.elevation_min,
        )

    def _elevation(self, response: np.ndarray) -> np.ndarray:
        """Return how probable elevations are at each azimuth, shape (azimuths, elevations)."""
        strongest = response.max(axis=0)
        # Where no direction can be told apart, all elevations are equally probable.
        response = np.where(np.isfinite(strongest), response, 0)
        elevation = np.exp(_SHARPNESS * (response - response.max(axis=0))).T
        return elevation / elevation.sum(axis=1, keepdims=True)

    def azimuth_probability(self, response: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Return the azimuths of `spectrum` alone, from the response to features, (azimuths,)."""
        return self._probability(self._comparable(response, features))

    def _comparable(self, response: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Return a response as it would be with all microphones alive."""
        # The channels of dead microphones are 0. With this factor the noise of the mean is as it
        # is with all channels; its peak is still lower, and so less certain.
        living = int(np.count_nonzero(features.any(axis=1)))
        return response * math.sqrt(len(features) / max(living, 1))

    def _probability(self, response: np.ndarray) -> np.ndarray:
        """Return for each azimuth class how probable a source there is, shape (azimuths,).

        A higher peak of the response means a more probable source.
        """
        strongest = response.max(axis=0)
        answers = np.isfinite(strongest)
        height = np.maximum(strongest - np.median(strongest[answers]), _LEAST_HEIGHT)
        peak = maximum_filter1d(height, 2 * self._reach + 1, mode='wrap')
        log_odds = (
            _BIAS + _RELATIVE_WEIGHT * np.log(peak / height.max()) + _HEIGHT_WEIGHT * np.log(peak)
        )
        return answers * special.expit(log_odds) * np.exp(_SHARPNESS * (height - peak))
