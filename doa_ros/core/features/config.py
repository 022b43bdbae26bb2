# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the features."""

from dataclasses import dataclass, replace

import numpy as np

from doa_ros.core.config import Config, setting
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray


@dataclass(frozen=True)
class FeatureConfig(Config):
    """Settings of the features. A model works only with those it was trained on.

    `default_features` says which settings suit a model or an array.
    """

    RENAMED = {'averaging': 'averaging_time', 'noise_memory': 'noise_floor_time'}

    window: float = setting(0.1, 'Length of the analysis window [s].', minimum=0.01, maximum=1.0)
    hop: float = setting(
        0.05,
        'Time between analysis windows, and so between estimates [s].',
        minimum=0.005,
        maximum=1.0,
    )
    band_min: float = setting(200.0, 'Lowest frequency used [Hz].', minimum=20.0, maximum=20000.0)
    band_max: float = setting(
        7000.0, 'Highest frequency used [Hz].', minimum=100.0, maximum=90000.0
    )
    lag_rate: float = setting(
        16000.0, 'Delay taps per second of lag [Hz].', minimum=4000.0, maximum=192000.0
    )
    lag_count: int = setting(
        13,
        'Number of delay taps, odd; zero lag is in the middle. They must reach the largest '
        'delay between two microphones.',
        minimum=3,
        maximum=511,
    )
    averaging_time: float = setting(
        0.5, 'Effective length of the recursive averaging [s].', minimum=0.005, maximum=10.0
    )
    noise_floor_time: float = setting(
        1.5,
        'The noise floor is the smallest power in a period of this length [s].',
        minimum=0.2,
        maximum=60.0,
    )
    weight_min: float = setting(
        0.02,
        'Smallest weight of a noisy bin; 1 switches the weighting off.',
        minimum=1e-4,
        maximum=1.0,
    )
    residual: bool = setting(
        False,
        'Whether the features after source cancellation are computed, too: they show a source '
        'that a louder one masks.',
    )
    whitening: bool = setting(
        False,
        'Whether steady noise from any direction is suppressed by its spatial covariance, which '
        'is learnt; it is not reported then, not even with report_stationary. A network that was '
        'trained with it works without it, too.',
    )

    def __post_init__(self):
        super().__post_init__()
        if self.hop > self.window:
            raise ConfigError(f'hop ({self.hop} s) must not exceed window ({self.window} s)')
        if self.band_min >= self.band_max:
            raise ConfigError('band_min must be below band_max')
        if self.lag_count % 2 == 0:
            raise ConfigError(f'lag_count must be odd, not {self.lag_count}')
        if self.averaging_time < self.hop:
            raise ConfigError(f'averaging_time must be at least the hop ({self.hop} s)')

    @property
    def lags(self) -> np.ndarray:
        """The lag axis [s], shape (lag_count,)."""
        return (np.arange(self.lag_count) - self.lag_count // 2) / self.lag_rate

    def reaching(self, array: MicArray) -> 'FeatureConfig':
        """Return the settings with as many more delay taps as a large array needs."""
        needed = lags_needed(array, self.lag_rate)
        return replace(self, lag_count=max(self.lag_count, needed))


def lags_needed(array: MicArray, lag_rate: float) -> int:
    """Return the smallest lag_count that reaches every delay of an array, at a lag_rate [Hz]."""
    return 2 * int(np.ceil(array.max_delay * lag_rate)) + 1
