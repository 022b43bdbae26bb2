# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How short sounds are answered: one estimate each, soon and right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import WITHIN, Estimate

from ...data.clips import Source
from ..scenes.blocks import HOP

# An estimate counts so long after the sound has begun [s].
_SOON = 0.15


@dataclass(frozen=True)
class ShortSoundScore:
    """How the short sounds of one condition were answered.

    Attributes:
        count: how many there were.
        answered: share with an estimate within 150 ms.
        right: share whose last estimate in that time is within 10 degrees of azimuth.
    """

    count: int
    answered: float
    right: float


def score_short_sounds(
    heard: Iterable[tuple[Source, dict[int, Sequence[Estimate]]]], least: float
) -> ShortSoundScore:
    """Return how short sounds were answered.

    Args:
        heard: the one source of each clip, and the estimates by block, the best one first.
        least: confidence from which on an estimate is given.
    """
    answered, right = [], []
    for source, estimates in heard:
        before = np.concatenate([[False], source.voiced[:-1]])
        beginnings = np.flatnonzero(source.voiced & ~before)
        for begin in beginnings:
            blocks = range(begin, begin + round(_SOON / HOP))
            given = [estimates[b][0] for b in blocks if estimates.get(b)]
            given = [estimate for estimate in given if estimate.confidence >= least]
            answered.append(bool(given))
            azimuth = source.azimuth[begin]
            right.append(bool(given) and abs(wrap_angle(given[-1].azimuth - azimuth)) <= WITHIN)
    return ShortSoundScore(len(right), float(np.mean(answered)), float(np.mean(right)))
