# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Random arrays."""

import math

import numpy as np
from scipy.spatial.distance import pdist

from doa_ros.core.ambiguity import HORIZONTAL, MirrorPlane, NoAmbiguity, ambiguity_of
from training.simulation.arrays import draw_array


def test_all_tell_azimuth_and_elevation_and_are_of_a_size():
    arrays = [draw_array(np.random.default_rng(seed), 16000) for seed in range(200)]
    kinds = [ambiguity_of(array) for array in arrays]
    for array, kind in zip(arrays, kinds, strict=True):
        assert not math.isnan(kind.elevation_min)
        assert 3 <= len(array.positions) <= 16
        assert pdist(array.positions).min() > 0.0099
        assert 0.0199 < array.max_delay * array.speed_of_sound < 0.1801
        np.testing.assert_allclose(array.positions.mean(axis=0), 0, atol=1e-9)
    # Flat ones, some of them tilted, and others.
    assert sum(kind is HORIZONTAL for kind in kinds) > 60
    assert sum(isinstance(kind, NoAmbiguity) for kind in kinds) > 30
    assert sum(isinstance(kind, MirrorPlane) and kind is not HORIZONTAL for kind in kinds) > 3
    assert len({len(array.positions) for array in arrays}) > 5


def test_the_same_seed_draws_the_same():
    one, other = (draw_array(np.random.default_rng(5), 16000) for _ in range(2))
    np.testing.assert_array_equal(one.positions, other.positions)
