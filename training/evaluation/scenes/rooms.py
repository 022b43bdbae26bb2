# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated clips, the same for everyone who has the same recordings.

Fixed directions in one room are quick. Random rooms have three levels of difficulty, and a talker
or what else `heard` offers. Random scenes are drawn as any settings say.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
import math
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.geometry import MicArray
from doa_ros.resources import config_directory
from doa_ros.simulation.acoustics import Room

from ...data.clips import Clip
from ...sections import SimulateConfig
from ...simulation.corpus import Corpus
from ...simulation.scenes import Place, Scene
from ...simulation.simulator import Simulator
from ...simulation.talkers import TalkersClip
from ...splits import ALL_SPLITS, SPLITS
from .blocks import HOP
from .conditions import ARRAY_ERRORS, CONDITIONS, DIFFICULTIES, at_levels_of, rooms_of
from .heard import SPEECH, Heard

DIRECTIONS = 20
_FIXED_SEED, _DEAD_SEED = 7, 13

AnyClip = TypeVar('AnyClip', Clip, TalkersClip)


def room_clips(
    array: MicArray,
    corpus: Corpus,
    split: str,
    count: int,
    engine: str,
    heard: Heard = SPEECH,
    which: slice = slice(None),
    *,
    size: float = 0.0,
) -> Iterator[tuple[str, Clip]]:
    """Yield random rooms of every difficulty, with its name: 5 s of sound amid 3 s of noise.

    Args:
        array: the microphones.
        corpus: the sounds, at the array's rate.
        split: of the sounds; every split has rooms of its own.
        count: rooms of each difficulty.
        engine: of SimulateConfig.
        heard: what is heard in them.
        which: of the rooms; the others are passed over.
        size: of SimulateConfig.
    """
    # Recorded impulses ring longer than short sounds.
    files = {kind: paths for kind, paths in corpus.files.items() if kind != 'impulse'}
    corpus = replace(corpus, files=files)
    for number, difficulty in enumerate(DIFFICULTIES):
        config = replace(rooms_of(difficulty, array, engine), size=size)
        simulator = Simulator(array, config, corpus, HOP)
        for room in tqdm(range(count)[which], desc=difficulty.name, unit='clip'):
            rng = np.random.default_rng([heard.seed, ALL_SPLITS.index(split), number, room])
            scene = at_levels_of(difficulty, heard.draw(rng, config, ambiguity_of(array)))
            yield difficulty.name, simulator.clip(rng, scene, f'{difficulty.name}, room {room}')


def with_dead_microphones(
    clips: Iterable[tuple[str, AnyClip]], count: int
) -> Iterator[tuple[str, AnyClip]]:
    """Yield the clips with some microphones silent, other ones in each clip.

    They are the same in every run. A microphone that is dead with a smaller count is dead with a
    larger one, too.
    """
    for number, (condition, clip) in enumerate(clips):
        dead = np.random.default_rng([_DEAD_SEED, number]).permutation(clip.audio.shape[1])[:count]
        yield condition, clip.without(dead)


def demo_corpus(rate: int) -> Corpus:
    """Return the recordings that come with the demo scene, at a rate [Hz]."""
    folder = config_directory() / 'scenes'
    files = {'speech': [folder / 'speech.flac'], 'noise': [folder / 'noise.flac']}
    return Corpus(files, rate)


def fixed_clips(
    array: MicArray, corpus: Corpus, numbers: Iterable[int] = range(DIRECTIONS)
) -> Iterator[tuple[str, Clip]]:
    """Yield the directions of every condition, with the condition's name.

    Args:
        array: the microphones.
        corpus: the sounds, at the array's rate.
        numbers: which of the DIRECTIONS; each counts as a room of its own.
    """
    config = replace(ARRAY_ERRORS, sampling_frequency=array.sampling_frequency)
    simulator = Simulator(array, config, corpus, HOP)
    for condition in CONDITIONS:
        for number in tqdm(numbers, desc=condition.name, unit='clip'):
            rng = np.random.default_rng([_FIXED_SEED, number])
            scene = Scene(
                room=Room(np.array([6.0, 5.0, 3.0]), condition.rt60),
                centre=np.array([2.8, 2.3, 1.0]),
                heading=rng.uniform(-math.pi, math.pi),
                sources=(
                    Place(
                        # The golden angle spreads any number of directions evenly.
                        azimuth=math.remainder(number * math.pi * (3 - math.sqrt(5)), 2 * math.pi),
                        elevation=math.radians(60) * number / (DIRECTIONS - 1),
                        distance=1.5,
                    ),
                ),
                snr=condition.snr,
            )
            yield condition.name, simulator.clip(rng, scene, f'direction {number}')


def random_clips(
    array: MicArray, config: SimulateConfig, corpus: Corpus, count: int
) -> Iterator[tuple[str, Clip]]:
    """Yield random scenes, none of which `simulate` ever draws, with the engine's name.

    Args:
        array: the microphones.
        config: what scenes are drawn from.
        corpus: the sounds, at the rate of `config`.
        count: how many.
    """
    simulator = Simulator(array, config, corpus, HOP)
    for number in tqdm(range(count), desc='random scenes', unit='clip'):
        # After the splits of simulate, a seed space of its own.
        rng = np.random.default_rng([config.seed, len(SPLITS), number])
        yield f'random scenes ({config.engine})', simulator.random_clip(rng, f'room {number}')
