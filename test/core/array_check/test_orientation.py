# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How a board lies, from two directions; the voices are in test/cli/test_check.py."""

from dataclasses import replace
import math

from hypothesis import given
from hypothesis import strategies as st
import pytest

from doa_ros.core.array_check.orientation import find_orientation
from doa_ros.core.errors import AudioError
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.symmetry import symmetries

_BESIDE = st.floats(-math.radians(12), math.radians(12))


@given(st.integers(0, 11), _BESIDE, _BESIDE)
def test_every_symmetric_order_is_undone(uma8, number, beside_front, beside_right):
    symmetry = symmetries(uma8)[number]
    front, right = beside_front, -math.pi / 2 + beside_right
    found = find_orientation(uma8, symmetry.azimuth(front), symmetry.azimuth(right))
    assert found.regular and found.face_down == symmetry.mirrored
    mounted = replace(uma8, face_down=found.face_down, rotation=found.rotation)
    for azimuth in (front, right, 2.0):
        back = mounted.frame_azimuth(symmetry.azimuth(azimuth))
        assert abs(wrap_angle(back - azimuth)) < 1e-3
    assert found.deviation <= math.radians(12) + 1e-3


@given(st.floats(-math.pi, math.pi), st.booleans())
def test_other_rotations_are_as_measured(uma8, angle, mirrored):
    def measured(azimuth):
        return (-azimuth if mirrored else azimuth) + angle

    # Without two microphones nothing is symmetric any more.
    positions = uma8.positions[:4] * [1, 1.3, 1]
    array = replace(uma8, positions=positions, labels=uma8.labels[:4], channels=(1, 2, 3, 4))
    found = find_orientation(array, measured(0.0), measured(-math.pi / 2))
    assert found.face_down == mirrored
    mounted = replace(array, face_down=mirrored, rotation=found.rotation)
    error = abs(wrap_angle(mounted.frame_azimuth(measured(1.0)) - 1.0))
    assert error < (1e-6 if not found.regular else math.radians(25) + 1e-6)


@pytest.mark.parametrize('right', [0.0, 20.0, 180.0, -30.0])
def test_directions_that_are_no_quarter_turn_apart(uma8, right):
    with pytest.raises(AudioError, match='instead of about 90'):
        find_orientation(uma8, 0.0, math.radians(right))
