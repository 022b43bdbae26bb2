# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""With whitening, a sound is found beside louder noise from another direction."""

from dataclasses import replace

import numpy as np
import pytest

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.features.steered_response import SteeredResponse
from doa_ros.core.geometry import wrap_angle

_PLAIN = FeatureConfig(lag_rate=48000.0, lag_count=39)
_WHITENED = replace(_PLAIN, whitening=True)
_GRID = DirectionGrid(azimuth_count=72, elevation_count=10)
_NOISE, _SOUND = -1.2, 0.8


@pytest.fixture(scope='module')
def noise(uma8, plane_wave):
    """Return 5 s of noise from one direction, and 30 dB below it that of the microphones."""
    wave = plane_wave(uma8, _NOISE, 0.2, duration=5.0, seed=2)
    own = np.random.default_rng(3).standard_normal(wave.shape)
    return (wave + 10**-1.5 * wave.std() * own).astype(np.float32)


@pytest.fixture(scope='module')
def bursts(uma8, plane_wave, noise):
    """Return it with a sound 10 dB below: 0.3 s of it, then 0.3 s of pause, from 3 s on."""
    sound = plane_wave(uma8, _SOUND, 0.4, duration=5.0, seed=4)
    time = np.arange(len(noise)) / uma8.sampling_frequency
    return noise + 10**-0.5 * sound * ((time >= 3) & (time % 0.6 < 0.3))[:, None]


def _directions(array, windows, config):
    response = SteeredResponse(GccPhat(array, config)).response
    return np.array([_GRID.azimuths[response(w.features).max(axis=0).argmax()] for w in windows])


def _apart(azimuths, azimuth):
    return np.degrees(np.abs(wrap_angle(azimuths - azimuth)))


def test_a_sound_is_found_below_the_noise(uma8, extract, bursts):
    for config, expected in [(_PLAIN, _NOISE), (_WHITENED, _SOUND)]:
        windows = extract(uma8, bursts, config)[66:]
        assert (_apart(_directions(uma8, windows, config), expected) < 6).mean() > 0.9


def test_activity_is_that_of_the_sound_above_the_noise(uma8, extract, noise, bursts):
    windows = extract(uma8, bursts, _WHITENED)
    assert max(w.activity for w in windows[40:58]) < 0.02
    assert np.median([w.activity for w in windows[64:]]) > 0.2
    assert max(w.activity for w in extract(uma8, noise, _WHITENED)[40:]) < 0.02


def test_a_noise_that_has_begun_is_no_sound(uma8, extract, plane_wave, noise):
    other = 3 * plane_wave(uma8, -_SOUND, 0.3, duration=5.0, seed=6)
    other[: 3 * uma8.sampling_frequency] = 0
    activity = [w.activity for w in extract(uma8, noise + other, _WHITENED)]
    assert max(activity[62:70]) > 0.2
    assert max(activity[90:]) < 0.05


def test_a_second_noise_that_swells_and_ebbs_is_no_sound(uma8, extract, plane_wave, noise):
    time = np.arange(len(noise)) / uma8.sampling_frequency
    swell = (1 + 0.5 * np.sin(2 * np.pi * time)) * (time > 0.8)
    other = 0.1 * swell[:, None] * plane_wave(uma8, _SOUND, 0.2, duration=5.0, seed=5)
    config = replace(_WHITENED, noise_floor_time=2.0)
    assert max(w.activity for w in extract(uma8, noise + other, config)[70:]) < 0.12


def test_a_tone_beside_noise_does_not_make_its_band_active(uma8, extract, noise):
    time = np.arange(len(noise)) / uma8.sampling_frequency
    tone = noise.std() * np.sin(2 * np.pi * 1000 * time) * np.sin(np.pi * time) ** 2 * (time > 3)
    activity = [w.activity for w in extract(uma8, noise + tone[:, None], _WHITENED)]
    assert max(activity[45:]) < 0.04


def test_where_noise_comes_from_all_around_the_features_are_the_same(uma8, extract, plane_wave):
    sound = np.zeros((115_200, 6), dtype=np.float32)
    sound[96_000:] = plane_wave(uma8, _SOUND, 0.4, duration=0.4)
    own = 1e-3 * np.random.default_rng(5).standard_normal(sound.shape).astype(np.float32)
    plain, whitened = (extract(uma8, sound + own, c)[36:] for c in (_PLAIN, _WHITENED))
    for one, other in zip(plain, whitened, strict=True):
        assert (one.features == other.features).all()
        assert one.activity == pytest.approx(other.activity, abs=1e-4)
    assert _apart(_directions(uma8, whitened[8:], _WHITENED), _SOUND).max() < 4


def test_features_do_not_exceed_1(uma8, extract, bursts):
    config = replace(_WHITENED, residual=True)
    for window in extract(uma8, bursts, config):
        assert np.abs(window.features).max() < 1 + 1e-5
        assert window.features.dtype == np.float32


def test_after_a_gap_the_noise_is_still_known(uma8, bursts):
    extractor = FeatureExtractor(uma8, _WHITENED)
    extractor.push(0, bursts[:144_000])
    # From here on 0.3 s of sound, not heard before.
    windows = extractor.push(1_000_000, bursts[172_800:187_200])
    assert windows[0].gap
    assert (_apart(_directions(uma8, windows[:4], _WHITENED), _SOUND) < 6).all()


def test_a_dead_microphone_has_no_features(uma8, extract, bursts):
    broken = bursts.copy()
    broken[:, 2] = 0
    windows = extract(uma8, broken, _WHITENED)[66:]
    dead = (uma8.pairs == 2).any(axis=1)
    assert not windows[-1].features[dead].any()
    assert (_apart(_directions(uma8, windows, _WHITENED), _SOUND) < 11).mean() > 0.9


def test_digital_silence(uma8, extract):
    for window in extract(uma8, np.zeros((14400, 6)), _WHITENED):
        assert not window.features.any()
        assert window.activity == 0
