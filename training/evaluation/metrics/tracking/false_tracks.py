# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""False tracks: those that are never near a talker who is heard; and output in silence."""

import math

import numpy as np

from doa_ros.core.geometry import wrap_angle

from ...scenes.blocks import FIRST_BLOCK
from ..metric import ratio_metric
from .matches import NEAR, TrackedClip


def count_false(tracked: TrackedClip) -> dict[str, float]:
    """Return the number of `false` tracks; NaN where tracks have no identity."""
    if not tracked.has_identities:
        return {'false': math.nan}
    numbers: set[int] = set()
    near_talkers: set[int] = set()
    for block in tracked.blocks:
        numbers |= set(block.numbers)
        sources = tracked.clip.sources
        heard = [s.azimuth[block.block] for s in sources if not s.is_silent(block.block)]
        near = np.abs(wrap_angle(np.subtract.outer(block.azimuths, heard))) <= NEAR
        near_talkers |= {n for n, row in zip(block.numbers, near, strict=True) if row.any()}
    return {'false': float(len(numbers - near_talkers))}


def count_answered_silence(tracked: TrackedClip) -> dict[str, float]:
    """Return the number of `silent` blocks, and how many of them are `answered` at all."""
    silent = tracked.clip.silent
    return {
        'answered': sum(bool(silent[b.block] and b.numbers) for b in tracked.blocks),
        'silent': int(np.count_nonzero(silent[FIRST_BLOCK:])),
    }


FALSE_TRACKS = ratio_metric(
    'false_tracks',
    'false tracks in 10 min',
    lambda m: 10 * m['false'],
    lambda m: np.where(m['false'].isna(), 0, m['minutes']),
)
SILENCE_ANSWERED = ratio_metric(
    'silence_answered', 'silence answered', lambda m: m['answered'], lambda m: m['silent']
)
