# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Random rooms with an array and sources in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
import math

import numpy as np

from doa_ros.core.ambiguity import HORIZONTAL, Ambiguity
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import unit_vector, wrap_angle
from doa_ros.simulation.acoustics import Reflector, Room

from ..sections import SimulateConfig
from .corpus import Corpus
from .noises import changing_noise, noise
from .surroundings import beside_walls, furniture, mixed_walls, random_room

EGO_NOISES = ('fan', 'motor')
# Least distance of a source from the walls [m].
_WALL_MARGIN = 0.2
# Share of the noise-only clips that are nearly silent: the microphones' own noise alone.
_QUIET = 0.25
# Peak levels [dBFS]: as quiet as a real array; with noise alone; with next to nothing.
_LEVEL, _NOISE_LEVEL, _QUIET_LEVEL = (-40.0, -20.0), (-60.0, -30.0), (-90.0, -70.0)
# Power of the microphones' own noise over the diffuse noise [dB].
_SENSOR_DB = (-25.0, -5.0)
# A source that moves is heard from places so far apart in azimuth, one fading into the next [rad].
_STEP = math.radians(2)
# Beside loud noise somebody speaks where the level in this band says so [Hz].
_SPEECH_BAND = 300.0, 6000.0
# Direct sound of talkers who are turned away, beside one that radiates alike everywhere [dB].
_AWAY_DB = -12.0, -3.0
_ATTEMPTS = 2000
# Distance of an array that is beside a wall [m]; all others are farther away.
_BESIDE = 0.1, 1.0
# How often an array is moved beside a wall and turned until its sources fit.
_TURNS = 100

Trajectory = tuple[tuple[float, float], ...]
"""Pairs of a time [s] and the azimuth then [rad], not wrapped.

A source goes from one to the next at a constant rate, and stays where it is before and after.
"""

Sound = Callable[[np.random.Generator, Corpus, int], np.ndarray]
"""Makes a number of samples at the rate of the recordings, shape (samples,)."""


@dataclass(frozen=True)
class Place:
    """A source of sound as seen from the array.

    Attributes:
        azimuth, elevation: in the array's frame [rad].
        distance: [m].
        kind: of `clips.SOURCE_KINDS`.
        level_db: power beside the other sources [dB].
        direct_db: level of the direct sound beside one that radiates alike in all directions [dB]:
            less than 0 for a talker who is turned away.
        trajectory: where it is instead of at the azimuth; empty where it stays.
        sound: makes what it sounds like; None for what its kind sounds like.
    """

    azimuth: float
    elevation: float
    distance: float
    kind: str = 'speech'
    level_db: float = 0.0
    trajectory: Trajectory = ()
    sound: Sound | None = None
    direct_db: float = 0.0

    @property
    def direction(self) -> np.ndarray:
        """Unit vector in the array's frame."""
        return unit_vector(self.azimuth, self.elevation)

    def azimuths(self, times: np.ndarray) -> np.ndarray:
        """Return where it is at times [s], in [rad]."""
        if not self.trajectory:
            return np.full(len(times), self.azimuth)
        known, azimuths = zip(*self.trajectory, strict=True)
        return wrap_angle(np.interp(times, known, azimuths))

    def stops(self) -> list[tuple[float, 'Place']]:
        """Return places along the trajectory, a small step apart, each with its time [s]."""
        found = []
        for (begin, first), (end, last) in pairwise(self.trajectory):
            count = max(1, math.ceil(abs(last - first) / _STEP))
            shares = np.arange(count) / count
            found += [(begin + s * (end - begin), first + s * (last - first)) for s in shares]
        found.append(self.trajectory[-1])
        return [(time, replace(self, azimuth=azimuth, trajectory=())) for time, azimuth in found]


