# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""In which blocks a sound is heard, and an estimate of it expected."""

import numpy as np

from doa_ros.simulation.labels import (
    active_blocks,
    brief_blocks,
    silent_blocks,
    voiced_blocks,
)


def test_active_blocks_are_within_22_db_of_the_loudest():
    levels = 10 ** (np.array([0, -10, -21, -23, -60, -200]) / 20)
    direct = np.repeat(levels, 100) * np.tile([1, -1], 300)
    expected = [True, True, True, False, False, False]
    assert active_blocks(direct, 100).tolist() == expected
    assert active_blocks(direct * 1e-4, 100).tolist() == expected


def test_incomplete_block_at_the_end_is_left_out():
    assert len(active_blocks(np.ones(250), 100)) == 2


def test_silence_is_never_active():
    assert not active_blocks(np.zeros(500), 100).any()
    assert active_blocks(np.zeros(0), 100).shape == (0,)


def test_a_short_sound_is_expected_for_a_fifth_of_a_second():
    active = np.array([0, 1, 0, 0, 0, 0, 0, 1], dtype=bool)
    assert brief_blocks(active, 0.05).tolist() == [False, *[True] * 4, False, False, True]


def test_voiced_is_four_of_the_last_six():
    active = np.array([1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0], dtype=bool)
    expected = [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1]
    assert voiced_blocks(active).tolist() == [bool(x) for x in expected]


def test_silent_is_nothing_in_the_last_second():
    active = np.zeros(60, dtype=bool)
    active[10] = True
    silent = silent_blocks(active, 0.05)
    assert silent[:10].all()
    assert not silent[10:30].any()
    assert silent[30:].all()


def test_no_block_is_voiced_and_silent():
    active = np.random.default_rng(1).random(500) < 0.2
    assert not (voiced_blocks(active) & silent_blocks(active, 0.05)).any()
