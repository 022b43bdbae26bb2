# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is rendered: the way of the talker, and the direct sound."""

import math

import numpy as np
import pytest

from doa_ros.simulation.scene import SceneConfig, render


def test_talker_walks_counter_clockwise():
    config = SceneConfig(azimuth_deg=0.0, speed_deg=90.0, distance=1.0, height=1.0)
    np.testing.assert_allclose(config.talker(0.0), [1, 0, 1], atol=1e-9)
    np.testing.assert_allclose(config.talker(1.0), [0, 1, 1], atol=1e-9)
    azimuth, elevation = config.direction(3.0)
    assert azimuth == pytest.approx(-math.pi / 2)
    assert elevation == pytest.approx(math.pi / 4)


def test_direct_sound_is_that_at_the_array(square):
    noise = np.random.default_rng(1).standard_normal(16000)
    config = SceneConfig(rt60=0.0, snr=60.0, duration=2.0, lead=0.5, tail=0.5, distance=3.0,
                         room_x=20.0, room_y=20.0, array_x=10.0, array_y=10.0)  # fmt: skip
    audio, direct = render(config, square, noise, noise)
    assert audio.shape == (32000, 5)
    heard = audio[:, square.channels].mean(axis=1)
    match = [np.dot(np.roll(direct, lag), heard) for lag in range(-200, 201)]
    # The centre of the array: no microphone is farther from it than a sample or two.
    assert abs(np.argmax(match) - 200) <= 1
    # 3 m are 9 ms: before that nothing is heard.
    assert not direct[: 8000 + 130].any()