@dataclass(frozen=True)
class Scene:
    """A room with an array and sources in it.

    Attributes:
        room: size and reverberation.
        centre: position of the array [m].
        heading: direction of the array's x axis in the room [rad].
        sources: none for noise alone.
        snr: power of all sources over all noise [dB].
        directional: where a noise comes from, besides the diffuse one.
        ego: 'fan' or 'motor' at the array; empty for none.
        quiet: whether there is no noise but the microphones' own.
        gusty: whether the diffuse noise swells and ebbs.
        sensor_db: power of the microphones' own noise over that of the diffuse noise [dB].
        peak_dbfs: highest level of the clip [dB of full scale].
        speech: 'natural': recordings as they are, one after the other; 'turns': with longer
            pauses; 'steady': without the longer ones of the recordings.
        diffuse: makes the diffuse noise; None for recordings and coloured noise.
        noises: from directions of their own. Their `level_db` is over the power of all sources,
            or of the diffuse noise where no source is heard.
        hard_wall: amplitude of the first reflection at the wall that is nearest to the array,
            0..1; 0 for a wall like the others.
        reflectors: what else reflects the direct sound, such as furniture.
        label_band: the levels in this band tell when sources are heard [Hz]; None for all levels.
    """

    room: Room
    centre: np.ndarray
    heading: float
    sources: tuple[Place, ...]
    snr: float
    directional: Place | None = None
    ego: str = ''
    quiet: bool = False
    gusty: bool = False
    sensor_db: float = -15.0
    peak_dbfs: float = -30.0
    speech: str = 'natural'
    diffuse: Sound | None = None
    noises: tuple[Place, ...] = ()
    hard_wall: float = 0.0
    reflectors: tuple[Reflector, ...] = ()
    label_band: tuple[float, float] | None = None

    @property
    def turn(self) -> np.ndarray:
        """Rotation from the array's frame to the room's, shape (3, 3)."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])

    def position(self, place: Place) -> np.ndarray:
        """Return where a source is in the room [m]."""
        return self.centre + self.turn @ (place.distance * place.direction)


def draw_scene(
    rng: np.random.Generator, config: SimulateConfig, ambiguity: Ambiguity = HORIZONTAL
) -> Scene:
    """Draw a random room, array and sources.

    Args:
        rng: source of all randomness.
        config: what it is drawn from.
        ambiguity: of the array; sources are below its height where it tells that from above.

    Raises:
        ConfigError: the sources do not fit into the rooms.
    """
    noise_only = rng.random() < config.noise_only
    count = 0 if noise_only else int(rng.integers(1, config.sources_max + 1))
    for _ in range(_ATTEMPTS):
        size = rng.uniform([3.5, 3.5, 2.4], [9.0, 7.0, 3.6])
        centre = np.append(rng.uniform([1.0, 1.0], size[:2] - 1.0), rng.uniform(0.35, 1.2))
        heading = rng.uniform(-np.pi, np.pi)
        drawn = [
            _draw_place(rng, config, ambiguity, size, centre, heading) for _ in range(count + 1)
        ]
        fitting = [place for place in drawn if place is not None]
        sources = fitting[:count]
        if len(fitting) > count and _apart(sources, config.separation_deg):
            break
    else:
        raise ConfigError(
            'the sources do not fit into the rooms: reduce distance_min, elevation_max_deg or '
            'separation_deg'
        )
    quiet = noise_only and rng.random() < _QUIET
    directional = not quiet and rng.random() < config.directional_noise
    ego = not quiet and rng.random() < config.ego_noise
    scene = Scene(
        room=Room(size, rng.uniform(config.rt60_min, config.rt60_max)),
        centre=centre,
        heading=heading,
        sources=tuple(sources),
        snr=math.nan if noise_only else rng.uniform(config.snr_min, config.snr_max),
        directional=fitting[count] if directional else None,
        ego=str(rng.choice(EGO_NOISES)) if ego else '',
        quiet=quiet,
        gusty=rng.random() < config.gusty_noise,
        sensor_db=rng.uniform(*_SENSOR_DB),
        peak_dbfs=rng.uniform(*(_LEVEL if count else _QUIET_LEVEL if quiet else _NOISE_LEVEL)),
    )
    # Drawn last: what is above is the same with such noise and without it.
    if config.loud_noise and not quiet and rng.random() < config.loud_noise:
        scene = _with_loud_noises(rng, config, ambiguity, scene)
    if config.uneven_walls and rng.random() < config.uneven_walls:
        scene = replace(scene, room=random_room(rng, size, mixed_walls))
    if config.beside_walls and rng.random() < config.beside_walls:
        scene = _beside_walls(rng, config, scene)
    if config.furniture and rng.random() < config.furniture:
        scene = replace(scene, reflectors=furniture(rng, size, scene.centre))
    if config.turned_away:
        scene = replace(
            scene, sources=tuple(_perhaps_away(rng, config, place) for place in scene.sources)
        )
    return scene


def _beside_walls(rng: np.random.Generator, config: SimulateConfig, scene: Scene) -> Scene:
    """Return a scene whose array is beside a wall or two, turned so that all sources fit.

    Their azimuths stay, so that no direction is rarer than another. Where they do not fit however
    the array is turned, it stays where it is.
    """
    size = scene.room.size

    def nearer(place: Place, centre: np.ndarray, heading: float) -> Place:
        free = free_distance(size, centre, unit_vector(place.azimuth + heading, place.elevation))
        return replace(place, distance=min(place.distance, free))

    for _ in range(_TURNS):
        centre = beside_walls(rng, size, scene.centre, int(rng.integers(1, 3)), _BESIDE)
        heading = rng.uniform(-np.pi, np.pi)
        moved = replace(
            scene,
            centre=centre,
            heading=heading,
            sources=tuple(nearer(place, centre, heading) for place in scene.sources),
            noises=tuple(nearer(place, centre, heading) for place in scene.noises),
            directional=scene.directional and nearer(scene.directional, centre, heading),
        )
        places = [*moved.sources, *moved.noises, moved.directional]
        if all(place is None or place.distance >= config.distance_min for place in places):
            return moved
    return scene


def _perhaps_away(rng: np.random.Generator, config: SimulateConfig, place: Place) -> Place:
    """Return a talker who may be turned away."""
    if place.kind != 'speech' or rng.random() >= config.turned_away:
        return place
    return replace(place, direct_db=rng.uniform(*_AWAY_DB))


def _with_loud_noises(
    rng: np.random.Generator, config: SimulateConfig, ambiguity: Ambiguity, scene: Scene
) -> Scene:
    """Return a scene with noises from directions of their own."""
    count = rng.integers(1, config.loud_noises_max + 1)
    places: list[Place] = []
    while len(places) < count:
        place = _draw_place(rng, config, ambiguity, scene.room.size, scene.centre, scene.heading)
        if place is not None:
            places.append(place)
    # Together they have the level that is drawn.
    level = rng.uniform(config.loud_noise_min, config.loud_noise_max)
    level -= 10 * math.log10(sum(10 ** (place.level_db / 10) for place in places))
    return replace(
        scene,
        noises=tuple(
            replace(
                place,
                level_db=place.level_db + level,
                sound=changing_noise if rng.random() < config.loud_noise_changes else noise,
            )
            for place in places
        ),
        label_band=(_SPEECH_BAND[0], min(_SPEECH_BAND[1], 0.45 * config.sampling_frequency)),
    )


def _draw_place(
    rng: np.random.Generator,
    config: SimulateConfig,
    ambiguity: Ambiguity,
    size: np.ndarray,
    centre: np.ndarray,
    heading: float,
) -> Place | None:
    """Draw a source; None if the room is too small in its direction.

    The direction comes first and then a distance that fits, so that no direction is rarer than
    another.
    """
    azimuth = rng.uniform(-np.pi, np.pi)
    lowest = 0 if ambiguity.horizontal else -config.elevation_max_deg
    elevation = math.radians(rng.uniform(lowest, config.elevation_max_deg))
    ray = unit_vector(azimuth + heading, elevation)
    farthest = min(config.distance_max, free_distance(size, centre, ray))
    distance = rng.uniform(config.distance_min, max(farthest, config.distance_min))
    kind = 'speech'
    if rng.random() < config.short_sounds:
        kind = str(rng.choice(['burst', 'impulse']))
    level = rng.uniform(-3, 3)
    if farthest < config.distance_min:
        return None
    return Place(azimuth, elevation, distance, kind, level)


def free_distance(size: np.ndarray, centre: np.ndarray, ray: np.ndarray) -> float:
    """Return how far from the array a source can be [m].

    Args:
        size: of the room [m], shape (3,).
        centre: position of the array [m], shape (3,).
        ray: unit vector towards the source in the room, shape (3,).
    """
    free = np.where(ray > 0, size - _WALL_MARGIN - centre, centre - _WALL_MARGIN)
    return float(np.min(free / np.maximum(np.abs(ray), 1e-9)))


def _apart(places: Sequence[Place], separation_deg: float) -> bool:
    directions = np.array([place.direction for place in places]).reshape(-1, 3)
    cosines = directions @ directions.T - 2 * np.eye(len(directions))
    return bool((cosines <= math.cos(math.radians(separation_deg))).all())
