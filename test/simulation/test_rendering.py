# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sounds at microphones, against plain convolution and sums."""

import math

import numpy as np
import pytest

from doa_ros.simulation.rendering import (
    convolve,
    direct_sound,
    gain_to_level,
    gain_to_peak,
    render_moving,
)

RNG = np.random.default_rng(1)
SOUND = RNG.standard_normal(1000)
RESPONSES = RNG.standard_normal((2, 50))


def test_a_sound_is_convolved_with_each_response():
    heard = convolve(SOUND, RESPONSES)
    for microphone, response in zip(heard, RESPONSES, strict=True):
        np.testing.assert_allclose(microphone[:1049], np.convolve(SOUND, response), atol=1e-12)
        np.testing.assert_allclose(microphone[1049:], 0, atol=1e-12)


def test_what_else_the_sound_passes_is_multiplied():
    louder = convolve(SOUND, RESPONSES, lambda size: np.full((2, size // 2 + 1), 3.0))
    np.testing.assert_allclose(louder, 3 * convolve(SOUND, RESPONSES), atol=1e-12)
    np.testing.assert_array_equal(
        convolve(SOUND, RESPONSES, lambda size: None), convolve(SOUND, RESPONSES)
    )


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_a_source_that_comes_back_to_the_same_place_has_not_moved(dtype):
    sound = SOUND.astype(dtype)
    ramp = np.linspace(0, 1, 400)
    stops = [
        (0, np.concatenate([np.ones(300), 1 - ramp]), 'here'),
        (300, np.concatenate([ramp, np.ones(300)]), 'here, too'),
    ]
    heard = render_moving(sound, stops, lambda part, place: convolve(part, RESPONSES), 2)
    assert heard.dtype == dtype
    np.testing.assert_allclose(heard, convolve(SOUND, RESPONSES)[:, :1000], atol=1e-4)


def test_silence_is_not_rendered():
    def never(part, place):
        raise AssertionError

    assert not render_moving(np.zeros(100), [(0, np.ones(100), None)], never, 3).any()


def test_direct_sound_is_late_by_its_way():
    # 3.43 m are 10 ms.
    direct = direct_sound(SOUND, 3.43, 16000, 343.0)
    assert direct.shape == SOUND.shape
    assert not direct[:160].any()
    np.testing.assert_array_equal(direct[160:], SOUND[:-160])


def test_levels():
    power = float(np.mean(SOUND**2))
    louder = SOUND * gain_to_level(power, -6.0, reference=2.0)
    assert 10 * math.log10(np.mean(louder**2) / 2.0) == pytest.approx(-6)
    peak = np.abs(SOUND * gain_to_peak(SOUND, -30.0)).max()
    assert 20 * math.log10(peak) == pytest.approx(-30)
