# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
import math

import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, wrap_angle
from training.evaluation.methods.baselines.esprit import Esprit
from training.evaluation.methods.inputs import BASELINE_RATE


def _circle(count, radius=0.05, shift=(0, 0, 0), start=0.3):
    angles = start - 2 * np.pi * np.arange(count) / count
    ring = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    return MicArray(
        name='circle',
        positions=radius * ring + shift,
        labels=tuple(str(k) for k in range(count)),
        channels=tuple(range(count)),
        channel_count=count,
        sampling_frequency=BASELINE_RATE,
    )


@pytest.mark.parametrize('count', [6, 7, 8])
@pytest.mark.parametrize('elevation_deg', [25, 45, 70])
@pytest.mark.parametrize('azimuth_deg', [-140, 0, 33, 180])
def test_plane_waves_are_found_whatever_the_circle(plane_wave, count, azimuth_deg, elevation_deg):
    # Neither the order of the microphones nor where the middle lies matters.
    array = _circle(count, shift=(0.1, -0.05, 0.02))
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    (found,) = Esprit(array).locate(plane_wave(array, azimuth, elevation, duration=0.5))
    assert abs(math.degrees(wrap_angle(found.azimuth - azimuth))) < 1
    assert math.degrees(found.elevation) == pytest.approx(elevation_deg, abs=4)


def test_noise_of_the_microphones_hardly_matters(uma8, plane_wave):
    array = replace(uma8, sampling_frequency=BASELINE_RATE)
    audio = plane_wave(array, 1.0, 0.7, duration=0.5)
    audio += 0.01 * np.random.default_rng(0).standard_normal(audio.shape).astype(np.float32)
    (found,) = Esprit(array).locate(audio)
    assert math.degrees(found.azimuth - 1.0) == pytest.approx(0, abs=3)
    assert math.degrees(found.elevation - 0.7) == pytest.approx(0, abs=6)


def test_other_arrays_are_left_out(square):
    with pytest.raises(ConfigError, match='at least six microphones'):
        Esprit(square)
    dented = _circle(8)
    positions = dented.positions.copy()
    positions[3] *= 0.9
    with pytest.raises(ConfigError, match='mm off it'):
        Esprit(replace(dented, positions=positions))
    grid = [[x, y, 0] for x in (0, 0.04, 0.08) for y in (0, 0.04, 0.08)]
    with pytest.raises(ConfigError, match='not a uniform circle'):
        Esprit(replace(_circle(9), positions=np.array(grid)))


def test_silence_is_answered_somehow(uma8):
    (found,) = Esprit(uma8).locate(np.zeros((8000, 6), dtype=np.float32))
    assert math.isfinite(found.azimuth)
    assert math.isfinite(found.elevation)


def test_a_numerical_failure_is_no_answer_and_is_counted(uma8):
    method = Esprit(uma8)
    broken = np.full((8000, 6), np.nan, dtype=np.float32)
    assert method._try(broken) == []
    assert method.failures == 1
