# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How short sounds are answered: one estimate each, soon and right."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import WITHIN, Estimate

from ...data.clips import Source
from .frames import HOP

# An estimate counts so long after the sound has begun [s].
_SOON = 0.15


@dataclass(frozen=True)
class ClapScore:
    """How claps of one condition were answered.

    Attributes:
        claps: how many there were.
        answered: share with an estimate within 150 ms.
        right: share whose last estimate in that time is within 10 degrees of azimuth.
    """

    claps: int
    answered: float
    right: float


def score_claps(heard: Iterable[tuple[Source, dict[int, Estimate]]], least: float) -> ClapScore:
    """Return how claps were answered.

    Args:
        heard: per clip the one source, of claps, and the best estimate by block.
        least: confidence from which on an estimate is given.
    """
    answered, right = [], []
    for source, estimates in heard:
        before = np.concatenate([[False], source.voiced[:-1]])
        beginnings = np.flatnonzero(source.voiced & ~before)
        for begin in beginnings:
            blocks = range(begin, begin + round(_SOON / HOP))
            given = [estimates[b] for b in blocks if b in estimates]
            given = [estimate for estimate in given if estimate.confidence >= least]
            answered.append(bool(given))
            azimuth = source.azimuth[begin]
            right.append(bool(given) and abs(wrap_angle(given[-1].azimuth - azimuth)) <= WITHIN)
    return ClapScore(len(right), float(np.mean(answered)), float(np.mean(right)))
