# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Claps and a voice in noise, as the default network hears them."""

import math

from geometry_msgs.msg import PoseStamped
import numpy as np
import pytest
from scipy import signal

from doa_ros.conversions.directions import estimate_array
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import unit_vector
from doa_ros.core.localization.compatibility import default_features
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.resources import DEFAULT_MODEL, find_resource
from doa_ros.simulation.acoustics import DiffuseField, impulse_responses

BEHIND, AHEAD = math.radians(165), math.radians(20)
# Azimuth [rad], beginning and duration [s] of what is heard.
CLAPS = [(BEHIND, 2.0, 0.01), (AHEAD, 3.5, 0.01)]
VOICE = (BEHIND, 5.0, 1.2)
DURATION = 7.0


@pytest.fixture(scope='module')
def windows(uma8):
    """Return the estimates of each window, and where its new samples begin [s]."""
    rng = np.random.default_rng(4)
    rate, speed = uma8.sampling_frequency, uma8.speed_of_sound
    count = round(DURATION * rate)
    heard = DiffuseField(uma8.frame_positions, rate, speed).mix(
        0.02 * rng.standard_normal((len(uma8.positions), count))
    )
    for azimuth, begin, duration in [*CLAPS, VOICE]:
        begin, length = round(begin * rate), round(duration * rate)
        place = 2.0 * unit_vector(azimuth, 0.3)
        responses = impulse_responses(
            place[None], np.ones(1), uma8.frame_positions, rate, 1000, speed
        )
        sound = rng.standard_normal(length)
        heard[:, begin : begin + length + 999] += signal.fftconvolve(
            sound[None], responses, axes=1
        )
    audio = np.zeros((count, uma8.channel_count), dtype=np.float32)
    audio[:, list(uma8.channels)] = 0.03 * heard.T
    model = find_resource('models', DEFAULT_MODEL)
    features = default_features(uma8, model)
    extractor = FeatureExtractor(uma8, features)
    localizer = Localizer(uma8, features, LocalizerConfig(), model)
    return [
        (
            window.hop_index / rate,
            WindowDirections(
                localizer.locate(window).estimates,
                features.window,
                features.hop,
                window.sound_age,
            ),
        )
        for window in extractor.push(0, audio)
    ]


@pytest.fixture(scope='module')
def wakes(stage, windows):
    """Return what a robot wakes by: the time of the recording [s] and the pose."""
    run, listener, world = stage
    poses, found = listener.collect(PoseStamped, 'wake'), []
    run('wake_by_clap')
    for time, window in windows:
        world.time = time
        world.advance(0.0)
        world.publish(estimate_array(world.header(), window), 'doa/estimates')
        found += [(time, pose) for pose in world.answer(poses, 0.01)]
    return found


def test_all_of_it_is_heard(windows):
    for azimuth, begin, duration in [*CLAPS, VOICE]:
        found = [
            w.estimates[0].azimuth
            for time, w in windows
            if begin < time < begin + duration + 0.3 and w.estimates
        ]
        assert abs(np.median(found) - azimuth) < math.radians(10)


def test_a_clap_from_behind_wakes_and_nothing_else(wakes, points_at):
    ((time, message),) = wakes
    assert CLAPS[0][1] < time < CLAPS[0][1] + 0.6
    assert message.header.frame_id == 'mic_array'
    x, y, _ = points_at(message.pose)
    assert abs(math.atan2(y, x) - BEHIND) < math.radians(10)
