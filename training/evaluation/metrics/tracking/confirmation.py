# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How soon a talker has a track."""

import math

import numpy as np

from ...scenes.blocks import FIRST_BLOCK, HOP
from ..metric import ratio_metric
from .identity import scenes_with_identities
from .matches import TrackedClip

# A track is to be confirmed so long after its talker is first expected [s].
_PROMPT = 0.3
# Delays are multiples of HOP but for a rounding error [s].
_ROUNDING = 1e-9


def count_confirmed(tracked: TrackedClip) -> dict[str, float]:
    """Return how many talkers have a track, and how soon; NaN where tracks have no identity.

    - confirmed: how many talkers have a track some time
    - prompt: how many have it within 0.3 s of the first block at which they are expected
    - delay: sum of the times until then [s]
    """
    if not tracked.has_identities:
        return dict.fromkeys(('confirmed', 'prompt', 'delay'), math.nan)
    first_found: dict[int, int] = {}
    for block in tracked.blocks:
        for _, k in block.pairs:
            first_found.setdefault(block.voiced[k], block.block)
    sources = tracked.clip.sources
    delays = [
        (block - max(FIRST_BLOCK, int(np.argmax(sources[talker].voiced)))) * HOP
        for talker, block in first_found.items()
    ]
    return {
        'confirmed': float(len(delays)),
        'prompt': float(sum(delay <= _PROMPT + _ROUNDING for delay in delays)),
        'delay': float(sum(delays)),
    }


PROMPT = ratio_metric(
    'prompt',
    'confirmed in 0.3 s',
    lambda m: m['prompt'],
    lambda m: scenes_with_identities(m) * m['talkers'],
)
DELAY = ratio_metric(
    'delay', 'confirmed after [s]', lambda m: m['delay'], lambda m: m['confirmed'].fillna(0)
)
