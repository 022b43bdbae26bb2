# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Measures the channels of a stream over a period: levels, offsets, clipped samples, bits."""

import numpy as np

from doa_ros.core.features.dead_microphones import decibels
from doa_ros.core.samples import as_float

# A sample is at full scale from this magnitude on.
_FULL_SCALE = 0.9999


class ChannelStatistics:
    """Statistics of the channels over the windows of a period.

    Properties are per channel, shape (channels,), unless they say otherwise.

    Args:
        channel_count: channels.
        microphone_count: how many of them are microphones.

    Attributes:
        samples, windows: how many there were.
        clipped: samples at full scale, shape (channels,).
    """

    def __init__(self, channel_count: int, microphone_count: int):
        self.channel_count = channel_count
        self.samples = self.windows = 0
        self._sum = np.zeros(channel_count)
        self._squares = np.zeros(channel_count)
        self._low = np.full(channel_count, np.inf)
        self._high = np.full(channel_count, -np.inf)
        self.clipped = np.zeros(channel_count, dtype=int)
        self._ones: np.ndarray | None = None
        self._common: np.ndarray | None = None
        self._levels, self._spectra = np.zeros(microphone_count), 0

    def add(self, samples: np.ndarray) -> np.ndarray:
        """Take a window; return it with full scale 1, shape (channels, samples), float32."""
        # Reductions are many times faster along samples that are neighbours in memory.
        samples = np.ascontiguousarray(samples.T)
        if samples.dtype.kind == 'i':
            ones = np.bitwise_or.reduce(samples, axis=1)
            common = np.bitwise_and.reduce(samples, axis=1)
            self._ones = ones if self._ones is None else self._ones | ones
            self._common = common if self._common is None else self._common & common
        scaled = as_float(samples)
        self._sum += scaled.sum(axis=1)
        self._squares += np.einsum('ij,ij->i', scaled, scaled)
        low, high = scaled.min(axis=1), scaled.max(axis=1)
        np.minimum(self._low, low, out=self._low)
        np.maximum(self._high, high, out=self._high)
        if max(high.max(), -low.min()) >= _FULL_SCALE:
            self.clipped += (np.abs(scaled) >= _FULL_SCALE).sum(axis=1)
        self.samples += samples.shape[1]
        self.windows += 1
        return scaled

    def add_power(self, power: np.ndarray) -> None:
        """Take the power of each microphone in a window, shape (microphones,)."""
        self._levels += decibels(power)
        self._spectra += 1

    @property
    def microphone_levels(self) -> np.ndarray:
        """Mean level of each microphone in the band [dB], shape (microphones,)."""
        return self._levels / self._spectra

    @property
    def constant(self) -> np.ndarray:
        """Which channels never changed."""
        return self._low == self._high if self._ones is None else self._ones == self._common

    @property
    def varying_bits(self) -> list[int]:
        """The bits of each channel that were both 0 and 1; none are known of floats."""
        if self._ones is None:
            return [0] * self.channel_count
        bits = self._ones ^ self._common
        return bits.view(f'u{bits.itemsize}').tolist()

    @property
    def zero(self) -> np.ndarray:
        """Which channels were 0 in every sample."""
        return (self._low == 0) & (self._high == 0)

    @property
    def offset(self) -> np.ndarray:
        """Mean of each channel [full scale]."""
        return self._sum / self.samples

    @property
    def levels_dbfs(self) -> np.ndarray:
        """Level of each channel without its offset [dB of full scale], -inf for a constant."""
        power = np.maximum(self._squares / self.samples - self.offset**2, 0)
        with np.errstate(divide='ignore'):
            return np.where(self.constant, -np.inf, 10 * np.log10(power))
