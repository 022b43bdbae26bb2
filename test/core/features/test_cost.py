# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What features cost, as multiples of the plain FFTs that nobody can do without."""

import statistics
from time import thread_time

import numpy as np
import pytest

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor

_HOP = 2400
_WINDOWS, _ROUNDS = 40, 9


def _seconds(work) -> float:
    begin = thread_time()
    for number in range(_WINDOWS):
        work(number)
    return thread_time() - begin


# Measured in turn on a busy x86 computer: 3.1, 6.1 and 6.4 times the FFTs.
@pytest.mark.parametrize(
    ('settings', 'most'),
    [({}, 5.0), ({'residual': True}, 9.0), ({'whitening': True}, 10.0)],
    ids=['plain', 'residual', 'whitened'],
)
def test_costs_few_ffts(uma8, settings, most):
    extractor = FeatureExtractor(uma8, FeatureConfig(lag_rate=48000.0, lag_count=39, **settings))
    noise = np.random.default_rng(0).standard_normal((_WINDOWS, _HOP, 8))
    blocks = (0.01 * noise).astype(np.float32)
    window = blocks[:2, :, :6].reshape(2 * _HOP, 6).T.copy()
    pushed = 0

    def features(number):
        nonlocal pushed
        extractor.push(pushed, blocks[number])
        pushed += _HOP

    # In turn, so that both meet the same computer.
    ratios = [
        _seconds(features) / _seconds(lambda _: np.fft.rfft(window, axis=1))
        for _ in range(_ROUNDS)
    ]
    ratio = statistics.median(ratios)
    assert ratio < most
