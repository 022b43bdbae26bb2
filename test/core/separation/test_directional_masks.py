# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Likelihoods of directions: high for a wave from there, low for all else."""

from dataclasses import replace

import numpy as np
import pytest

from doa_ros.core.array_file import load_array
from doa_ros.core.geometry import unit_vector
from doa_ros.core.separation.directional_masks import DirectionalMasks
from doa_ros.core.separation.short_time_fourier import Analysis
from doa_ros.resources import config_directory

_FREQUENCIES = Analysis(16000).frequencies
_ARRAYS = sorted(path.stem for path in (config_directory() / 'arrays').glob('*.yaml'))
_AHEAD, _LEFT = unit_vector(0.0, 0.3), unit_vector(np.pi / 2, 0.3)


def _likelihood(masks, direction, spectra):
    looked_at = masks.direction(direction)
    return looked_at.likelihood(looked_at.share(*masks.whitened(spectra)))


def _band(values, low, high):
    return values[(_FREQUENCIES >= low) & (_FREQUENCIES <= high)]


@pytest.mark.parametrize('name', _ARRAYS)
def test_a_wave_is_of_its_direction(name):
    array = load_array(config_directory() / 'arrays' / f'{name}.yaml')
    masks = DirectionalMasks(array, _FREQUENCIES)
    wave = masks.steering(_AHEAD)
    ahead, left = (_band(_likelihood(masks, d, wave), 1500, 3000) for d in (_AHEAD, _LEFT))
    assert ahead.min() > 100
    assert left.max() < 2


def test_low_frequencies_tell_less(uma8):
    masks = DirectionalMasks(uma8, _FREQUENCIES)
    wave = masks.steering(_AHEAD)
    ahead, left = (_likelihood(masks, direction, wave) for direction in (_AHEAD, _LEFT))
    ratio = ahead / left
    assert ratio[0] < 10
    assert _band(ratio, 1500, 3000).min() > 300


def test_diffuse_noise_is_background(uma8):
    generator = np.random.default_rng(1)
    masks = DirectionalMasks(uma8, _FREQUENCIES)
    waves = [masks.steering(d / np.linalg.norm(d)) for d in generator.standard_normal((100, 3))]
    noise = sum(w * np.exp(2j * np.pi * generator.random(w.shape[1])) for w in waves)
    likelihood = _band(_likelihood(masks, _AHEAD, noise.astype(np.complex64)), 1500, 7000)
    assert np.median(likelihood) < 0.5


def test_likelihoods_do_not_depend_on_the_level(uma8):
    masks = DirectionalMasks(uma8, _FREQUENCIES)
    wave = masks.steering(_AHEAD) + 0.5 * masks.steering(_LEFT)
    one, other = (_likelihood(masks, _AHEAD, wave * np.float32(g)) for g in (1e-4, 1e3))
    assert np.allclose(one, other, rtol=1e-3)


def test_silence_is_background(uma8):
    masks = DirectionalMasks(uma8, _FREQUENCIES)
    silence = np.zeros((6, len(_FREQUENCIES)), dtype=np.complex64)
    assert (_likelihood(masks, _AHEAD, silence) < 1).all()


def test_without_two_microphones_it_is_the_array_of_the_others(uma8):
    masks = DirectionalMasks(uma8, _FREQUENCIES)
    masks.leave_out(np.array([False, True, False, False, True, False]))
    alive = [0, 2, 3, 5]
    smaller = replace(
        uma8,
        positions=uma8.positions[alive],
        labels=tuple('abcd'),
        channels=(0, 1, 2, 3),
    )
    others = DirectionalMasks(smaller, _FREQUENCIES)
    wave = masks.steering(_AHEAD) + 0.5 * masks.steering(_LEFT)
    expected = _likelihood(others, _LEFT, wave[alive])
    assert np.allclose(_likelihood(masks, _LEFT, wave), expected, rtol=1e-2)


def test_a_turned_array_hears_in_the_mounted_frame(uma8):
    turned = replace(uma8, rotation=np.pi / 2)
    one = DirectionalMasks(uma8, _FREQUENCIES).steering(_AHEAD)
    other = DirectionalMasks(turned, _FREQUENCIES).steering(_LEFT)
    assert np.allclose(one, other, atol=1e-4)
