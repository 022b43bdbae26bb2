# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which detection is whose: gating and global nearest neighbour association.

S. Blackman and R. Popoli, "Design and Analysis of Modern Tracking Systems", Artech House, 1999,
chapter 6.
"""

from collections.abc import Mapping, Sequence
import math

from scipy.optimize import linear_sum_assignment

from doa_ros.core.directions import PEAK_SEPARATION
from doa_ros.core.tracking.talker import Innovation, Talker

# Costs are squared distances in standard deviations. They decide only where talkers compete for
# detections, so that only the order of these constants matters.
# A talker that is not speaking, or not confirmed, must be nearer than one that is.
_NOT_SPEAKING_COST = 12.0
# To miss a talker costs more than any detection within the gate, but less than one beyond it.
_MISS_COST = 30.0
_BEYOND_GATE_COST = 1e6
# The standard deviation of a typical track, to which that of others is compared [rad].
_TYPICAL_STDDEV = math.radians(5)


def assign(
    talkers: Sequence[Talker],
    innovations: Sequence[Mapping[int, Innovation]],
    gate: float,
    stamp: int,
) -> dict[int, int]:
    """Return for each talker that is detected, by number, the number of its observation.

    Args:
        talkers: those that are tracked.
        innovations: of each talker, by the numbers of the observations that may be its own.
        gate: largest squared Mahalanobis distance that counts [1].
        stamp: of the window [ns].
    """
    nearest = {
        number: min(row, key=lambda column: row[column].distance)
        for number, row in enumerate(innovations)
        if row
    }
    if len(set(nearest.values())) == len(nearest):
        # What is the least for each talker is the least as a whole.
        return nearest
    costs = [
        _costs(talker, row, gate, stamp) for talker, row in zip(talkers, innovations, strict=True)
    ]
    return _cheapest(costs)


def _costs(
    talker: Talker, innovations: Mapping[int, Innovation], gate: float, stamp: int
) -> dict[int, float]:
    """Return what it costs to take each observation for that of a talker."""
    # The determinant of the covariance: where a talker may be anywhere, it is hardly here.
    least = math.log(1 + talker.east.p_aa / _TYPICAL_STDDEV**2)
    if not (talker.id and talker.is_speaking(stamp)):
        least += _NOT_SPEAKING_COST
    return {
        column: min(min(innovation.distance, gate) + least, _MISS_COST - 1)
        for column, innovation in innovations.items()
    }


def _cheapest(costs: Sequence[Mapping[int, float]]) -> dict[int, int]:
    """Return the assignment of the least cost as a whole, where each talker may be missed."""
    observations = 1 + max(max(row, default=0) for row in costs)
    matrix = [
        [row.get(column, _BEYOND_GATE_COST) for column in range(observations)]
        + [_MISS_COST if other == number else _BEYOND_GATE_COST for other in range(len(costs))]
        for number, row in enumerate(costs)
    ]
    rows, columns = linear_sum_assignment(matrix)
    return {
        row: column
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if column < observations
    }


def unresolved(
    talkers: Sequence[Talker],
    innovations: Sequence[Mapping[int, Innovation]],
    assignment: dict[int, int],
    stamp: int,
    timeout: int,
) -> set[int]:
    """Return the talkers that share one detection with another talker, by their numbers.

    Such talkers are too near to each other for two detections. The one detection may be of either.

    Args:
        talkers, innovations, stamp: as in `assign`.
        assignment: its result.
        timeout: for how long a talker may go without a detection of its own [ns].
    """
    shared: set[int] = set()
    for number, talker in enumerate(talkers):
        if number in assignment or not talker.id or not talker.is_speaking(stamp):
            continue
        if talker.undetected_for(stamp) > timeout:
            continue
        for other, column in assignment.items():
            innovation = innovations[number].get(column)
            if (
                innovation is not None
                and innovation.arc < PEAK_SEPARATION
                and talkers[other].id
                and talkers[other].is_speaking(stamp)
            ):
                shared |= {number, other}
    return shared
