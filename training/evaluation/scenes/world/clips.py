# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The clips of a situation: random scenes, the same in every run."""

from collections.abc import Iterator
from dataclasses import replace
import math
from zlib import crc32

import numpy as np
from tqdm import tqdm

from doa_ros.core.geometry import MicArray, unit_vector, wrap_angle
from doa_ros.simulation.acoustics import Reflector, Room

from ....data.clips import Clip
from ....sections import SimulateConfig
from ....simulation.corpus import Corpus
from ....simulation.scenes import Place, Scene, free_distance
from ....simulation.simulator import Simulator
from ....simulation.surroundings import beside_walls, furniture, random_room, table_top
from ....simulation.trajectories import fitted
from ....splits import ALL_SPLITS
from ..blocks import HOP
from ..conditions import ARRAY_ERRORS, SENSOR_BELOW_SPEECH
from .situation import Situation
from .sounds import beginning

_SEED = 23
# Somebody speaks where the level in this band says so [Hz]: hum is no speech.
_SPEECH_BAND = 300.0, 6000.0
# Least azimuth from a noise or a door to anything else [rad].
_NOISE_APART = math.radians(40)
# Least distance of the array from the walls, and its height [m].
_FROM_WALLS, _HEIGHT = 1.0, (0.4, 1.2)
# Distance of an array that is beside a wall [m].
_BESIDE = 0.1, 0.4


def situation_clips(
    array: MicArray, situation: Situation, corpus: Corpus, split: str, count: int, engine: str
) -> Iterator[tuple[str, Clip]]:
    """Yield scenes of a situation, with its name.

    Args:
        array: the microphones as methods know them.
        situation: what to draw.
        corpus: the sounds, at the array's rate.
        split: of the sounds; every split has scenes of its own.
        count: how many.
        engine: of SimulateConfig.
    """
    config = replace(
        ARRAY_ERRORS,
        engine=engine,
        sampling_frequency=array.sampling_frequency,
        lead=situation.lead,
        length=situation.lead + situation.talk + situation.tail,
        tail=situation.tail,
    )
    built = replace(array, positions=situation.array_scale * array.positions)
    simulator = Simulator(built, config, corpus, HOP)
    for number in tqdm(range(count), desc=situation.name, unit='clip'):
        rng = np.random.default_rng(
            [_SEED, ALL_SPLITS.index(split), crc32(situation.name.encode()), number]
        )
        scene = _draw(rng, situation, config, number)
        clip = simulator.clip(rng, scene, f'{situation.name}, scene {number}')
        yield situation.name, _clipped(clip, situation.clipped_db)


def _draw(
    rng: np.random.Generator, situation: Situation, config: SimulateConfig, number: int
) -> Scene:
    """Return scene NUMBER of a situation."""
    while True:
        size = rng.uniform(*situation.size)
        centre = np.append(rng.uniform(_FROM_WALLS, size[:2] - _FROM_WALLS), rng.uniform(*_HEIGHT))
        heading = rng.uniform(-np.pi, np.pi)
        if situation.beside_walls:
            centre = beside_walls(rng, size, centre, situation.beside_walls, _BESIDE)
        room = Room(size, situation.rt60)
        if situation.walls is not None:
            room = random_room(rng, size, situation.walls)
        empty = Scene(room, centre, heading, (), rng.uniform(*situation.snr))
        places = [_place(rng, situation, empty, azimuth) for azimuth in _azimuths(rng, situation)]
        fitting = [place for place in places if place is not None]
        if len(fitting) == len(places):
            break
    talkers, others = fitting[: situation.talkers], fitting[situation.talkers :]
    if situation.speed_deg:
        talkers = [_walking(rng, situation, config, empty, place) for place in talkers]
    if situation.slam is not None:
        door = others.pop()
        talkers.append(
            replace(door, kind='impulse', sound=situation.slam, level_db=situation.slam_db)
        )
    return replace(
        empty,
        sources=tuple(talkers),
        diffuse=situation.diffuse,
        noises=_noises(situation, others, number),
        sensor_db=empty.snr - SENSOR_BELOW_SPEECH,
        peak_dbfs=situation.peak_dbfs,
        speech=situation.speech,
        hard_wall=situation.hard_wall,
        reflectors=_reflectors(rng, situation, empty),
        label_band=_SPEECH_BAND,
    )


def _reflectors(
    rng: np.random.Generator, situation: Situation, scene: Scene
) -> tuple[Reflector, ...]:
    """Return what reflects besides the walls."""
    table = (table_top(rng, scene.centre),) if situation.on_table else ()
    others = furniture(rng, scene.room.size, scene.centre) if situation.furniture else ()
    return *table, *others


def _azimuths(rng: np.random.Generator, situation: Situation) -> list[float]:
    """Return where talkers are [rad], then where noises are, then where the door is."""
    turns = np.radians(rng.uniform(*situation.apart_deg, situation.talkers))
    azimuths = list(rng.uniform(-np.pi, np.pi) + rng.choice([-1, 1]) * np.cumsum(turns))
    others = situation.directions - situation.talkers + (situation.slam is not None)
    while len(azimuths) < situation.talkers + others:
        azimuth = rng.uniform(-np.pi, np.pi)
        if all(abs(wrap_angle(azimuth - other)) >= _NOISE_APART for other in azimuths):
            azimuths.append(azimuth)
    return [float(wrap_angle(azimuth)) for azimuth in azimuths]


def _place(
    rng: np.random.Generator, situation: Situation, scene: Scene, azimuth: float
) -> Place | None:
    """Return a place in a direction; None where the room is too small in that direction."""
    elevation = math.radians(rng.uniform(*situation.elevation_deg))
    nearest, farthest = situation.distance
    ray = unit_vector(azimuth + scene.heading, elevation)
    farthest = min(farthest, free_distance(scene.room.size, scene.centre, ray))
    if farthest < nearest:
        return None
    distance = rng.uniform(nearest, farthest)
    return Place(
        azimuth,
        elevation,
        distance,
        situation.kind,
        sound=situation.voice,
        direct_db=situation.direct_db,
    )


def _walking(
    rng: np.random.Generator,
    situation: Situation,
    config: SimulateConfig,
    scene: Scene,
    place: Place,
) -> Place:
    """Return a talker who walks around the array from the first word to the end of the clip."""
    speed = math.radians(situation.speed_deg) * rng.choice([-1, 1])
    end = place.azimuth + (config.length - config.lead) * speed
    trajectory = (config.lead, place.azimuth), (config.length, end)
    return fitted(scene, replace(place, trajectory=trajectory))


def _noises(situation: Situation, places: list[Place], number: int) -> tuple[Place, ...]:
    """Return the directional noises of scene NUMBER."""
    if situation.noise is None:
        return ()
    noise = situation.noise
    # Together they have the level that is asked for.
    level = noise.level_db - 10 * math.log10(noise.count)
    sounds = [
        noise.sounds[(number * noise.count + k) % len(noise.sounds)] for k in range(noise.count)
    ]
    return tuple(
        replace(place, sound=beginning(sound, noise.begin), level_db=level)
        for place, sound in zip(places, sounds, strict=True)
    )


def _clipped(clip: Clip, clipped_db: float) -> Clip:
    """Return a clip as microphones give it whose peaks it exceeds."""
    if not clipped_db:
        return clip
    highest = np.abs(clip.audio).max() * np.float32(10 ** (-clipped_db / 20))
    return replace(clip, audio=np.clip(clip.audio, -highest, highest))
