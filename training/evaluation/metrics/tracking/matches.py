# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tracks beside talkers, clip by clip: the table that the metrics of tracking read.

At every block, tracks and voiced talkers are matched one to one, as many as lie within 30 degrees
of azimuth of each other (K. Bernardin and R. Stiefelhagen, "Evaluating multiple object tracking
performance", EURASIP J. Image and Video Processing, 2008).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
import math

import numpy as np
from pandas import DataFrame

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray

from ....data.clips import Clip, Source
from ...methods.inputs import MethodInput
from ...methods.method import TrackingMethod, Tracks
from ...scenes.blocks import FIRST_BLOCK, HOP
from ..matching import match

# How far a track may be off its talker [rad].
NEAR = math.radians(30)


@dataclass(frozen=True)
class TrackedBlock:
    """The tracks of a method at one block, and the talkers.

    Attributes:
        block: number of the block.
        numbers: of the tracks.
        azimuths: of the tracks [rad], shape (tracks,).
        voiced: numbers of the talkers who speak.
        true_azimuths: of these talkers [rad], shape (voiced,).
        pairs: indices of matched tracks and voiced talkers.
    """

    block: int
    numbers: list[int]
    azimuths: np.ndarray
    voiced: list[int]
    true_azimuths: np.ndarray
    pairs: list[tuple[int, int]]


@dataclass(frozen=True)
class TrackedClip:
    """A clip and the tracks of a method in it.

    Attributes:
        clip: the talkers and what else is known.
        has_identities: whether the number of a track stands for one talker.
        blocks: from FIRST_BLOCK on.
    """

    clip: Clip
    has_identities: bool
    blocks: list[TrackedBlock]


# What a file of metrics counts in one clip, by column of the table.
ClipCounter = Callable[[TrackedClip], dict[str, float]]


@dataclass(frozen=True)
class Trace:
    """A clip and the tracks of a method in it, for plots."""

    condition: str
    method: str
    sources: tuple[Source, ...]
    tracks: list[Tracks]


def count_matches(
    array: MicArray,
    methods: Sequence[TrackingMethod],
    clips: Iterable[tuple[str, Clip]],
    counters: Sequence[ClipCounter],
    traced: int,
) -> tuple[DataFrame, list[Trace]]:
    """Let every method track the talkers of the same clips, and count what is right and wrong.

    Args:
        array: the microphones, with z pointing up.
        methods: to be compared.
        clips: simulated audio and the name of the condition it stands for.
        counters: of the metrics.
        traced: how many clips of every condition are traced: the first ones.

    Returns:
        One row per clip and method: its `method`, `condition` and `room`; its length in `minutes`;
        the number of `talkers`; the columns of the counters. And the traces.

    Raises:
        ConfigError: there is no clip.
    """
    rows, traces = [], []
    seen: dict[tuple[str, str], int] = {}
    for condition, clip in clips:
        inputs = MethodInput(array, clip)
        for method in methods:
            tracks = method.tracks(inputs)
            tracked = TrackedClip(clip, method.has_identities, _matched(clip, tracks))
            row: dict[str, str | float] = {
                'method': method.name,
                'condition': condition,
                'room': clip.room,
                'minutes': inputs.block_count * HOP / 60,
                'talkers': len(clip.sources),
            }
            for counter in counters:
                row |= counter(tracked)
            rows.append(row)
            key = condition, method.name
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= traced:
                traces.append(Trace(condition, method.name, clip.sources, tracks))
    if not rows:
        raise ConfigError('nothing to evaluate: there is no clip')
    return DataFrame(rows), traces


def _matched(clip: Clip, tracks: Sequence[Tracks]) -> list[TrackedBlock]:
    blocks = []
    for block in range(FIRST_BLOCK, len(clip.silent)):
        azimuths = np.array([azimuth for _, azimuth in tracks[block]])
        voiced = [k for k, source in enumerate(clip.sources) if source.voiced[block]]
        true_azimuths = np.array([clip.sources[k].azimuth[block] for k in voiced])
        blocks.append(
            TrackedBlock(
                block,
                [number for number, _ in tracks[block]],
                azimuths,
                voiced,
                true_azimuths,
                match(azimuths, true_azimuths, NEAR),
            )
        )
    return blocks
