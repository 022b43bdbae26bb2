# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The blocks that time is counted in, and which of them are scored."""

from doa_ros.core.features.config import FeatureConfig

from ...data.clips import Clip

# Length of the blocks of all clips, and the hop of all features [s].
HOP = FeatureConfig.hop
# From this block on, a window of 0.5 s is full.
FIRST_BLOCK = 9
# Baselines are slow: directions are scored every 0.25 s.
_EVERY = 5


def scored_blocks(clip: Clip) -> list[int]:
    """Return the blocks of a clip at whose ends directions are scored."""
    return list(range(FIRST_BLOCK, len(clip.silent), _EVERY))
