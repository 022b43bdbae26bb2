# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""GCC-PHAT of all microphone pairs on a chosen lag axis.

C. Knapp and G. Carter, "The generalized correlation method for estimation of time delay", IEEE
Trans. Acoustics, Speech and Signal Processing 24(4), 1976. Only the lags an array can produce
are computed: the inverse DFT is one small matrix product, at any resolution, so that the audio
needs no resampler.

Sign: the lag of pair (i, j) is the arrival time at i minus the arrival time at j. A peak at a
positive lag means that the sound reached j first.
"""

from functools import cached_property

import numpy as np

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig, lags_needed
from doa_ros.core.features.feature_type import FeatureType
from doa_ros.core.features.pair_products import PairProducts
from doa_ros.core.geometry import MicArray
from doa_ros.core.symmetry import Symmetry

# Keeps the phase of a bin without signal at zero instead of NaN.
_TINY = np.float32(1e-20)


class GccPhat(FeatureType):
    """GCC-PHAT of all pairs: channels are pairs, columns are lags.

    Args:
        array: the microphones.
        config: the settings.

    Raises:
        ConfigError: the lags do not reach the largest delay of the array.
    """

    name = 'gcc_phat'

    def __init__(self, array: MicArray, config: FeatureConfig):
        super().__init__(array, config)
        if config.lags[-1] < array.max_delay:
            needed = lags_needed(array, config.lag_rate)
            raise ConfigError(
                f'the lags reach {config.lags[-1] * 1e6:.0f} us, but array {array.name!r} has '
                f'delays up to {array.max_delay * 1e6:.0f} us: set lag_count to {needed} or more'
            )
        self._products = PairProducts(
            array.order or range(len(array.positions)), len(self.frequencies)
        )

    @cached_property
    def _inverse(self) -> np.ndarray:
        """The real part of cross-spectrum times exp(j phase), as one real product.

        Real and imaginary parts take turns, as in an array of complex numbers.
        """
        phase = 2 * np.pi * np.outer(self.frequencies, self.config.lags)
        parts = np.stack([np.cos(phase), -np.sin(phase)], axis=1)
        return parts.reshape(-1, self.config.lag_count).astype(np.float32)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the features of a window, (pairs, lags)."""
        return len(self.array.pairs), self.config.lag_count

    @classmethod
    def stored_columns(cls, config: FeatureConfig, stored: FeatureConfig) -> slice:
        """Return which lags of stored features are those of other settings.

        Raises:
            ConfigError: the lag axis asked for is not part of the stored one.
        """
        step = stored.lag_rate / config.lag_rate
        reach = (config.lag_count // 2) * round(step)
        middle = stored.lag_count // 2
        if abs(step - round(step)) > 1e-9 or step < 1 or reach > middle:
            raise ConfigError('the lag axis must be part of the stored one')
        return slice(middle - reach, middle + reach + 1, round(step))

    def cross_spectra(self, spectra: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return the phase-transformed cross-spectrum of each pair, weighted."""
        # To multiply by the reciprocal is faster than to divide complex numbers, and the same.
        products = self._products.of(spectra * (1 / (np.abs(spectra) + _TINY)))
        products *= weight
        return products

    def features(self, cross_spectra: np.ndarray, weight: float) -> np.ndarray:
        """Return the correlation, 1 at the lags of a plane wave, shape (pairs, lags), float32."""
        return cross_spectra.view(np.float32) @ self._inverse / np.float32(weight)

    def steering_matrix(self, directions: np.ndarray) -> np.ndarray:
        """Return the matrix that takes the mean over the pairs at the TDOAs of each direction.

        Between the taps the band-limited GCC is interpolated by a Hann-windowed sinc over four
        taps each way.
        """
        lags = self.config.lags
        distance = (self.array.tdoa(directions)[..., None] - lags) / (lags[1] - lags[0])
        kernel = np.sinc(distance) * np.cos(np.pi * np.clip(distance / 8, -0.5, 0.5)) ** 2
        # Next to 0 the processor takes several times as long as for 0 itself.
        kernel[np.abs(distance) >= 4] = 0
        return (kernel / len(self.array.pairs)).reshape(len(directions), -1).astype(np.float32)

    def turned_index(self, symmetry: Symmetry) -> np.ndarray:
        """Return the index that permutes pairs; one that is swapped has its lags reversed."""
        number = {tuple(pair): k for k, pair in enumerate(self.array.pairs.tolist())}
        lags = np.arange(self.config.lag_count)
        index = np.empty(self.shape, dtype=np.int32)
        for (i, j), source in number.items():
            first, second = symmetry.permutation[i], symmetry.permutation[j]
            swapped = first > second
            target = number[(second, first) if swapped else (first, second)]
            index[target] = source * len(lags) + (lags[::-1] if swapped else lags)
        return index.ravel()

    def dead_values(self, microphones: np.ndarray) -> np.ndarray:
        """Return which pairs hold a dead microphone, shape (rows, pairs, 1)."""
        return np.any(microphones[:, self.array.pairs], axis=2)[:, :, None]
