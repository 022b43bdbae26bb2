# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from doa_ros.core.errors import ModelError
from doa_ros.core.localization.trained_array import TrainedArray


def test_a_section_of_a_card_is_read_as_it_was_written(uma8):
    section = TrainedArray.of(uma8).to_mapping()
    assert section['name'] == 'uma8' and section['sampling_frequency'] == 48000
    assert TrainedArray.from_mapping(section, 'card').to_mapping() == section


def test_positions_have_three_coordinates():
    with pytest.raises(ModelError, match='positions must be x, y, z'):
        TrainedArray('flat', np.zeros((6, 2)), 48000)
