# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Random scenes."""

from dataclasses import replace

import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from training.sections import SimulateConfig
from training.simulation.corpus import load_corpus
from training.simulation.noises import changing_noise, noise
from training.simulation.scenes import draw_scene
from training.simulation.simulator import Simulator

CONFIG = SimulateConfig(length=2.5, lead=0.5, tail=0.5, loud_noise=1.0)


def scenes(config, count=60):
    return [draw_scene(np.random.default_rng(seed), config) for seed in range(count)]


def test_loud_noises_are_as_many_and_as_loud_as_the_settings_say():
    config = replace(CONFIG, noise_only=0.0, loud_noise_min=-5.0, loud_noise_max=15.0)
    drawn = scenes(config)
    assert {len(scene.noises) for scene in drawn} == {1, 2, 3}
    powers = [sum(10 ** (place.level_db / 10) for place in scene.noises) for scene in drawn]
    levels = 10 * np.log10(powers)
    assert -5 <= levels.min() < 0 and 10 < levels.max() <= 15
    made = [place.sound for scene in drawn for place in scene.noises]
    assert set(made) == {noise, changing_noise}
    assert 0.15 < np.mean([sound is changing_noise for sound in made]) < 0.45
    assert all(s.room.contains(s.position(place)) for s in drawn for place in s.noises)


def test_the_rest_of_a_scene_is_the_same_with_loud_noises():
    drawn, before = scenes(CONFIG, 20), scenes(replace(CONFIG, loud_noise=0.0), 20)
    for scene, other in zip(drawn, before, strict=True):
        assert not other.noises and other.label_band is None
        assert bool(scene.noises) is not scene.quiet
        assert scene.label_band == ((300.0, 6000.0) if scene.noises else None)
        assert (scene.sources, scene.directional) == (other.sources, other.directional)
        assert scene.peak_dbfs == other.peak_dbfs


def test_some_scenes_have_loud_noises():
    drawn = scenes(replace(CONFIG, loud_noise=0.5, loud_noises_max=1, noise_only=0.0), 100)
    assert 0.35 < np.mean([bool(scene.noises) for scene in drawn]) < 0.65
    assert max(len(scene.noises) for scene in drawn) == 1


def test_limits_of_the_level_are_in_order():
    with pytest.raises(ConfigError, match='loud_noise_min'):
        replace(CONFIG, loud_noise_min=10.0, loud_noise_max=0.0)


@pytest.mark.parametrize('rate', [8000, 16000])
def test_loud_noise_is_no_source(uma8, sounds, locate, rate):
    """It is what is heard, and nothing is expected while it is alone."""
    config = replace(
        CONFIG, sampling_frequency=rate, loud_noise_min=20.0, loud_noises_max=1,
        loud_noise_changes=0.0, rt60_max=0.1, elevation_max_deg=30.0, snr_min=20.0, ego_noise=0.0,
    )  # fmt: skip
    simulator = Simulator(uma8, config, load_corpus(sounds, 'train', rate), 0.05)
    near = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        scene = draw_scene(rng, config)
        clip = simulator.clip(rng, scene, 'room')
        assert len(clip.sources) == len(scene.sources)
        lead = slice(None, 10)
        assert clip.silent[lead].all()
        assert not any(source.voiced[lead].any() for source in clip.sources)
        if scene.noises:
            found = locate(replace(uma8, sampling_frequency=rate), clip.audio)
            near += np.cos(found.azimuth - scene.noises[0].azimuth) > np.cos(np.radians(15))
    assert near > 6


@pytest.mark.parametrize('most', [1, 3])
def test_arrays_are_moved_beside_walls_and_hear_the_same_directions(most):
    config = replace(CONFIG, loud_noise=0.5, sources_max=most)
    before, drawn = scenes(config), scenes(replace(config, beside_walls=1.0))
    moved = 0
    for scene, other in zip(drawn, before, strict=True):
        gaps = np.minimum(scene.centre, scene.room.size - scene.centre)[:2]
        moved += gaps.min() < 1.0
        for name in ('sources', 'noises'):
            pairs = list(zip(getattr(scene, name), getattr(other, name), strict=True))
            assert all(place.direction @ was.direction > 0.9999 for place, was in pairs)
            assert all(
                config.distance_min <= place.distance <= was.distance for place, was in pairs
            )
        assert all(scene.room.contains(scene.position(place)) for place in scene.sources)
        assert scene.snr == other.snr or scene.snr != scene.snr
    assert moved > 0.8 * len(drawn)


def test_rooms_have_uneven_walls_and_furniture_and_talkers_are_turned_away_where_settings_say_so():
    config = replace(CONFIG, loud_noise=0.0, noise_only=0.0, short_sounds=0.5)
    drawn = scenes(replace(config, uneven_walls=0.5, furniture=0.5, turned_away=0.5), 100)
    for scene, other in zip(drawn, scenes(config, 100), strict=True):
        assert not other.room.walls and other.room.size == pytest.approx(scene.room.size)
        (place,) = scene.sources
        assert place.direct_db == 0 or (place.kind == 'speech' and -12 <= place.direct_db <= -3)
        assert scene.sources == other.sources or place.direct_db
        assert not other.reflectors
    assert 0.35 < np.mean([bool(scene.room.walls) for scene in drawn]) < 0.65
    assert 0.35 < np.mean([bool(scene.reflectors) for scene in drawn]) < 0.65
    talkers = [s.sources[0] for s in drawn if s.sources[0].kind == 'speech']
    assert 0.3 < np.mean([place.direct_db < 0 for place in talkers]) < 0.7
