# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Random walls, and what stands between them."""

import numpy as np
import pytest

from doa_ros.simulation.acoustics import Room
from training.simulation.surroundings import (
    beside_walls,
    furniture,
    hard_floor_and_ceiling,
    hard_walls,
    mixed_walls,
    one_hard_wall,
    random_room,
    table_top,
)

SIZE = np.array([6.0, 5.0, 2.7])
CENTRE = np.array([3.0, 2.0, 0.8])


def hardness(walls):
    return [wall.reflection[1] ** 2 > 0.9 for wall in walls]


def test_some_walls_are_hard_and_others_soft():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert sum(hardness(one_hard_wall(rng))) == 1
        *_, floor, ceiling = hardness(hard_floor_and_ceiling(rng))
        assert floor and ceiling
        assert all(hardness(hard_walls(rng))[:4])


def test_rooms_of_all_kinds_of_walls_are_as_rooms_are():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        for walls in (mixed_walls, one_hard_wall, hard_floor_and_ceiling, hard_walls):
            assert 0.1 < random_room(rng, SIZE, walls).rt60 < 2.0


@pytest.mark.parametrize('count', [1, 2])
def test_an_array_is_beside_as_many_walls_as_it_should_be(count):
    for seed in range(20):
        moved = beside_walls(np.random.default_rng(seed), SIZE, CENTRE, count, (0.1, 0.4))
        gaps = np.minimum(moved, SIZE - moved)[:2]
        assert np.sum((gaps >= 0.1) & (gaps <= 0.4)) == count
        assert moved[2] == CENTRE[2] and Room(SIZE, 0.4).contains(moved)


def test_an_array_sees_everybody_above_in_its_table():
    for seed in range(20):
        table = table_top(np.random.default_rng(seed), CENTRE)
        image = table.mirrored(CENTRE + [0.2, 0.3, 1.0], CENTRE)
        assert image is not None and image[2] < CENTRE[2] - 1.0


def test_furniture_reflects_from_many_sides():
    directions = []
    for seed in range(40):
        for surface in furniture(np.random.default_rng(seed), SIZE, CENTRE):
            image = surface.mirrored(CENTRE + [0.5, 1.0, 0.2], CENTRE)
            if image is not None:
                directions.append(np.arctan2(*(image - CENTRE)[1::-1]))
    assert len(directions) > 10 and np.std(directions) > 1.0
