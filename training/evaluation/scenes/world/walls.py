# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One talker between walls of many materials, and arrays beside them."""

from ....simulation.surroundings import (
    hard_floor_and_ceiling,
    hard_walls,
    mixed_walls,
    one_hard_wall,
)
from .phantom_talkers import LARGE_ROOMS, PHANTOM_TALKERS
from .situation import Family, Situation

_GOALS = {'phantoms': 0.02, 'strongest_azimuth_mae_deg': 3.0}
_FLAT = ((5.0, 4.0, 2.2), (10.0, 8.0, 2.5))
_LONG = ((20.0, 6.0, 3.0), (35.0, 10.0, 6.0))

WALLS = Family(
    'One talker between walls of many materials, and beside them',
    (
        Situation('uneven walls', _GOALS, walls=mixed_walls),
        Situation(
            'flat room, hard floor and ceiling',
            {**_GOALS, 'elevation_mae_deg': 6.0},
            size=_FLAT,
            walls=hard_floor_and_ceiling,
        ),
        Situation(
            'long hall with hard walls',
            _GOALS,
            size=_LONG,
            walls=hard_walls,
            distance=(1.0, 4.0),
        ),
        Situation(
            'uneven walls, 5 m away',
            _GOALS,
            size=LARGE_ROOMS,
            walls=mixed_walls,
            distance=(4.8, 5.2),
            elevation_deg=(0.0, 20.0),
        ),
        Situation(
            'uneven walls, turned away: direct sound -12 dB',
            _GOALS,
            walls=mixed_walls,
            direct_db=-12.0,
        ),
        Situation(
            'one hard wall, turned away: direct sound -12 dB',
            _GOALS,
            walls=one_hard_wall,
            direct_db=-12.0,
        ),
        Situation(
            'furniture, turned away: direct sound -12 dB',
            _GOALS,
            furniture=True,
            direct_db=-12.0,
        ),
        Situation(
            'on a table, among furniture',
            _GOALS,
            walls=mixed_walls,
            on_table=True,
            furniture=True,
        ),
        Situation('beside a wall like the others', _GOALS, beside_walls=1),
        Situation('beside one of uneven walls', _GOALS, walls=mixed_walls, beside_walls=1),
        Situation('beside one of hard walls', _GOALS, walls=hard_walls, beside_walls=1),
        Situation('in a corner of uneven walls', _GOALS, walls=mixed_walls, beside_walls=2),
        Situation(
            'beside one of uneven walls, turned away: direct sound -6 dB',
            _GOALS,
            walls=mixed_walls,
            beside_walls=1,
            direct_db=-6.0,
        ),
        Situation(
            'beside one of uneven walls, clipped by 18 dB',
            _GOALS,
            walls=mixed_walls,
            beside_walls=1,
            clipped_db=18.0,
        ),
        Situation(
            'two talkers, beside one of uneven walls',
            {'recall': 0.92, 'spurious_in_speech': 0.02},
            walls=mixed_walls,
            beside_walls=1,
            talkers=2,
            speech='turns',
        ),
    ),
    PHANTOM_TALKERS.metrics,
)
