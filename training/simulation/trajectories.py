# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Scenes in which some of the talkers walk around the array, stand, turn and walk on."""

from dataclasses import replace
import math

import numpy as np

from doa_ros.core.geometry import unit_vector

from ..sections import SimulateConfig
from .scenes import Place, Scene, Trajectory, draw_scene, free_distance

# Angular velocities [deg/s]; a talker who is alone may be the fastest.
_SLOWEST_DEG, _FASTEST_DEG, _FASTEST_ALONE_DEG = 8.0, 60.0, 90.0
# How far a talker goes before they stop or turn [deg]; some go on and on.
_SHORTEST_DEG, _LONGEST_DEG, _LONGEST_ALONE_DEG = 20.0, 180.0, 250.0
_ON_AND_ON = 0.15
# How often a talker turns without a stop, and how long the stops are [s].
_NO_STOP, _STOP = 0.3, (0.3, 4.0)
# How the recordings of a scene follow each other, and how often.
_SPEECH = {'natural': 0.25, 'turns': 0.3, 'steady': 0.45}


def walking_scene(rng: np.random.Generator, config: SimulateConfig, walking: float) -> Scene:
    """Draw a random scene in which talkers walk, whose trajectories fit into the room.

    Args:
        rng: source of randomness.
        config: what scenes are drawn from.
        walking: share of the talkers who walk, 0..1.

    Raises:
        ConfigError: the sources do not fit into the rooms.
    """
    while True:
        scene = draw_scene(rng, config)
        alone = len(scene.sources) == 1
        places = []
        for place in scene.sources:
            if place.kind == 'speech' and rng.random() < walking:
                path = _random_trajectory(rng, place.azimuth, config.length, alone)
                place = fitted(scene, replace(place, trajectory=path))
            places.append(place)
        if all(place.distance >= config.distance_min for place in places):
            break
    speech = str(rng.choice(list(_SPEECH), p=list(_SPEECH.values())))
    return replace(scene, sources=tuple(places), speech=speech)


def fitted(scene: Scene, place: Place) -> Place:
    """Return a place as far away as the room allows all along its trajectory."""
    rays = (unit_vector(p.azimuth + scene.heading, p.elevation) for _, p in place.stops())
    free = min(free_distance(scene.room.size, scene.centre, ray) for ray in rays)
    return replace(place, distance=min(place.distance, free))


def _random_trajectory(
    rng: np.random.Generator, azimuth: float, length: float, alone: bool
) -> Trajectory:
    """Return a trajectory that begins at an azimuth [rad] in the first half of a clip."""
    fastest = _FASTEST_ALONE_DEG if alone else _FASTEST_DEG
    longest = _LONGEST_ALONE_DEG if alone else _LONGEST_DEG
    time = rng.uniform(0, length / 2)
    points = [(time, azimuth)]
    while time < length:
        speed = math.radians(rng.uniform(_SLOWEST_DEG, fastest))
        arc = math.radians(rng.uniform(_SHORTEST_DEG, longest))
        if rng.random() < _ON_AND_ON:
            arc = math.inf
        # Beyond the end, so that nobody stops there.
        duration = min(arc / speed, length + 1 - time)
        azimuth += duration * speed * rng.choice([-1, 1])
        time += duration
        points.append((time, azimuth))
        if rng.random() >= _NO_STOP:
            time += rng.uniform(*_STOP)
            points.append((time, azimuth))
    return tuple(points)
