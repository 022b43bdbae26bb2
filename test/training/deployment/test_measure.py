# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from training.deployment.measure import Measurement, azimuth_difference_deg


def measured(*azimuths_deg: float) -> Measurement:
    return Measurement(0.0, 0.0, 0.0, 0.0, 0.0, np.radians(azimuths_deg))


def test_the_difference_of_azimuths_is_the_median_around_the_circle():
    rounded, exact = measured(179, -10, 40), measured(-178, -10, 50)
    assert azimuth_difference_deg(rounded, exact) == pytest.approx(3)
    assert azimuth_difference_deg(exact, exact) == 0
