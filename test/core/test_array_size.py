# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How uncertain elevations are because the size of an array is."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.array_size import SIZE_STDDEV
from doa_ros.core.geometry import direction_of, unit_vector

_SQUARE = 0.03 * np.array([[1, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]])


@pytest.mark.parametrize('normal', [(0, 0, 1), (1, 0, 0), (1, 0, 1), (1, -1, 2)])
def test_elevations_in_front_of_a_plane_are_as_uncertain_as_its_size(make_array, normal):
    turn = Rotation.align_vectors([normal], [[0, 0, 1]])[0]
    array = make_array(positions=turn.apply(_SQUARE))
    ambiguity = ambiguity_of(array)
    places = np.random.default_rng(4).uniform([-3, -1.4], [3, 1.4], (40, 2))
    for azimuth, elevation in np.transpose(ambiguity.fold(*places.T)):
        vector = unit_vector(azimuth, elevation)
        in_plane = vector - (vector @ ambiguity.axis) * ambiguity.axis
        if (1 + SIZE_STDDEV) * np.linalg.norm(in_plane) >= 1:
            continue
        alike = []
        for scale in (1 - SIZE_STDDEV, 1 + SIZE_STDDEV):
            rest = math.sqrt(1 - scale**2 * (in_plane @ in_plane))
            alike.append(scale * in_plane + rest * ambiguity.axis)
            # It has the delays that an array of another size hears.
            np.testing.assert_allclose(
                array.tdoa(alike[-1]), scale * array.tdoa(vector), atol=1e-12
            )
        low, high = sorted(direction_of(alike)[1])
        stddev = ambiguity.elevation_stddev(azimuth, elevation)
        assert stddev == pytest.approx((high - low) / 2, abs=1e-9)


def test_an_uncertain_size_matters_most_near_the_horizon(uma8, make_array, tetrahedron):
    ambiguity = ambiguity_of(uma8)
    low, middle, top = (ambiguity.elevation_stddev(1.0, e) for e in (0.0, 0.5, math.pi / 2))
    assert top == pytest.approx(0, abs=1e-9)
    assert middle == pytest.approx(SIZE_STDDEV / math.tan(0.5), rel=0.05)
    # Bounded, where the derivative is not.
    assert low == pytest.approx(math.acos(1 - SIZE_STDDEV) / 2)
    assert math.isnan(ambiguity.elevation_stddev(1.0, math.nan))
    # What fills space hears how large it seems, and a line hears no elevation.
    line = make_array(positions=[[0, y, 0] for y in (-0.06, -0.02, 0.05)])
    assert ambiguity_of(tetrahedron).elevation_stddev(1.0, 0.1) == 0
    assert ambiguity_of(line).elevation_stddev(1.0, math.nan) == 0
