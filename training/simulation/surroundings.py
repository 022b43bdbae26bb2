# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What random rooms are made of, and what stands in them."""

from collections.abc import Callable, Sequence
import math

import numpy as np

from doa_ros.simulation.acoustics import Reflector, Room
from doa_ros.simulation.materials import (
    ACOUSTIC_PLASTER,
    BRICKWORK,
    CARPET,
    CEILING_TILES,
    CURTAINS,
    GLASS,
    LIGHT_CURTAINS,
    LINOLEUM,
    PLASTERBOARD,
    PLASTERBOARD_CEILING,
    ROUGH_PLASTER,
    SMOOTH_CONCRETE,
    THIN_CARPET,
    TILES,
    UPHOLSTERY,
    WOODEN_FLOOR,
    WOODEN_LINING,
    Material,
)

_HARD = GLASS, SMOOTH_CONCRETE, BRICKWORK, ROUGH_PLASTER, PLASTERBOARD, TILES
_SOFT = CURTAINS, LIGHT_CURTAINS, ACOUSTIC_PLASTER, UPHOLSTERY, WOODEN_LINING
_HARD_FLOORS, _SOFT_FLOORS = (LINOLEUM, TILES, WOODEN_FLOOR), (CARPET, THIN_CARPET)
_HARD_CEILINGS = PLASTERBOARD_CEILING, SMOOTH_CONCRETE, ROUGH_PLASTER
_SOFT_CEILINGS = CEILING_TILES, ACOUSTIC_PLASTER
# Share of what is reflected that goes in all directions: of bare walls, and of shelves.
_SCATTERING = 0.05, 0.3

Walls = Callable[[np.random.Generator], tuple[Material, ...]]
"""Draws the walls of a room, in the order of `Room`."""


def random_room(rng: np.random.Generator, size: np.ndarray, walls: Walls) -> Room:
    """Return a room of a size [m], shape (3,), with random walls."""
    return Room.of_materials(size, walls(rng), rng.uniform(*_SCATTERING))


def mixed_walls(rng: np.random.Generator) -> tuple[Material, ...]:
    """Return walls, floor and ceiling each hard or soft as it comes."""
    upright = [_one(rng, _HARD if rng.random() < 0.6 else _SOFT) for _ in range(4)]
    floor = _one(rng, _HARD_FLOORS if rng.random() < 0.5 else _SOFT_FLOORS)
    return *upright, floor, _one(rng, _HARD_CEILINGS if rng.random() < 0.5 else _SOFT_CEILINGS)


def one_hard_wall(rng: np.random.Generator) -> tuple[Material, ...]:
    """Return a wall like a window or of concrete, and all else soft."""
    hard = int(rng.integers(4))
    upright = [_one(rng, _HARD[:3] if k == hard else _SOFT) for k in range(4)]
    return *upright, _one(rng, _SOFT_FLOORS), _one(rng, _SOFT_CEILINGS)


def hard_floor_and_ceiling(rng: np.random.Generator) -> tuple[Material, ...]:
    """Return soft walls between a hard floor and a hard ceiling."""
    upright = [_one(rng, _SOFT) for _ in range(4)]
    return *upright, _one(rng, _HARD_FLOORS), _one(rng, _HARD_CEILINGS)


def hard_walls(rng: np.random.Generator) -> tuple[Material, ...]:
    """Return hard walls under a soft ceiling, as offices have."""
    upright = [_one(rng, _HARD) for _ in range(4)]
    return *upright, _one(rng, _HARD_FLOORS), _one(rng, _SOFT_CEILINGS)


def beside_walls(
    rng: np.random.Generator,
    size: np.ndarray,
    centre: np.ndarray,
    count: int,
    gap: tuple[float, float],
) -> np.ndarray:
    """Return a position of the array [m], shape (3,), moved beside a wall, or two in a corner.

    Args:
        rng: source of randomness.
        size: of the room [m], shape (3,).
        centre: where it would be otherwise [m], shape (3,).
        count: of walls.
        gap: least and largest distance from each of them [m].
    """
    moved = centre.copy()
    for axis in rng.permutation(2)[:count]:
        away = rng.uniform(*gap)
        moved[axis] = away if rng.random() < 0.5 else size[axis] - away
    return moved


def table_top(rng: np.random.Generator, centre: np.ndarray) -> Reflector:
    """Return the top of the table that an array at a position [m], shape (3,), lies on."""
    radius = rng.uniform(0.4, 0.9)
    angle, off = rng.uniform(-np.pi, np.pi), radius * rng.uniform(0, 0.7)
    below = np.array([off * math.cos(angle), off * math.sin(angle), -rng.uniform(0.02, 0.06)])
    return Reflector(centre + below, np.array([0.0, 0.0, 1.0]), radius, rng.uniform(0.85, 0.97))


def furniture(
    rng: np.random.Generator, size: np.ndarray, centre: np.ndarray
) -> tuple[Reflector, ...]:
    """Return upright surfaces around an array, such as screens, cupboards and boards.

    Args:
        rng: source of randomness.
        size: of the room [m], shape (3,).
        centre: position of the array [m], shape (3,).
    """
    found = []
    for _ in range(rng.integers(2, 7)):
        place = np.append(rng.uniform(0.2, size[:2] - 0.2), centre[2] + rng.uniform(-0.3, 0.5))
        # They face the array more or less: others reflect nothing to it.
        facing = math.atan2(*(centre - place)[1::-1]) + rng.normal(0, 0.5)
        normal = np.array([math.cos(facing), math.sin(facing), 0.0])
        found.append(Reflector(place, normal, rng.uniform(0.3, 0.8), rng.uniform(0.7, 0.97)))
    return tuple(found)


def _one(rng: np.random.Generator, materials: Sequence[Material]) -> Material:
    return materials[int(rng.integers(len(materials)))]
