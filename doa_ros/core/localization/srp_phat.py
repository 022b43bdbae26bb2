# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""SRP-PHAT: direction probabilities from the steered response, without training."""

import numpy as np

from doa_ros.core.features.direct_response import DirectResponse
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.localization.azimuth_probability import (
    SHARPNESS,
    azimuth_probability,
    comparable,
)
from doa_ros.core.localization.calibration import SENSITIVITY_POWER
from doa_ros.core.localization.source_filter import NoFilter
from doa_ros.core.localization.spectrum import MultiSourceSpectrum, WindowSpectra


class SrpPhat(DirectResponse):
    """Direction probabilities without training.

    Directions that the array cannot tell apart from others have no probability.

    Args:
        feature_type: of the features.
        azimuth_count: how many azimuths are looked at.

    Raises:
        ConfigError: the array resolves no azimuth.
    """

    sensitivity_power = SENSITIVITY_POWER

    def spectra(self, window: WindowFeatures) -> WindowSpectra:
        """Return what is found in a window."""
        return WindowSpectra(self.spectrum(window.features), window.activity, window.sound_age)

    def source_filter(self) -> NoFilter:
        """Return what joins the windows of one stream: nothing does."""
        return NoFilter()

    def spectrum(self, features: np.ndarray) -> MultiSourceSpectrum:
        """Return the probabilities of directions for features of shape (channels, columns)."""
        response = comparable(self.response(features), features)
        return MultiSourceSpectrum(
            azimuth=azimuth_probability(response),
            elevation=self._elevation(response) if self.grid.elevation_count else None,
            elevation_min=self.grid.elevation_min,
        )

    def _elevation(self, response: np.ndarray) -> np.ndarray:
        """Return how probable elevations are at each azimuth, shape (azimuths, elevations)."""
        strongest = response.max(axis=0)
        # Where no direction can be told apart, all elevations are equally probable.
        response = np.where(np.isfinite(strongest), response, 0)
        elevation = np.exp(SHARPNESS * (response - response.max(axis=0))).T
        return elevation / elevation.sum(axis=1, keepdims=True)
