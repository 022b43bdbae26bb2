# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is separated: two talkers at a time, one beside noise, and one alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np
from tqdm import tqdm

from doa_ros.core.geometry import MicArray, unit_vector, wrap_angle
from doa_ros.simulation.acoustics import Room

from ...simulation.corpus import Corpus
from ...simulation.scenes import Place, Scene, Sound, free_distance
from ...simulation.talkers import TalkersClip, TalkersSimulator
from ...splits import ALL_SPLITS
from .conditions import ARRAY_ERRORS, SENSOR_BELOW_SPEECH
from .world.sounds import chords, vacuum_cleaner

_SEED = 41
# Smallest and largest room [m], distances [m], elevations and angles between two [deg].
_ROOMS = (3.5, 3.5, 2.4), (9.0, 7.0, 3.6)
_DISTANCE, _ELEVATION_DEG, _APART_DEG = (0.8, 2.5), (0.0, 30.0), (60.0, 140.0)
# Least distance of the array from the walls, and its height [m].
_FROM_WALLS, _HEIGHT = 1.0, (0.35, 1.2)
_LEAD, _LENGTH = 1.5, 9.5
_PEAK_DBFS = -30.0


@dataclass(frozen=True)
class VoicesCondition:
    """A kind of scene, with our goals in it.

    Attributes:
        name: for people; its scenes are others where the name changes.
        goals: values of metrics by name.
        rt60: reverberation time [s].
        talkers: how many speak at a time, one as loud as the other.
        noise: from a direction of its own, as loud as the talker; None for none.
        snr: power of a talker over the diffuse noise [dB].
    """

    name: str
    goals: Mapping[str, float] = field(default_factory=dict)
    rt60: float = 0.45
    talkers: int = 1
    noise: Sound | None = None
    snr: float = 20.0


_NO_LOSS = {'stoi_gain': -0.02}
CONDITIONS = (
    VoicesCondition('two talkers, RT60 0.3 s', {'si_sdr_gain': 5.5, 'stoi': 0.72}, 0.3, 2),
    VoicesCondition('two talkers, RT60 0.45 s', {'si_sdr_gain': 4.0, 'stoi': 0.64}, 0.45, 2),
    VoicesCondition('two talkers, RT60 0.7 s', {'si_sdr_gain': 3.0, 'stoi': 0.55}, 0.7, 2),
    VoicesCondition('one talker alone', _NO_LOSS),
    VoicesCondition('beside diffuse noise at 0 dB', snr=0.0),
    VoicesCondition('beside a vacuum cleaner at 0 dB', noise=vacuum_cleaner),
    VoicesCondition('beside music at 0 dB', noise=chords),
)


def voices_clips(
    array: MicArray, corpus: Corpus, split: str, count: int, engine: str
) -> Iterator[tuple[str, TalkersClip]]:
    """Yield random scenes of every condition, with its name.

    Args:
        array: the microphones.
        corpus: the sounds, at the array's rate.
        split: of the sounds; every split has scenes of its own.
        count: scenes of each condition.
        engine: of SimulateConfig.
    """
    config = replace(
        ARRAY_ERRORS,
        engine=engine,
        sampling_frequency=array.sampling_frequency,
        lead=_LEAD,
        length=_LENGTH,
    )
    simulator = TalkersSimulator(array, config, corpus)
    for condition in CONDITIONS:
        for number in tqdm(range(count), desc=condition.name, unit='clip'):
            rng = np.random.default_rng(
                [_SEED, ALL_SPLITS.index(split), crc32(condition.name.encode()), number]
            )
            name = f'{condition.name}, scene {number}'
            yield condition.name, simulator.clip(rng, _draw(rng, condition), name)


def _draw(rng: np.random.Generator, condition: VoicesCondition) -> Scene:
    """Return a random scene of a condition."""
    count = condition.talkers + (condition.noise is not None)
    while True:
        size = rng.uniform(*_ROOMS)
        centre = np.append(rng.uniform(_FROM_WALLS, size[:2] - _FROM_WALLS), rng.uniform(*_HEIGHT))
        heading = rng.uniform(-np.pi, np.pi)
        turns = np.radians(rng.uniform(*_APART_DEG, count)) * rng.choice([-1, 1])
        azimuths = wrap_angle(rng.uniform(-np.pi, np.pi) + np.cumsum(turns))
        elevations = np.radians(rng.uniform(*_ELEVATION_DEG, count))
        rays = unit_vector(azimuths + heading, elevations)
        farthest = np.array([free_distance(size, centre, ray) for ray in rays])
        if farthest.min() >= _DISTANCE[0]:
            break
    distances = rng.uniform(_DISTANCE[0], np.minimum(_DISTANCE[1], farthest))
    places = [
        Place(float(azimuth), float(elevation), float(distance))
        for azimuth, elevation, distance in zip(azimuths, elevations, distances, strict=True)
    ]
    talkers, noises = places[: condition.talkers], places[condition.talkers :]
    return Scene(
        Room(size, condition.rt60),
        centre,
        heading,
        tuple(talkers),
        condition.snr,
        noises=tuple(replace(place, sound=condition.noise) for place in noises),
        sensor_db=condition.snr - SENSOR_BELOW_SPEECH,
        peak_dbfs=_PEAK_DBFS,
    )


def goals() -> dict[str, Mapping[str, float]]:
    """Return our goals by condition."""
    return {condition.name: condition.goals for condition in CONDITIONS if condition.goals}
