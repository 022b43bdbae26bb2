# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Estimates beside talkers, block by block: the table that the metrics of several sources read.

At every block estimates and voiced talkers are matched one to one, as many as lie within 15
degrees of azimuth of each other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
import math

import numpy as np
from pandas import DataFrame

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.decoding import Estimate

from ....data.clips import Clip, Source
from ...methods.inputs import MethodInput
from ...methods.method import DirectionMethod
from ...scenes.blocks import HOP
from ..matching import match

# How far an estimate may be off its talker [rad].
NEAR = math.radians(15)


@dataclass(frozen=True)
class MatchedBlock:
    """The estimates of a method at one block, and the talkers.

    Attributes:
        block: number of the block.
        estimates: in the order of the method.
        talkers: all of them.
        voiced: talkers who speak.
        uncertain: talkers who are neither voiced nor clearly silent.
        pairs: indices of matched estimates and voiced talkers.
    """

    block: int
    estimates: Sequence[Estimate]
    talkers: Sequence[Source]
    voiced: Sequence[Source]
    uncertain: Sequence[Source]
    pairs: Sequence[tuple[int, int]]


# What a file of metrics counts at one block, by column of the table.
BlockCounter = Callable[[MatchedBlock], dict[str, float]]


def count_matches(
    array: MicArray,
    methods: Sequence[DirectionMethod],
    clips: Iterable[tuple[str, Clip]],
    counters: Sequence[BlockCounter],
) -> DataFrame:
    """Let every method answer at the same blocks, and count what is right and wrong.

    Args:
        array: the microphones, with z pointing up.
        methods: to be compared.
        clips: simulated audio and the name of the condition it stands for.
        counters: of the metrics.

    Returns:
        One row per block and method: its `method`, `condition` and `room`; the `time` [s] in the
        clip at which the block ends; the columns of the counters.

    Raises:
        ConfigError: no clip holds a scored block.
    """
    rows = []
    for condition, clip in clips:
        inputs = MethodInput(array, clip)
        for method in methods:
            names = {'method': method.name, 'condition': condition, 'room': clip.room}
            for block, estimates in zip(inputs.blocks, method.estimates(inputs), strict=True):
                row = {**names, 'time': (block + 1) * HOP}
                matched = _matched(clip.sources, block, estimates)
                for counter in counters:
                    row.update(counter(matched))
                rows.append(row)
    if not rows:
        raise ConfigError('nothing to evaluate: no clip is long enough')
    return DataFrame(rows)


def _matched(talkers: Sequence[Source], block: int, estimates: Sequence[Estimate]) -> MatchedBlock:
    voiced = [talker for talker in talkers if talker.voiced[block]]
    uncertain = [t for t in talkers if not (t.voiced[block] or t.is_silent(block))]
    azimuths = np.array([estimate.azimuth for estimate in estimates])
    pairs = match(azimuths, np.array([talker.azimuth[block] for talker in voiced]), NEAR)
    return MatchedBlock(block, estimates, talkers, voiced, uncertain, pairs)
