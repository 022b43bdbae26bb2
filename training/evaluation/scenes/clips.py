# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated clips to compare methods on, the same for everyone who has the same recordings.

fixed: one room, few directions, quickly heard. rooms: random rooms at three levels of difficulty,
with the goals we have for them. talkers: two people in such rooms. Besides, random scenes of any
settings.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
import math

import numpy as np
from tqdm import tqdm

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.resources import config_directory

from ...data.clips import Clip
from ...settings import SimulateConfig
from ...simulation.corpus import SPLITS, TEST, Corpus
from ...simulation.engines import Room
from ...simulation.simulator import Place, Scene, Simulator, draw_scene
from ..metrics.frames import HOP

DIRECTIONS = 20
_SEED = 7
# The array and the imperfections; the scenes are fixed below.
_CONFIG = SimulateConfig(
    engine='pyroomacoustics', length=4.5, lead=1.5, gain_db=1.0, phase_deg=0.0, position=0.0005
)


@dataclass(frozen=True)
class Condition:
    """A room and a noise level, with the least we ask of ourselves in it."""

    name: str
    rt60: float
    snr: float
    goal_mae_deg: float


CONDITIONS = (
    Condition('anechoic, 20 dB', 0.0, 20.0, 2.5),
    Condition('RT60 0.45 s, 10 dB', 0.45, 10.0, 5.0),
)


@dataclass(frozen=True)
class Goals:
    """The least we ask of ourselves; angles in [deg], shares in 0..1."""

    answered_azimuth_mae_deg: float
    answered_elevation_mae_deg: float
    answered_within_10: float
    unanswered: float
    silence_answered: float = 0.01


@dataclass(frozen=True)
class TalkerGoals:
    """The least we ask of ourselves with two talkers; shares in 0..1."""

    recall: float
    spurious: float


@dataclass(frozen=True)
class Difficulty:
    """A kind of rooms and noise, with goals for one talker and for two."""

    name: str
    rt60: float
    snr: float
    goals: Goals
    talkers: TalkerGoals


DIFFICULTIES = (
    Difficulty(
        'easy: RT60 0.15 s, 20 dB',
        0.15,
        20.0,
        Goals(1.2, 3.0, 0.99, 0.03),
        TalkerGoals(0.98, 0.02),
    ),
    Difficulty(
        'room: RT60 0.45 s, 10 dB',
        0.45,
        10.0,
        Goals(3.0, 5.0, 0.96, 0.15),
        TalkerGoals(0.90, 0.05),
    ),
    Difficulty(
        'hard: RT60 0.7 s, 5 dB',
        0.7,
        5.0,
        Goals(5.0, 6.0, 0.93, 0.3),
        TalkerGoals(0.75, 0.08),
    ),
)
_ROOMS_SEED, _TALKERS_SEED = 11, 17
_SPLITS = (*SPLITS, TEST)
_ROOMS = replace(
    _CONFIG,
    length=8.0,
    tail=1.5,
    position=0.0007,
    distance_min=0.8,
    distance_max=3.5,
    elevation_max_deg=60.0,
    noise_only=0.0,
    short_sounds=0.0,
    directional_noise=0.0,
    ego_noise=0.0,
)
# A real array is that quiet [dBFS], and its microphones' own noise that far below the speech [dB].
_SPEECH_PEAK, _SENSOR_BELOW_SPEECH = -30.0, 35.0
# Two talkers are so far apart in azimuth, and differ that much in level [dB].
_APART, _LEVEL_DB = math.radians(40), 3.0
_DEAD_SEED = 13


def room_clips(
    array: MicArray,
    corpus: Corpus,
    split: str,
    count: int,
    engine: str,
    *,
    heard: str = 'speech',
) -> Iterator[tuple[str, Clip]]:
    """Yield random rooms of every difficulty, with its name: 5 s of speech amid 3 s of noise.

    Args:
        array: the microphones.
        corpus: the sounds, at the array's rate.
        split: of the sounds; every split has rooms of its own.
        count: rooms of each difficulty.
        engine: of SimulateConfig.
        heard: 'speech'; 'claps', single ones under 100 ms long; or 'fan', one at the array that
            never stops, which no estimate is expected of.
    """
    if heard == 'claps':
        # Recorded impulses ring longer than that.
        files = {kind: paths for kind, paths in corpus.files.items() if kind != 'impulse'}
        corpus = replace(corpus, files=files)
    for number, difficulty in enumerate(DIFFICULTIES):
        config = rooms_of(difficulty, array, engine)
        simulator = Simulator(array, config, corpus, HOP)
        for room in tqdm(range(count), desc=difficulty.name, unit='clip'):
            rng = np.random.default_rng([_ROOMS_SEED, _SPLITS.index(split), number, room])
            drawn = draw_scene(rng, config, ambiguity_of(array))
            kind = 'impulse' if heard == 'claps' else 'speech'
            sources = tuple(replace(place, kind=kind) for place in drawn.sources)
            scene = replace(
                drawn,
                sources=() if heard == 'fan' else sources,
                ego='fan' if heard == 'fan' else '',
                **levels_of(difficulty),
            )
            yield difficulty.name, simulator.clip(rng, scene, f'{difficulty.name}, room {room}')


