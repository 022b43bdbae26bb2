# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The shipped arrays: every one can be used, and finds plane waves where they come from."""

from dataclasses import replace
import math

import numpy as np
import pytest

from doa_ros.core.array_file import load_array
from doa_ros.core.features.config import FeatureConfig, lags_needed
from doa_ros.core.features.extractor import CLEAR_ACTIVITY
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.compatibility import default_features
from doa_ros.resources import config_directory, find_resource

_SHIPPED = sorted(path.stem for path in (config_directory() / 'arrays').glob('*.yaml'))
# By their makers: number of microphones, distance of the two that are farthest apart [m].
_MEASURES = {
    'matrix_creator': (8, 0.105),
    'minidsp_uma16': (16, 0.126 * math.sqrt(2)),
    'respeaker_4mic_hat': (4, 0.081),
    'respeaker_6mic_hat': (6, 0.0926),
    'respeaker_usb_4mic': (4, 0.064),
    'respeaker_xvf3800': (4, 0.066 * math.sqrt(2)),
    'uma8': (6, 0.086),
}


@pytest.fixture(scope='module', params=_SHIPPED)
def array(request):
    return load_array(find_resource('arrays', request.param))


@pytest.mark.parametrize('name', _MEASURES)
def test_number_and_size(name):
    array = load_array(find_resource('arrays', name))
    count, extent = _MEASURES[name]
    assert len(array.positions) == count
    assert array.max_delay * array.speed_of_sound == pytest.approx(extent, rel=1e-3)


def test_name_device_and_centre(array):
    assert array.name in _SHIPPED
    np.testing.assert_allclose(array.positions.mean(axis=0), 0, atol=1e-9)
    assert array.device


@pytest.mark.parametrize(
    ('name', 'channels', 'words'),
    [
        ('uma8', 2, 'RAW firmware'),
        ('respeaker_usb_4mic', 1, '6_channels_firmware'),
        ('respeaker_xvf3800', 2, '6-channel USB firmware'),
        ('matrix_creator', 0, ''),
    ],
)
def test_advice_for_devices_as_they_are_sold(name, channels, words):
    array = load_array(find_resource('arrays', name))
    assert array.factory_channels == channels
    assert words in array.factory_advice


def test_says_that_it_was_not_verified(array):
    text = find_resource('arrays', array.name).read_text(encoding='utf-8')
    comment = ' '.join(line[1:].strip() for line in text.splitlines() if line.startswith('#'))
    assert 'from public sources' in comment
    assert 'verified on a board by this project' in comment


@pytest.mark.parametrize('degrees', [-170, -90, -33, 0, 58, 90, 141])
def test_plane_waves_are_found(array, plane_wave, locate, degrees):
    azimuth = math.radians(degrees)
    found = locate(array, plane_wave(array, azimuth, 0.4))
    assert abs(wrap_angle(found.azimuth - azimuth)) < math.radians(1.5)
    assert found.elevation == pytest.approx(0.4, abs=math.radians(6))


def test_noise_from_everywhere_is_hardly_active(array, plane_wave, extract):
    # Directions spread evenly over the sphere, after the golden angle.
    number = np.arange(12)
    elevations = np.arcsin((2 * number + 1) / 12 - 1)
    azimuths = number * math.pi * (3 - math.sqrt(5))
    noise = sum(
        plane_wave(array, azimuth, elevation, duration=4.0, seed=seed)
        for seed, (azimuth, elevation) in enumerate(zip(azimuths, elevations, strict=True))
    )
    windows = extract(array, noise)
    # Below what counts as a sound, whatever the number of microphones.
    assert np.mean([window.activity for window in windows[40:]]) < 0.75 * CLEAR_ACTIVITY


def test_default_lags_reach_every_delay(array):
    features = default_features(array, None)
    assert features.lags[-1] >= array.max_delay
    assert features.lag_count >= FeatureConfig.lag_count
    shorter = lags_needed(array, 48000.0) // 2 - 1
    assert shorter / 48000 < array.max_delay <= (shorter + 1) / 48000


def test_default_features_of_a_large_array_have_more_lags(uma8):
    assert default_features(uma8, None) == FeatureConfig(noise_floor_time=4.0)
    uma16 = load_array(find_resource('arrays', 'minidsp_uma16'))
    assert default_features(uma16, None).lag_count == 19


# To the digit what it was at the rates that are common ...
@pytest.mark.parametrize('rate', [16000, 44100, 48000, 192000])
def test_default_band_of_common_rates(square, rate):
    band = default_features(replace(square, sampling_frequency=rate), None)
    assert (band.band_min, band.band_max) == (200.0, 7000.0)


# ... and below that as much as there is, down to the lowest rate that an array may have.
@pytest.mark.parametrize('rate', [8000, 8192, 11025, 12000])
def test_default_band_follows_the_rate(square, plane_wave, locate, rate):
    array = replace(square, sampling_frequency=rate)
    assert default_features(array, None).band_max == pytest.approx(0.45 * rate)
    found = locate(array, plane_wave(array, 2.0, 0.4, duration=1.0))
    assert found.azimuth == pytest.approx(2.0, abs=math.radians(3))


def test_default_features_are_those_of_the_model(square, write_network, tmp_path):
    features = FeatureConfig(lag_rate=48000.0, lag_count=53, averaging_time=0.3)
    model = write_network(tmp_path / 'a.tflite', square, features)
    assert default_features(square, model) == features
