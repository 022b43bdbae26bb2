# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from training.rooms import Scene, draw_scene, room_responses


def scene(rt60):
    return Scene(
        size=np.array([5.0, 4.0, 3.0]),
        centre=np.array([2.0, 1.8, 1.0]),
        heading=0.4,
        azimuth=0.9,
        elevation=0.3,
        distance=1.5,
        rt60=rt60,
        snr=20.0,
    )


def test_direct_sound_arrives_when_it_must(uma8):
    microphones = scene(0.0).centre + uma8.positions
    responses = room_responses(scene(0.0), microphones, 48000, 343.0)
    distance = np.linalg.norm(microphones - scene(0.0).source, axis=1)
    np.testing.assert_allclose(responses.argmax(axis=1), distance / 343 * 48000, atol=1)


@pytest.mark.parametrize('rt60', [0.2, 0.45])
def test_reverberation_time(rt60):
    response = room_responses(scene(rt60), scene(rt60).centre[None], 16000, 343.0)[0]
    energy = np.cumsum(response[::-1] ** 2)[::-1]
    level = 10 * np.log10(energy / energy[0])
    # T20: from -5 to -25 dB, extrapolated to 60 dB.
    t20 = 3 * (np.argmax(level < -25) - np.argmax(level < -5)) / 16000
    assert t20 == pytest.approx(rt60, rel=0.3)


def test_drawn_scenes_stay_in_their_bounds():
    rng = np.random.default_rng(3)
    for _ in range(200):
        drawn = draw_scene(
            rng,
            rt60=(0.1, 0.7),
            snr=(0, 30),
            distance=(0.5, 3.5),
            elevation=(0.0, math.radians(85)),
        )
        assert drawn.fits
        assert 0.5 <= drawn.distance <= 3.5
        assert np.linalg.norm(drawn.source - drawn.centre) == pytest.approx(drawn.distance)
