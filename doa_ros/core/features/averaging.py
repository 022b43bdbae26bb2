# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The recursive average of cross-spectra, and how much of them is sound above the noise."""

from abc import ABC, abstractmethod

import numpy as np

from doa_ros.core.features.feature_type import FeatureType
from doa_ros.core.features.noise_floor import BIN_BIAS, NoiseFloor

# A bin counts fully only when it stands well above the floor: weight = 1 - 1.5 floor / power.
_OVERSUBTRACTION = np.float32(1.5)
# The activity is counted in bands: the power of a single bin, of a steady sound too, swings so
# much that half of the time it stands above its floor.
_BANDS = 12
BAND_BIAS = 2.0
# Below any power but that of digital silence.
_TINY = np.float32(1e-30)


def averaging_keep(averaging_time: float, hop: float) -> float:
    """Return how much of a recursive average is kept from one window to the next, 0..1.

    Args:
        averaging_time: effective length of the average [s].
        hop: time between windows [s].
    """
    # An exponential average weighs like a box of (1 + keep) / (1 - keep) hops.
    length = averaging_time / hop
    return (length - 1) / (length + 1)


def above_floor(power: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Return how far each power stands above its floor, 0..1; digital silence does not."""
    share = np.maximum(_OVERSUBTRACTION * floor, _TINY) / np.maximum(power, _TINY)
    return np.maximum(1 - share, 0)


class CrossSpectrumAverage(ABC):
    """The average of one stream's cross-spectra.

    Attributes:
        feature_type: whose features they are for.
        keep: how much of the average is kept from one window to the next, 0..1.

    Args:
        feature_type: of the stream.
    """

    def __init__(self, feature_type: FeatureType):
        config = feature_type.config
        self.feature_type = feature_type
        self.keep = averaging_keep(config.averaging_time, config.hop)
        bins = len(feature_type.frequencies)
        edges = np.geomspace(config.band_min, config.band_max, _BANDS + 1) - config.band_min
        spread = config.band_max - config.band_min
        self._bands = np.unique((edges[:-1] / spread * bins).astype(int))
        self._band_sizes = np.diff(self._bands, append=bins).astype(np.float32)

    def _band_powers(self, power: np.ndarray) -> np.ndarray:
        """Return the mean power of the bins of each band."""
        return np.add.reduceat(power, self._bands) / self._band_sizes

    def _level_floor(self, *band_biases: float) -> NoiseFloor:
        """Return what tracks the floors of the bins and, after them, of the bands.

        To track all in one array costs as much as the bins alone.

        Args:
            band_biases: mean of a noise's power over its tracked minimum; one for each time that
                there are bands.
        """
        config, bands = self.feature_type.config, len(self._bands)
        bias = np.repeat(
            [BIN_BIAS, *band_biases],
            [len(self.feature_type.frequencies), *[bands] * len(band_biases)],
        )
        return NoiseFloor(len(bias), config.hop, config.noise_floor_time, bias)

    @abstractmethod
    def start(self) -> None:
        """Begin to average anew, as after a gap; what is known of the noise stays."""

    @abstractmethod
    def add(self, spectra: np.ndarray, power: np.ndarray) -> float:
        """Take a window.

        Args:
            spectra: of the microphones, 0 of dead ones, shape (microphones, bins), complex64.
            power: mean of that of all microphones, shape (bins,), float32.

        Returns:
            Share of its sound above the noise, 0..1; the mean over the bands.
        """

    @abstractmethod
    def average(self) -> tuple[np.ndarray, float]:
        """Return cross-spectra and their weight, as `FeatureType.features` takes them.

        Returns:
            Shape (pairs, bins), complex64, and a number above 0.
        """


class PhaseTransformSum:
    """The sum of phase-transformed cross-spectra; older ones count less.

    Bins count the more, the further their power stands above the noise floor.

    Args:
        feature_type: of the stream; it gives the cross-spectra of a window.
        keep: how much of the sum is kept from one window to the next, 0..1.
    """

    def __init__(self, feature_type: FeatureType, keep: float):
        self._feature_type, self._keep = feature_type, keep
        self._weight_min = np.float32(feature_type.config.weight_min)
        shape = len(feature_type.array.pairs), len(feature_type.frequencies)
        self._sum = np.zeros(shape, dtype=np.complex64)
        self._weight_sum = 0.0

    def start(self) -> None:
        """Begin anew."""
        if self._weight_sum > 0:
            self._sum[:] = 0
            self._weight_sum = 0.0

    def add(self, spectra: np.ndarray, power: np.ndarray, above: np.ndarray) -> None:
        """Take a window, and how far the power of each bin stands above its floor, 0..1."""
        weight = np.maximum(above, self._weight_min)
        weight *= power > 0
        self._sum *= self._keep
        self._sum += self._feature_type.cross_spectra(spectra, weight)
        self._weight_sum = self._keep * self._weight_sum + float(weight.sum()) / len(weight)

    def average(self) -> tuple[np.ndarray, float]:
        """Return the sum of all cross-spectra, and of the weights of all bins in them."""
        return self._sum, max(self._weight_sum * self._sum.shape[1], 1e-9)


class PhaseTransformAverage(CrossSpectrumAverage):
    """The average by the phase transform.

    Args:
        feature_type: of the stream.
    """

    def __init__(self, feature_type: FeatureType):
        super().__init__(feature_type)
        self._sum = PhaseTransformSum(feature_type, self.keep)
        self._floor = self._level_floor(BAND_BIAS)

    def start(self) -> None:
        """Begin to average anew."""
        self._sum.start()

    def add(self, spectra: np.ndarray, power: np.ndarray) -> float:
        """Take a window."""
        powers = np.concatenate([power, self._band_powers(power)])
        above = above_floor(powers, self._floor.update(powers))
        self._sum.add(spectra, power, above[: len(power)])
        return float(above[len(power) :].sum()) / len(self._bands)

    def average(self) -> tuple[np.ndarray, float]:
        """Return the sum of all cross-spectra, and of the weights of all bins in them."""
        return self._sum.average()
