# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from doa_ros.core.array_file import load_array
from doa_ros.core.symmetry import symmetries
from doa_ros.resources import find_resource


def test_a_hexagon_has_twelve_and_an_odd_shape_one(uma8):
    assert len(symmetries(uma8)) == 12
    odd = uma8.positions + [[0.001 * k, 0.002 * k * k, 0] for k in range(6)]
    (identity,) = symmetries(replace(uma8, positions=odd))
    assert identity.permutation == (0, 1, 2, 3, 4, 5)
    assert identity.azimuth(0.3) == pytest.approx(0.3)


def test_a_square_has_eight(uma8):
    square = np.array([[1, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]]) * 0.03
    array = replace(uma8, positions=square, labels=tuple('abcd'), channels=(0, 1, 2, 3))
    assert len(symmetries(array)) == 8


@pytest.mark.parametrize(
    ('name', 'count'),
    [
        ('matrix_creator', 16),
        ('minidsp_uma16', 8),
        ('respeaker_4mic_hat', 8),
        ('respeaker_6mic_hat', 12),
        ('respeaker_usb_4mic', 8),
        ('respeaker_xvf3800', 8),
    ],
)
def test_shipped_arrays(name, count):
    array = load_array(find_resource('arrays', name))
    found = symmetries(array)
    assert len(found) == count
    # Each is a permutation: no microphone lands where another does.
    assert all(sorted(s.permutation) == list(range(len(array.positions))) for s in found)
