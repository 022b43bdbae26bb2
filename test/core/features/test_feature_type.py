# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np

from doa_ros.core.features.feature_type import network_input


def test_network_input_is_columns_by_channels():
    gcc = np.arange(30.0).reshape(5, 6)
    assert network_input(gcc).shape == (6, 5)
    assert network_input(gcc)[4, 3] == gcc[3, 4]
    assert network_input(np.zeros((7, 5, 6))).shape == (7, 6, 5)
