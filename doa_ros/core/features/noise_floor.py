# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tracking the noise floor of each frequency bin by minimum statistics.

After R. Martin, "Noise power spectral density estimation based on optimal smoothing and minimum
statistics", IEEE Trans. Speech and Audio Processing 9(5), 2001, with a fixed smoothing constant.
"""

import numpy as np

# The minimum is kept over this many sub-windows, so that the estimate rises in steps.
_SUB_WINDOWS = 5
# Smoothing of the power before the minimum is taken [s].
SMOOTHING = 0.15
# Mean of a noise's power over its tracked minimum, for the whole band: about what diffuse noise
# at a ring of six measures on average (test/core/features/test_noise_floor.py). Low
# frequencies, where the microphones hear the same, would need more and
# high ones less, as would fewer microphones and more; for four to sixteen it is near
# enough (test/core/features/test_arrays.py).
BIN_BIAS = 1.6


class RunningMinimum:
    """The smallest power of about the last so many seconds, per bin.

    Args:
        bin_count: number of frequency bins.
        hop: time between updates [s].
        period: that time [s].
    """

    def __init__(self, bin_count: int, hop: float, period: float):
        self._sub_length = max(1, round(period / hop / _SUB_WINDOWS))
        self._minima = np.full((_SUB_WINDOWS, bin_count), np.inf, dtype=np.float32)
        # The smallest of all sub-windows but the present one.
        self._earlier = self._minima[0].copy()
        self._updates = 0

    def update(self, power: np.ndarray) -> np.ndarray:
        """Take a power of shape (bins,), and return the smallest in each bin."""
        present = self._minima[self._updates // self._sub_length % _SUB_WINDOWS]
        if self._updates % self._sub_length == 0:
            present[:] = np.inf
            self._earlier = self._minima.min(axis=0)
        np.minimum(present, power, out=present)
        self._updates += 1
        return np.minimum(present, self._earlier)

    def scale(self, bins: slice, factor: np.ndarray) -> None:
        """Scale the past powers of some bins, where powers are now measured in another unit."""
        self._minima[:, bins] *= factor
        self._earlier[bins] *= factor


class NoiseFloor:
    """Minimum-tracked power per bin.

    Args:
        bin_count: number of frequency bins.
        hop: time between updates [s].
        period: the floor is the smallest smoothed power of about the last so many seconds [s].
        bias: mean of a noise's power over its tracked minimum, of all bins or of each.
    """

    def __init__(
        self, bin_count: int, hop: float, period: float, bias: float | np.ndarray = BIN_BIAS
    ):
        self._bias = np.asarray(bias, dtype=np.float32)
        self._gain = 1 - np.float32(np.exp(-hop / SMOOTHING))
        self._minimum = RunningMinimum(bin_count, hop, period)
        self._smoothed: np.ndarray | None = None

    def update(self, power: np.ndarray) -> np.ndarray:
        """Take the power of one window, shape (bins,), and return the noise power per bin."""
        if self._smoothed is None:
            self._smoothed = power.astype(np.float32)
        else:
            change = power - self._smoothed
            change *= self._gain
            self._smoothed += change
        return self._bias * self._minimum.update(self._smoothed)
