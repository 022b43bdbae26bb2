# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Spectrum estimators: from the features of a window to the probabilities of directions.

There are two: the trained classifier and SRP-PHAT.
"""

from typing import Protocol

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.localization.source_filter import SourceFilter
from doa_ros.core.localization.spectrum import WindowSpectra


class SpectrumEstimator(Protocol):
    """Finds the probabilities of directions in each window by itself.

    Attributes:
        grid: the directions that the classes of its spectra stand for.
        sensitivity_power: of `Calibration`, for its estimates.
    """

    grid: DirectionGrid
    sensitivity_power: float

    def spectra(self, window: WindowFeatures) -> WindowSpectra:
        """Return what is found in a window."""

    def source_filter(self) -> SourceFilter:
        """Return what joins the windows of one stream."""
