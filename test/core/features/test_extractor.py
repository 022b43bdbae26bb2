# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The features: scale, weighting, activity and shape, and settings that do not fit."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor

_FINE = FeatureConfig(lag_rate=48000.0, lag_count=39)


@pytest.fixture(scope='module')
def noise(uma8):
    """Return 6 s of unrelated noise on all microphones, float32."""
    shape = (6 * uma8.sampling_frequency, 6)
    return 1e-4 * np.random.default_rng(1).standard_normal(shape).astype(np.float32)


@pytest.fixture(scope='module')
def bursts(uma8, plane_wave, noise):
    """Return the noise with a source 20 dB above it: 0.3 s of sound, 0.3 s of pause, from 3 s."""
    source = plane_wave(uma8, 0.7, duration=6.0) / 0.01 * 1e-3
    time = np.arange(len(noise)) / uma8.sampling_frequency
    return noise + source * ((time >= 3) & (time % 0.6 < 0.3))[:, None]


@pytest.mark.parametrize('config', [FeatureConfig(), _FINE])
def test_shape_and_type(uma8, extract, noise, config):
    windows = extract(uma8, noise[:14400], config)
    assert len(windows) == 5
    for window in windows:
        assert window.features.shape == (15, config.lag_count)
        assert window.features.dtype == np.float32
    assert [f.hop_index for f in windows] == [2400 * n for n in range(1, 6)]


def test_every_third_lag_of_the_fine_axis_is_the_coarse_axis(uma8, extract, bursts):
    np.testing.assert_allclose(_FINE.lags[1::3], FeatureConfig().lags, atol=1e-12)
    piece = bursts[140_000:180_000]
    for coarse, fine in zip(extract(uma8, piece), extract(uma8, piece, _FINE), strict=True):
        np.testing.assert_allclose(fine.features[:, 1::3], coarse.features, atol=1e-5)
        assert fine.activity == coarse.activity


_KINDS = {
    'noise': lambda rng, shape: rng.standard_normal(shape),
    'same': lambda rng, shape: np.repeat(rng.standard_normal((shape[0], 1)), shape[1], axis=1),
    'inverted': lambda rng, shape: rng.standard_normal((shape[0], 1)) * [1, -1, 1, -1, 1, -1],
    'click': lambda rng, shape: np.arange(shape[0])[:, None] == rng.integers(shape[0], size=6),
    'constant': lambda rng, shape: np.ones(shape),
    'silence': lambda rng, shape: np.zeros(shape),
    'one dead': lambda rng, shape: rng.standard_normal(shape) * [0, 1, 1, 1, 1, 1],
    'one loud': lambda rng, shape: rng.standard_normal(shape) * [1e6, 1, 1, 1, 1, 1],
}  # fmt: skip


@pytest.mark.filterwarnings('error')
@settings(max_examples=40)
@given(st.sampled_from(sorted(_KINDS)), st.integers(0, 99), st.sampled_from([1e-9, 1e-4, 1.0]))
def test_bounded_whatever_is_heard(uma8, extract, kind, seed, scale):
    samples = scale * _KINDS[kind](np.random.default_rng(seed), (12000, 6))
    for window in extract(uma8, samples):
        assert np.isfinite(window.features).all()
        assert np.abs(window.features).max() <= 1 + 1e-5
        assert 0 <= window.activity <= 1


@pytest.mark.filterwarnings('error')
def test_digital_silence_before_and_after_sound(uma8, extract, bursts):
    silence = np.zeros((96000, 6), dtype=np.float32)
    windows = extract(uma8, np.concatenate([silence, bursts[144_000:150_000], silence]))
    assert all(np.isfinite(f.features).all() for f in windows)
    assert windows[0].activity == 0
    assert (windows[0].features == 0).all()
    assert max(f.activity for f in windows) > 0.1
    # Two seconds later the average has forgotten the sound.
    assert windows[-1].activity < 1e-3


def test_activity_tells_bursts_from_noise(uma8, extract, noise, bursts):
    # Of the second half: the floor is known by then.
    quiet = [f.activity for f in extract(uma8, noise)[60:]]
    heard = [f.activity for f in extract(uma8, bursts)[70:]]
    assert max(quiet) < 0.05
    # The bursts fade from the average in the pauses.
    assert min(heard) > 0.1
    assert np.mean(heard) > 0.3


def test_a_clap_is_active_at_once(uma8, extract, noise):
    """Among half a second of noise it would count a tenth."""
    clap = noise.copy()
    clap[120_000:121_000] *= 30
    activity = [f.activity for f in extract(uma8, clap)]
    assert max(activity[40:48]) < 0.05
    assert max(activity[48:52]) > 0.3
    assert activity[65] < 0.05


def test_a_steady_source_is_not_active(uma8, extract, plane_wave):
    """At one place all microphones swing alike, more than in a diffuse field."""
    steady = [f.activity for f in extract(uma8, plane_wave(uma8, 0.7, duration=5.0))[30:]]
    assert np.median(steady) < 0.02 and max(steady) < 0.1


def test_activity_does_not_rise_with_the_level_of_the_noise(uma8, extract, noise):
    louder = noise.copy()
    louder[96_000:] *= 4
    # It rises with the step, and is gone after the memory of floor and average.
    activity = [f.activity for f in extract(uma8, louder, FeatureConfig())]
    assert max(activity[40:60]) > 0.3
    assert max(activity[105:]) < 0.1


