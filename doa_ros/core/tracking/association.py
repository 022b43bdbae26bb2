# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which detection is whose: gating and global nearest neighbour association.

S. Blackman and R. Popoli, "Design and Analysis of Modern Tracking Systems", Artech House, 1999,
chapter 6.
"""

from collections.abc import Sequence
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


class Associator:
    """Assigns observations to talkers.

    Args:
        gate_sigma: largest distance of an observation from its talker, in standard deviations.

    Attributes:
        gate: largest squared Mahalanobis distance [1].
    """

    def __init__(self, gate_sigma: float):
        self.gate = gate_sigma**2

    def assign(
        self,
        talkers: Sequence[Talker],
        innovations: Sequence[Sequence[Innovation]],
        stamp: int,
    ) -> dict[int, int]:
        """Return for each talker that is detected, by number, the number of its observation.

        Args:
            talkers: those that are tracked.
            innovations: of each talker, by each observation.
            stamp: of the window [ns].
        """
        costs = [
            self._costs(talker, row, stamp)
            for talker, row in zip(talkers, innovations, strict=True)
        ]
        near = [
            (number, column)
            for number, row in enumerate(costs)
            for column, cost in enumerate(row)
            if cost < _BEYOND_GATE_COST
        ]
        if len({row for row, _ in near}) == len({column for _, column in near}) == len(near):
            # No talker and no observation has a choice.
            return dict(near)
        return _cheapest(costs)

    def _costs(self, talker: Talker, innovations: Sequence[Innovation], stamp: int) -> list[float]:
        """Return what it costs to take each observation for that of a talker."""
        # The determinant of the covariance: where a talker may be anywhere, it is hardly here.
        least = math.log(1 + talker.east.p_aa / _TYPICAL_STDDEV**2)
        if not (talker.id and talker.is_speaking(stamp)):
            least += _NOT_SPEAKING_COST
        return [
            _BEYOND_GATE_COST
            if innovation.distance > self.gate and innovation.arc > PEAK_SEPARATION
            else min(min(innovation.distance, self.gate) + least, _MISS_COST - 1)
            for innovation in innovations
        ]


def _cheapest(costs: list[list[float]]) -> dict[int, int]:
    """Return the assignment of the least cost as a whole, where each talker may be missed."""
    talkers, observations = len(costs), len(costs[0])
    misses = [
        [_MISS_COST if column == row else _BEYOND_GATE_COST for column in range(talkers)]
        for row in range(talkers)
    ]
    rows, columns = linear_sum_assignment([a + b for a, b in zip(costs, misses, strict=True)])
    return {
        row: column
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if column < observations
    }


def unresolved(
    talkers: Sequence[Talker],
    innovations: Sequence[Sequence[Innovation]],
    assignment: dict[int, int],
    stamp: int,
    timeout: int,
) -> set[int]:
    """Return the talkers that share one detection with another talker, by their numbers.

    Such talkers are too near to each other for two detections. The one detection may be of either.

    Args:
        talkers, innovations, stamp: as in `Associator.assign`.
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
            if (
                talkers[other].id
                and talkers[other].is_speaking(stamp)
                and innovations[number][column].arc < PEAK_SEPARATION
            ):
                shared |= {number, other}
    return shared
