# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Cross-spectra in which steady noise from any direction is suppressed.

With the covariance Q of the noise at a frequency and x the spectra of the microphones, y = Q^-1 x
is what the noise does not mask. A plane wave with the phases a then has, among all directions, the
highest share ``|a* y|^2 / (a* Q^-1 a)`` of the whitened power x* Q^-1 x: this is the likelihood of
a direction amid known noise (J. Capon, "High-resolution frequency-wavenumber spectrum analysis",
Proc. IEEE 57(8), 1969; H. Cox, R. Zeskind and M. Owen, "Robust adaptive beamforming", IEEE Trans.
Acoustics, Speech and Signal Processing 35(10), 1987). A quotient is no sum over pairs of
microphones; ``|a* y|^2 / s - (m + 1 / s) a* Q^-1 a`` is one. Here s is the whitened power of the
sound and m a constant. Numerators alone would shun the direction of the noise, where Q^-1 is
small; what is subtracted balances this, and it removes what the noise leaves in the mean.
"""

import numpy as np

from doa_ros.core.features.averaging import (
    BAND_BIAS,
    CrossSpectrumAverage,
    PhaseTransformSum,
    above_floor,
)
from doa_ros.core.features.feature_type import FeatureType
from doa_ros.core.features.noise_covariance import NoiseCovariance
from doa_ros.core.features.pair_products import PairProducts

# How much of the inverse is subtracted where the sound is strong.
_BALANCE = np.float32(0.3)
# A bin counts a quarter of what it can where the whitened power of the sound, summed over the
# microphones, is this.
_HALF = np.float32(6.0)
# A louder bin counts no more for the activity: the tone of a motor that wavers is in few bins.
_LOUD = np.float32(8.0)
# Noise that is known in part, as of a motor that swells and ebbs, has so many times its smallest
# whitened power.
_SWING = 1.5
# The noise comes from all around where its mean spread is less than the first of these, and from
# few directions where it is more than the second: between what simulated rooms without directional
# noise have, and rooms with one 10 dB below the talker (UMA-8).
_ALL_AROUND, _FEW_DIRECTIONS = 0.5, 0.8


class WhitenedAverage(CrossSpectrumAverage):
    """Bins count the more, the louder their sound is after whitening.

    Where the noise comes from all around, it is the average of the phase transform.

    Attributes:
        noise: what is known of the noise.

    Args:
        feature_type: of the stream.
    """

    def __init__(self, feature_type: FeatureType):
        super().__init__(feature_type)
        array, config = feature_type.array, feature_type.config
        self._first, self._second = array.pairs.T
        bins, microphones = len(feature_type.frequencies), len(array.positions)
        self.noise = NoiseCovariance(microphones, bins, config.hop)
        self._products = PairProducts(array.order or range(microphones), bins)
        self._sum = np.zeros((len(array.pairs), bins), dtype=np.complex64)
        self._power_sum = np.zeros(bins, dtype=np.float32)
        self._count = 0.0
        self._ones = np.ones(bins, dtype=np.float32)
        self._phase_transform = PhaseTransformSum(feature_type, self.keep)
        # Lower frequencies are much alike at all microphones, whatever the noise.
        frequencies = feature_type.frequencies
        lowest = min(1 / (4 * array.max_delay), frequencies.mean())
        self._telling = slice(int(np.searchsorted(frequencies, lowest)), None)
        # Of the bins, and of the bands before and after whitening.
        self._floor = self._level_floor(BAND_BIAS, _SWING)
        self._weight_min = np.float32(config.weight_min)
        self.start()

    def start(self) -> None:
        """Begin to average anew."""
        self._phase_transform.start()
        self._start_whitened()
        self._share = 0.0

    def _start_whitened(self) -> None:
        if self._count > 0:
            self._sum[:] = 0
            self._power_sum[:] = 0
            self._count = 0.0

    def _few_directions(self) -> float:
        """Return how far the noise comes from few directions, 0..1."""
        telling = self.noise.spread[self._telling]
        spread = float(telling.sum()) / len(telling)
        return min(max((spread - _ALL_AROUND) / (_FEW_DIRECTIONS - _ALL_AROUND), 0.0), 1.0)

    def add(self, spectra: np.ndarray, power: np.ndarray) -> float:
        """Take a window; what has no share in the features begins to average anew."""
        whitened, whitened_power = self.noise.whiten(spectra)
        self._share = self._few_directions()
        above, plain_active, active = self._above_floor(power, whitened_power)
        if self._share < 1:
            self._phase_transform.add(spectra, power, above)
        else:
            self._phase_transform.start()
        if self._share > 0:
            self._add_whitened(whitened, whitened_power)
        else:
            self._start_whitened()
        return self._share * active + (1 - self._share) * plain_active

    def _above_floor(
        self, power: np.ndarray, whitened: np.ndarray
    ) -> tuple[np.ndarray, float, float]:
        """Return how far the power stands above its floor in each bin, and in the mean of bands.

        Returns:
            Shape (bins,), float32, and shares of sound above the noise, before whitening and
            after it, 0..1.
        """
        whitened = np.minimum(whitened, np.where(self.noise.begun, np.float32(1), _LOUD))
        powers = np.concatenate([power, self._band_powers(power), self._band_powers(whitened)])
        floor = self._floor.update(powers)
        bins, bands = len(power), len(self._bands)
        # A noise that has begun, but is not learnt, is louder than 1.
        np.maximum(floor[-bands:], 1, out=floor[-bands:])
        above = above_floor(powers, floor)
        before, after = (above[bins:].reshape(2, bands).sum(axis=1) / bands).tolist()
        return above[:bins], before, after

    def _add_whitened(self, whitened: np.ndarray, power: np.ndarray) -> None:
        # In the unit of the power, whatever the noise was then.
        whitened *= 1 / np.sqrt(self.noise.inverse_scale)
        self._sum *= self.keep
        self._sum += self._products.of(whitened)
        self._power_sum *= self.keep
        self._power_sum += power
        self._count = self.keep * self._count + 1

    def average(self) -> tuple[np.ndarray, float]:
        """Return the mean of both averages, as far as the noise comes from few directions."""
        share = self._share
        if share == 0:
            return self._phase_transform.average()
        whitened, weight = self._whitened()
        if share == 1:
            return whitened, weight
        phases, phase_weight = self._phase_transform.average()
        whitened *= np.float32(share / weight)
        whitened += np.float32((1 - share) / phase_weight) * phases
        return whitened, 1.0

    def _whitened(self) -> tuple[np.ndarray, float]:
        """Return the balanced average of the whitened cross-spectra, and the sum of weights."""
        microphones = np.float32(np.count_nonzero(self.noise.alive))
        count = np.float32(max(self._count, 1))
        sound = np.maximum(self._power_sum / count - 1, 0) * microphones
        louder = sound + _HALF
        presence = sound / louder
        # The weight over the power of the sound, without a division by 0.
        gain = microphones * presence / louder
        balanced = self._sum * (gain / count)
        # The inverse is the mean of the cross-spectra of the noise alone.
        inverse = self.noise.inverse[self._first, self._second]
        inverse *= gain * (1 + _BALANCE * sound) / self.noise.inverse_scale
        balanced -= inverse
        weight = np.maximum(presence**2, self._weight_min).sum()
        # The features of no pair exceed 1.
        return balanced, float(max(weight, (np.abs(balanced) @ self._ones).max()))
