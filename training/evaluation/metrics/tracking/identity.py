# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Identity: whether a talker keeps the same track.

It counts at blocks where all other talkers are 45 degrees or more away. Nearer to each other,
nobody can say whose track it is.
"""

from collections.abc import Sequence
import math

import numpy as np
from pandas import DataFrame

from doa_ros.core.geometry import wrap_angle

from ....data.clips import Source
from ..metric import ratio_metric
from .matches import TrackedClip

# How far all other talkers are away where identity counts [rad].
_CLEAR = math.radians(45)
# Share of the blocks that count in which a talker has to have a track.
_TRACKED = 0.5
_COLUMNS = ('changes', 'met', 'through', 'kept')


def count_identities(tracked: TrackedClip) -> dict[str, float]:
    """Return how talkers keep their tracks; NaN where tracks have no identity.

    - changes: how often a talker gets another track
    - met: 1 where two talkers meet
    - through: 1 where both have the same track just before and after they meet
    - kept: 1 where all talkers are tracked, each by one and the same track all the time
    """
    if not tracked.has_identities:
        return dict.fromkeys(_COLUMNS, math.nan)
    sources = tracked.clip.sources
    meeting = _meeting(sources)
    # Of every talker the track before they meet and afterwards, block by block; 0 for none.
    before: list[list[int]] = [[] for _ in sources]
    after: list[list[int]] = [[] for _ in sources]
    for block in tracked.blocks:
        tracks = {block.voiced[k]: block.numbers[i] for i, k in block.pairs}
        for talker in block.voiced:
            if _is_clear(sources, talker, block.block):
                side = before if block.block < meeting else after
                side[talker].append(tracks.get(talker, 0))
    through = meeting > 0 and all(map(_is_same_track, before, after))
    whole = [early + late for early, late in zip(before, after, strict=True)]
    return {
        'changes': float(sum(map(_changes, whole))),
        'met': float(meeting > 0),
        'through': float(through),
        'kept': float(bool(whole) and all(map(_is_kept, whole))),
    }


def _meeting(sources: Sequence[Source]) -> int:
    """Return the block in which two talkers are nearest to each other; 0 unless there are two."""
    if len(sources) != 2:
        return 0
    return int(np.argmin(np.abs(wrap_angle(sources[0].azimuth - sources[1].azimuth))))


def _is_clear(sources: Sequence[Source], talker: int, block: int) -> bool:
    """Return whether a track near one talker cannot be that of another."""
    own = sources[talker].azimuth[block]
    others = [s.azimuth[block] for k, s in enumerate(sources) if k != talker]
    return all(abs(wrap_angle(own - other)) >= _CLEAR for other in others)


def _changes(tracks: list[int]) -> int:
    tracked = [number for number in tracks if number]
    return sum(a != b for a, b in zip(tracked, tracked[1:], strict=False))


def _is_same_track(before: list[int], after: list[int]) -> bool:
    """Return whether the last track before the meeting is the first one after it."""
    earlier = [number for number in before if number]
    later = [number for number in after if number]
    return bool(earlier and later) and earlier[-1] == later[0]


def _is_kept(tracks: list[int]) -> bool:
    tracked = [number for number in tracks if number]
    return len(set(tracked)) == 1 and len(tracked) >= _TRACKED * len(tracks)


def scenes_with_identities(matches: DataFrame) -> np.ndarray:
    """Return 1 for clips with talkers and tracks of an identity, 0 for others."""
    return (matches['kept'].notna() & (matches['talkers'] > 0)).astype(float).to_numpy()


THROUGH = ratio_metric(
    'through',
    'identity kept through the meeting',
    lambda m: m['through'].fillna(0),
    lambda m: m['met'].fillna(0),
)
KEPT = ratio_metric(
    'kept', 'identity kept all the time', lambda m: m['kept'], scenes_with_identities
)
CHANGES = ratio_metric(
    'changes', 'changes of identity per scene', lambda m: m['changes'], scenes_with_identities
)
