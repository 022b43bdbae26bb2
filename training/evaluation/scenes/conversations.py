# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Random rooms with two talkers who speak and pause."""

from collections.abc import Iterator
from dataclasses import replace
import math

import numpy as np
from tqdm import tqdm

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.geometry import MicArray, wrap_angle

from ...data.clips import Clip
from ...simulation.corpus import Corpus
from ...simulation.scenes import Place, draw_scene
from ...simulation.simulator import Simulator
from ...splits import ALL_SPLITS
from .blocks import HOP
from .conditions import DIFFICULTIES, at_levels_of, rooms_of

_SEED = 17
# Least distance of the talkers in azimuth [rad], and largest difference of their levels [dB].
_APART, _LEVEL_DB = math.radians(40), 3.0


def conversation_clips(
    array: MicArray, corpus: Corpus, split: str, count: int, engine: str
) -> Iterator[tuple[str, Clip]]:
    """Yield random rooms of every difficulty, with its name: two talkers who speak and pause.

    The talkers are at least 40 degrees apart in azimuth, and their levels differ by at most 3 dB.
    All else is as in `rooms.room_clips`.
    """
    for number, difficulty in enumerate(DIFFICULTIES):
        config = replace(rooms_of(difficulty, array, engine), sources_max=2, separation_deg=0.0)
        simulator = Simulator(array, config, corpus, HOP)
        for room in tqdm(range(count), desc=difficulty.name, unit='clip'):
            rng = np.random.default_rng([_SEED, ALL_SPLITS.index(split), number, room])
            drawn = draw_scene(rng, config, ambiguity_of(array))
            while not _two_apart(drawn.sources):
                drawn = draw_scene(rng, config, ambiguity_of(array))
            first, second = (replace(place, level_db=0.0) for place in drawn.sources)
            second = replace(second, level_db=rng.uniform(-_LEVEL_DB, _LEVEL_DB))
            scene = at_levels_of(
                difficulty, replace(drawn, sources=(first, second), speech='turns')
            )
            yield difficulty.name, simulator.clip(rng, scene, f'{difficulty.name}, room {room}')


def _two_apart(places: tuple[Place, ...]) -> bool:
    if len(places) != 2:
        return False
    first, second = places
    return abs(wrap_angle(first.azimuth - second.azimuth)) >= _APART