def talker_clips(
    array: MicArray, corpus: Corpus, split: str, count: int, engine: str
) -> Iterator[tuple[str, Clip]]:
    """Yield random rooms with two talkers who speak and pause, each as he likes.

    They are at least 40 degrees apart in azimuth, and their levels at most 3 dB; all else is as
    in `room_clips`.
    """
    for number, difficulty in enumerate(DIFFICULTIES):
        config = replace(rooms_of(difficulty, array, engine), sources_max=2, separation_deg=0.0)
        simulator = Simulator(array, config, corpus, HOP)
        for room in tqdm(range(count), desc=difficulty.name, unit='clip'):
            rng = np.random.default_rng([_TALKERS_SEED, _SPLITS.index(split), number, room])
            drawn = draw_scene(rng, config, ambiguity_of(array))
            while not _two_apart(drawn.sources):
                drawn = draw_scene(rng, config, ambiguity_of(array))
            first, second = (replace(place, level_db=0.0) for place in drawn.sources)
            second = replace(second, level_db=rng.uniform(-_LEVEL_DB, _LEVEL_DB))
            scene = replace(
                drawn, sources=(first, second), speech='turns', **levels_of(difficulty)
            )
            yield difficulty.name, simulator.clip(rng, scene, f'{difficulty.name}, room {room}')


def _two_apart(places: tuple[Place, ...]) -> bool:
    if len(places) != 2:
        return False
    first, second = places
    return abs(wrap_angle(first.azimuth - second.azimuth)) >= _APART


def rooms_of(difficulty: Difficulty, array: MicArray, engine: str) -> SimulateConfig:
    """Return what rooms of a difficulty are drawn from."""
    return replace(
        _ROOMS,
        engine=engine,
        sampling_frequency=array.sampling_frequency,
        rt60_min=difficulty.rt60,
        rt60_max=difficulty.rt60,
        snr_min=difficulty.snr,
        snr_max=difficulty.snr,
    )


def levels_of(difficulty: Difficulty) -> dict[str, float]:
    """Return the levels of a scene with speech of a difficulty."""
    return {
        'sensor_db': difficulty.snr - _SENSOR_BELOW_SPEECH,
        'peak_dbfs': _SPEECH_PEAK,
    }


def with_dead_microphones(
    clips: Iterable[tuple[str, Clip]], count: int
) -> Iterator[tuple[str, Clip]]:
    """Yield the clips with some microphones silent, others in each, the same ones every time.

    One that is dead with a smaller count is dead with a larger one, too.
    """
    for number, (condition, clip) in enumerate(clips):
        dead = np.random.default_rng([_DEAD_SEED, number]).permutation(clip.audio.shape[1])[:count]
        audio = clip.audio.copy()
        audio[:, dead] = 0
        yield condition, replace(clip, audio=audio)


def demo_corpus(rate: int) -> Corpus:
    """Return the recordings that come with the demo scene, at a rate [Hz]."""
    folder = config_directory() / 'scenes'
    files = {'speech': [folder / 'speech.flac'], 'noise': [folder / 'noise.flac']}
    return Corpus(files, rate)


def fixed_clips(
    array: MicArray, corpus: Corpus, numbers=range(DIRECTIONS)
) -> Iterator[tuple[str, Clip]]:
    """Yield the directions of every condition, with the condition's name.

    Args:
        array: the microphones.
        corpus: the sounds, at the array's rate.
        numbers: which of the DIRECTIONS; each counts as a room of its own.
    """
    config = replace(_CONFIG, sampling_frequency=array.sampling_frequency)
    simulator = Simulator(array, config, corpus, HOP)
    for condition in CONDITIONS:
        for number in tqdm(numbers, desc=condition.name, unit='clip'):
            rng = np.random.default_rng([_SEED, number])
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
