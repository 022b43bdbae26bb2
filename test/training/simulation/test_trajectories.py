# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Random trajectories of talkers."""

import numpy as np
import pytest

from doa_ros.core.geometry import unit_vector
from training.sections import SimulateConfig
from training.simulation.scenes import free_distance
from training.simulation.trajectories import walking_scene

CONFIG = SimulateConfig(length=12.0, sources_max=3, short_sounds=0.2, noise_only=0.0)


@pytest.fixture(scope='module')
def scenes():
    return [walking_scene(np.random.default_rng(k), CONFIG, 0.6) for k in range(60)]


def test_a_share_of_the_talkers_walks(scenes):
    talkers = [p for scene in scenes for p in scene.sources if p.kind == 'speech']
    others = [p for scene in scenes for p in scene.sources if p.kind != 'speech']
    assert np.mean([bool(p.trajectory) for p in talkers]) == pytest.approx(0.6, abs=0.15)
    assert others and not any(p.trajectory for p in others)
    assert {scene.speech for scene in scenes} == {'natural', 'turns', 'steady'}


def test_trajectories_stay_in_the_room(scenes):
    for scene in scenes:
        for place in scene.sources:
            assert place.distance >= CONFIG.distance_min
            for _, stop in place.stops() if place.trajectory else ():
                ray = unit_vector(stop.azimuth + scene.heading, stop.elevation)
                free = free_distance(scene.room.size, scene.centre, ray)
                assert stop.distance <= free + 1e-9


def test_people_walk_stop_and_turn(scenes):
    times = np.arange(0, CONFIG.length, 0.05)
    standing, turning = False, False
    for scene in scenes:
        fastest = 90 if len(scene.sources) == 1 else 60
        for place in scene.sources:
            if not place.trajectory:
                continue
            assert (
                place.trajectory[0][0] <= CONFIG.length / 2
                and place.trajectory[-1][0] >= CONFIG.length
            )
            assert place.trajectory[0][1] == place.azimuth
            path = np.interp(times, *np.transpose(place.trajectory))
            speed = np.degrees(np.diff(path)) / 0.05
            assert np.abs(speed).max() <= fastest + 1e-6
            begun = np.flatnonzero(np.abs(speed) > 1)[0]
            standing |= (np.abs(speed[begun:]) < 1e-6).any()
            turning |= speed.min() < -8 and speed.max() > 8
    assert standing and turning


def test_nobody_walks_where_nobody_should():
    scene = walking_scene(np.random.default_rng(1), CONFIG, 0.0)
    assert not any(place.trajectory for place in scene.sources)