@settings(max_examples=5)
@given(st.sampled_from([1e-6, 1e-3, 0.03, 30.0]))
def test_level_does_not_matter(uma8, extract, bursts, scale):
    piece = bursts[100_000:190_000]
    windows = extract(uma8, piece)
    scaled = extract(uma8, piece * np.float32(scale))
    for one, other in zip(windows, scaled, strict=True):
        np.testing.assert_allclose(one.features, other.features, atol=1e-4)
        assert one.activity == pytest.approx(other.activity, abs=1e-4)


def test_weighting_keeps_the_source_through_the_pauses(uma8, extract, bursts):
    lags = FeatureConfig().lags
    off = extract(uma8, bursts, FeatureConfig(weight_min=1.0))
    on = extract(uma8, bursts, FeatureConfig())
    # What is heard does not depend on how it is weighted.
    assert [f.activity for f in off] == [f.activity for f in on]

    # The height of the peak says how much of the average is the source.
    def height(windows):
        return np.mean([f.features.max(axis=1) for f in windows[70:]])

    assert height(on) > 1.3 * height(off)
    delays = uma8.tdoa(np.array([np.cos(0.7), np.sin(0.7), 0]))
    peaks = lags[on[-1].features.argmax(axis=1)]
    np.testing.assert_allclose(peaks, delays, atol=0.6 / 16000)


def test_weight_min_1_is_the_plain_average(uma8, extract, noise):
    config = FeatureConfig(weight_min=1.0, averaging_time=0.05)
    # Without averaging and weighting the features are the GCC-PHAT of their window.
    window = extract(uma8, noise[:9600], config)[-1]
    alone = extract(uma8, noise[4800:9600], config)[-1]
    np.testing.assert_allclose(window.features, alone.features, atol=1e-6)


def test_averaging_has_the_length_of_a_box(uma8, extract, noise):
    # The variance of an average over n windows falls by n; half of n as windows overlap by half.
    def spread(averaging):
        windows = extract(uma8, noise, FeatureConfig(weight_min=1.0, averaging_time=averaging))
        return np.mean(np.square([f.features for f in windows[60:]]))

    assert spread(0.05) / spread(0.5) == pytest.approx(10, rel=0.4)


def test_takes_all_channels_or_the_microphones(uma8, extract, noise):
    piece = noise[:9600]
    device = np.zeros((len(piece), 8), dtype=np.float32)
    device[:, 1:7] = piece
    device[:, 0] = 1
    for alone, together in zip(extract(uma8, piece), extract(uma8, device), strict=True):
        np.testing.assert_array_equal(alone.features, together.features)
    with pytest.raises(ConfigError, match='the audio has 2 channels'):
        extract(uma8, piece[:, :2])


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'lag_count': 12}, 'lag_count must be odd, not 12'),
        ({'hop': 0.2}, r'hop \(0.2 s\) must not exceed window \(0.1 s\)'),
        ({'band_min': 7000.0}, 'band_min must be below band_max'),
        ({'averaging_time': 0.01}, r'averaging_time must be at least the hop \(0.05 s\)'),
        ({'window': 0.0}, 'window must be at least 0.01'),
        ({'weight_min': 0.0}, 'weight_min must be at least 0.0001'),
    ],
)
def test_settings_that_contradict_each_other(settings, message):
    with pytest.raises(ConfigError, match=message):
        FeatureConfig(**settings)


def test_settings_that_do_not_fit_the_array(uma8):
    with pytest.raises(ConfigError, match=r"band_max 30000 Hz .* of array 'uma8' \(48000 Hz\)"):
        FeatureExtractor(uma8, FeatureConfig(band_max=30000.0))
    with pytest.raises(ConfigError, match='no frequency bin lies between'):
        FeatureExtractor(uma8, FeatureConfig(band_min=201.0, band_max=209.0))


def test_lags_must_reach_the_largest_delay(uma8):
    with pytest.raises(ConfigError, match='set lag_count to 11 or more'):
        FeatureExtractor(uma8, FeatureConfig(lag_count=7))
    FeatureExtractor(uma8, FeatureConfig(lag_count=11))
    far = replace(uma8, positions=uma8.positions * 3)
    with pytest.raises(ConfigError, match='set lag_count to 27 or more'):
        FeatureExtractor(far, FeatureConfig())


def test_sound_ages_in_a_pause(uma8, extract, bursts):
    windows = extract(uma8, bursts)
    begin = np.array([window.hop_index for window in windows]) / uma8.sampling_frequency
    age = np.array([window.sound_age for window in windows])
    # A burst begins at 4.8 s and lasts for 0.3 s; windows of 0.1 s overlap with it.
    burst, pause = (age[(begin > t) & (begin < t + 0.17)] for t in (4.94, 5.14))
    assert (burst < 0.21).all()
    np.testing.assert_allclose(np.diff(pause), 0.05, atol=0.005)


def test_sound_that_goes_on_is_as_old_as_the_average(uma8, extract, plane_wave, noise):
    # Steady for less than the noise floor takes to learn it.
    samples = noise[: 4 * uma8.sampling_frequency].copy()
    samples[144_000:] += plane_wave(uma8, 0.7, duration=1.0) / 0.01 * 1e-3
    windows = extract(uma8, samples)
    keep = 9 / 11
    assert windows[-1].sound_age == pytest.approx(0.05 * keep / (1 - keep), abs=0.03)
