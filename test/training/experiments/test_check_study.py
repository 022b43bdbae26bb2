# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A few of the checks that the verb makes; the verb itself makes hundreds."""

import pytest

from doa_ros.resources import find_resource
from training.experiments import check_study
from training.experiments.check_study import cases, judged


@pytest.fixture(scope='module')
def board(uma8):
    return find_resource('arrays', 'uma8'), uma8.unmounted()


def test_the_cases_are_all_orders_swaps_and_mirrored_boards(uma8):
    names = [case.name for case in cases(uma8)]
    assert [names.count(name) for name in dict.fromkeys(names)] == [12, 6, 15]


@pytest.mark.parametrize(
    'number', [1, *(pytest.param(number, marks=pytest.mark.nightly) for number in (4, 16, 20))]
)
def test_an_order_is_recognised(board, uma8, number):
    assert not judged(*board, list(cases(uma8))[number], number)


@pytest.mark.nightly
def test_a_wrong_array_file_is_not_taken_for_right(board, uma8, monkeypatch):
    # The check hears another order than the one it is judged by.
    every, simulated = list(cases(uma8)), check_study.simulated
    monkeypatch.setattr(
        check_study, 'simulated', lambda array, case, room: simulated(array, every[3], room)
    )
    assert not judged(*board, every[3], 3)
    assert 'mm away' in judged(*board, every[5], 3)
