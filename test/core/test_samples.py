# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Levels of samples."""

import numpy as np
import pytest

from doa_ros.core.samples import levels


def test_the_level_of_a_sine_and_of_nothing():
    time = np.arange(4800) / 48000
    sine = 0.5 * np.sin(2 * np.pi * 1000 * time) + 0.1
    found = levels(np.stack([sine, 0 * sine], axis=1).astype(np.float32))
    assert found == [pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1), -120.0]
