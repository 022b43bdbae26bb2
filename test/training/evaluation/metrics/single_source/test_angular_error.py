# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np

from training.evaluation.metrics.single_source.accuracy import nearest_class
from training.evaluation.metrics.single_source.angular_error import great_circle


def test_great_circles_are_exact_also_for_small_angles():
    angles = np.radians([[0, 0, 90, 0], [0, 60, 180, 60], [0, 0, 0, 1e-6], [0, 0, 180, 0]])
    np.testing.assert_allclose(np.degrees(great_circle(*angles.T)), [90, 60, 1e-6, 180], rtol=1e-6)


def test_the_nearest_class_goes_around_the_circle():
    degrees = np.radians([0, 4.9, 5.1, -4, -6, 180, -180])
    assert nearest_class(degrees, 36).tolist() == [0, 0, 1, 0, 35, 18, 18]
