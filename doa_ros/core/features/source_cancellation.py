# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Source cancellation: the sound without its loudest direction, in which weaker sources show.

Voices rarely share a frequency at a time: a mask over the frequencies separates them (O. Yilmaz
and S. Rickard, "Blind separation of speech mixtures via time-frequency masking", IEEE Trans.
Signal Processing 52(7), 2004). Here the mask weakens a frequency the more, the better the phases
of all pairs agree with a plane wave from the direction of the highest steered response.
"""

from dataclasses import dataclass
import math

import numpy as np

from doa_ros.core.directions import PEAK_SEPARATION, DirectionGrid
from doa_ros.core.features.feature_type import FeatureType
from doa_ros.core.features.pair_products import PairProducts
from doa_ros.core.features.steered_response import SteeredResponse
from doa_ros.core.geometry import wrap_angle

# Beyond this elevation, up or down, the azimuth means little: its sine.
_OVERHEAD = math.sin(math.radians(75))
_TINY = np.float32(1e-20)
# Largest gain of the residual, so that noise alone is not amplified too much.
_MOST_GAIN = 6.0


@dataclass(frozen=True)
class Residual:
    """The features of a window after source cancellation.

    Attributes:
        features: as loud as those of the whole, in -1..1, shape (channels, columns), float32.
        azimuth: of the cancelled direction, on the board [rad]; NaN overhead, where all
            azimuths are near.
    """

    features: np.ndarray
    azimuth: float


class SourceCanceller:
    """Removes the loudest direction from cross-spectra.

    Args:
        feature_type: of the features that tell which direction is the loudest.
    """

    def __init__(self, feature_type: FeatureType):
        array = feature_type.array
        self._steered = SteeredResponse(feature_type)
        microphones, bins = len(array.positions), len(feature_type.frequencies)
        self._products = PairProducts(array.order or range(microphones), bins)
        # The direction whose plane wave is in `_shifts`: in most windows it is the same again.
        self._turned_to: int | None = None
        self._shifts = np.empty(0)
        delays = -self._steered.directions @ array.positions.T / array.speed_of_sound
        self._delays = delays.astype(np.float32)
        self._angular = (2 * np.pi * feature_type.frequencies).astype(np.float32)

    def response(self, features: np.ndarray) -> np.ndarray:
        """Return the steered response of features of shape (channels, columns)."""
        return self._steered.response(features)

    def cancel(self, cross_spectra: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the cross-spectra without the loudest direction, and the azimuth of `Residual`.

        Args:
            cross_spectra: averaged, shape (pairs, bins), complex64.
            response: their steered response.
        """
        loudest = int(response.argmax())
        # After a phase shift by the delays of the plane wave, its own part is real and positive.
        turned = (cross_spectra * self._back(loudest)).mean(axis=0).real
        sizes = np.abs(cross_spectra).mean(axis=0)
        agreement = turned / np.maximum(sizes, _TINY)
        share = (1 - np.minimum(np.maximum(agreement, 0), 1)) ** 2
        left = float(share @ sizes)
        gain = min(float(sizes.sum()) / left, _MOST_GAIN) if left > 0 else 0.0
        return (gain * share) * cross_spectra, self._azimuth(loudest)

    def _back(self, direction: int) -> np.ndarray:
        """Return the phase shift of each pair by the delays of a plane wave, (pairs, bins)."""
        if direction != self._turned_to:
            phase = self._delays[direction][:, None] * self._angular
            self._shifts = self._products.of(np.cos(phase) + 1j * np.sin(phase))
            self._turned_to = direction
        return self._shifts

    def _azimuth(self, direction: int) -> float:
        grid = self._steered.grid
        overhead = abs(self._steered.directions[direction, 2]) > _OVERHEAD
        return math.nan if overhead else float(grid.azimuths[direction % grid.azimuth_count])


def uncancelled(grid: DirectionGrid, residual: Residual) -> np.ndarray:
    """Return which azimuth classes are apart from the cancelled direction.

    Peaks of the residual near that direction are rests of the cancelled source.

    Returns:
        Shape (azimuths,), bool; none of them where that direction is overhead.
    """
    distance = np.abs(wrap_angle(grid.azimuths - residual.azimuth))
    # Half a class is the tolerance: the cancelled azimuth is the centre of a class.
    return distance > PEAK_SEPARATION - grid.azimuth_step / 2
