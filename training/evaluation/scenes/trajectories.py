# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated scenes with talkers who walk, and noise alone in which every track is false.

walking: one talker walks around the array. passing: one talker walks past another who stays.
crossing: two talkers walk past each other. They talk all the time, with short pauses, in the rooms
of `conditions.DIFFICULTIES`. noise: every noise of the split as it is, in gusts, with a fan and
with a motor at the array.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
import math

import numpy as np
from tqdm import tqdm

from doa_ros.core.geometry import MicArray

from ...data.clips import Clip
from ...sections import SimulateConfig
from ...simulation.corpus import Corpus
from ...simulation.scenes import Scene, draw_scene
from ...simulation.simulator import Simulator
from ...simulation.trajectories import fitted
from ...splits import ALL_SPLITS
from .blocks import HOP
from .conditions import DIFFICULTIES, at_levels_of, rooms_of

NOISE = 'noise only'
# Angular velocity of one talker, or of one relative to the other [deg/s]. The highest between two
# is that of a brisk walk, 1.4 m/s, 1.5 m away.
_SLOWEST_DEG, _FASTEST_DEG, _FASTEST_OF_TWO_DEG = 20.0, 90.0, 55.0
# Angle between two talkers before and after they meet [deg].
_NEAREST_DEG, _FARTHEST_DEG = 70.0, 110.0
_LEAD, _TALK, _TAIL = 1.5, 10.0, 1.5
_SEED = 19
_NOISE_LENGTH = 30.0
# Each noise is heard in each of these ways: with gusts or not, and with a source at the array.
_NOISE_KINDS = ((False, ''), (True, ''), (False, 'fan'), (False, 'motor'))


@dataclass(frozen=True)
class Scenario:
    """How talkers walk.

    Attributes:
        name: for people.
        talkers: how many.
        fastest_deg: highest angular velocity [deg/s].
        metric: name of the tracking metric that has a goal.
        goal: least share of the scenes in which all talkers keep their tracks.
    """

    name: str
    talkers: int
    fastest_deg: float
    metric: str
    goal: float


# The condition with a goal for the azimuth, and of the noise.
_ROOM = DIFFICULTIES[1]
SCENARIOS = (
    Scenario('walking', 1, _FASTEST_DEG, 'kept', 0.95),
    Scenario('passing', 2, _FASTEST_OF_TWO_DEG, 'through', 0.85),
    Scenario('crossing', 2, _FASTEST_OF_TWO_DEG, 'through', 0.85),
)


def trajectory_clips(
    array: MicArray, corpus: Corpus, split: str, count: int, engine: str
) -> Iterator[tuple[str, Clip]]:
    """Yield scenes of every kind and difficulty, with the name of both.

    Args:
        array: the microphones.
        corpus: the sounds, at the array's rate.
        split: of the sounds; every split has rooms of its own.
        count: scenes of each kind and difficulty.
        engine: of SimulateConfig; a walk takes minutes unless it is 'fast'.
    """
    for kind, scenario in enumerate(SCENARIOS):
        for number, difficulty in enumerate(DIFFICULTIES):
            config = replace(
                rooms_of(difficulty, array, engine),
                lead=_LEAD,
                length=_LEAD + _TALK + _TAIL,
                tail=_TAIL,
                sources_max=scenario.talkers,
                separation_deg=0.0,
            )
            simulator = Simulator(array, config, corpus, HOP)
            name = f'{scenario.name}, {difficulty.name}'
            for room in tqdm(range(count), desc=name, unit='clip'):
                rng = np.random.default_rng([_SEED, ALL_SPLITS.index(split), kind, number, room])
                scene = _draw(rng, config, scenario)
                scene = at_levels_of(difficulty, replace(scene, speech='steady'))
                yield name, simulator.clip(rng, scene, f'{name}, room {room}')


def noise_clips(
    array: MicArray, corpus: Corpus, split: str, minutes: float, engine: str
) -> Iterator[tuple[str, Clip]]:
    """Yield noise alone, half a minute each: see `trajectory_clips`."""
    count = math.ceil(60 * minutes / _NOISE_LENGTH)
    config = rooms_of(_ROOM, array, engine)
    config = replace(config, length=_NOISE_LENGTH, noise_only=1.0)
    recordings = corpus.files['noise']
    for number in tqdm(range(count), desc=NOISE, unit='clip'):
        rng = np.random.default_rng([_SEED, ALL_SPLITS.index(split), len(SCENARIOS), number])
        recording = recordings[number // len(_NOISE_KINDS) % len(recordings)]
        alone = replace(corpus, files={**corpus.files, 'noise': [recording]})
        gusty, ego = _NOISE_KINDS[number % len(_NOISE_KINDS)]
        scene = replace(draw_scene(rng, config), gusty=gusty, ego=ego, quiet=False)
        simulator = Simulator(array, config, alone, HOP)
        yield NOISE, simulator.clip(rng, scene, f'{NOISE} {number}')


def tracking_goals() -> dict[str, dict[str, float]]:
    """Return our goals: values of tracking metrics by condition."""
    goals: dict[str, dict[str, float]] = {NOISE: {'false_tracks': 1.0}}
    for scenario in SCENARIOS:
        for difficulty in DIFFICULTIES:
            asked = goals[f'{scenario.name}, {difficulty.name}'] = {scenario.metric: scenario.goal}
            if scenario.talkers == 1 and difficulty is _ROOM:
                asked['azimuth_rmse_deg'] = 5.0
    return goals


def _draw(rng: np.random.Generator, config: SimulateConfig, scenario: Scenario) -> Scene:
    """Return a random scene of a kind. All its trajectories fit into the room."""
    while True:
        drawn = draw_scene(rng, config)
        if len(drawn.sources) != scenario.talkers:
            continue
        trajectories = _trajectories(rng, scenario, drawn.sources[0].azimuth)
        places = [
            fitted(drawn, replace(place, azimuth=path[0][1], trajectory=path, level_db=0.0))
            for place, path in zip(drawn.sources, trajectories, strict=True)
        ]
        if all(place.distance >= config.distance_min for place in places):
            return replace(drawn, sources=tuple(places))


def _trajectories(
    rng: np.random.Generator, scenario: Scenario, azimuth: float
) -> list[tuple[tuple[float, float], ...]]:
    """Return the trajectories of talkers who start or meet at an azimuth [rad]."""
    speed = math.radians(rng.uniform(_SLOWEST_DEG, scenario.fastest_deg)) * rng.choice([-1, 1])
    if scenario.name == 'walking':
        return [((_LEAD, azimuth), (_LEAD + _TALK, azimuth + _TALK * speed))]
    before, after = np.radians(rng.uniform(_NEAREST_DEG, _FARTHEST_DEG, 2)) * np.sign(speed)
    meeting = _LEAD + _TALK / 2
    # At that angular velocity between them, they are that far apart at the beginning and the end.
    begin, end = meeting - before / speed, meeting + after / speed
    if scenario.name == 'passing':
        return [
            ((begin, azimuth - before), (end, azimuth + after)),
            ((begin, azimuth), (end, azimuth)),
        ]
    return [
        ((begin, azimuth - before / 2), (end, azimuth + after / 2)),
        ((begin, azimuth + before / 2), (end, azimuth - after / 2)),
    ]
