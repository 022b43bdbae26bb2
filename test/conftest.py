# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What several test files share: arrays, plane waves and one simulated scene."""

from dataclasses import replace

import hypothesis
import numpy as np
import pytest

from doa_ros.core.features import FeatureConfig, FeatureExtractor
from doa_ros.core.geometry import MicArray, load_array, unit_vector
from doa_ros.core.localizer import Localizer, LocalizerConfig
from doa_ros.resources import find_resource

# The same examples in every run; a slow machine is no failure.
hypothesis.settings.register_profile('doa_ros', deadline=None, derandomize=True)
hypothesis.settings.load_profile('doa_ros')


@pytest.fixture(scope='session')
def uma8() -> MicArray:
    return load_array(find_resource('arrays', 'uma8'))


@pytest.fixture(scope='session')
def face_down(uma8) -> MicArray:
    return replace(uma8, face_down=True)


@pytest.fixture(scope='session')
def square() -> MicArray:
    """Four microphones on a small square, on other channels than they are listed in."""
    return MicArray(
        name='square',
        positions=np.array(
            [[0.02, 0.02, 0], [-0.02, 0.02, 0], [-0.02, -0.02, 0], [0.02, -0.02, 0]]
        ),
        labels=('a', 'b', 'c', 'd'),
        channels=(3, 1, 0, 4),
        channel_count=5,
        sampling_frequency=16000,
    )


@pytest.fixture(scope='session')
def plane_wave():
    """Return what the microphones hear of a far source of white noise."""

    def make(array, azimuth, elevation=0.0, *, duration=0.3, seed=1):
        rate = array.sampling_frequency
        count = round(duration * rate)
        source = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
        # Who is nearer to the source hears it earlier.
        delay = -array.frame_positions @ unit_vector(azimuth, elevation) / array.speed_of_sound
        shift = np.exp(-2j * np.pi * np.outer(delay, np.fft.rfftfreq(count, 1 / rate)))
        return (0.01 * np.fft.irfft(source * shift, count)).T.astype(np.float32)

    return make


@pytest.fixture(scope='session')
def extract():
    """Return all features of a piece of audio, pushed at once."""

    def run(array, samples, config=None):
        extractor = FeatureExtractor(array, config or FeatureConfig())
        return extractor.push(0, np.asarray(samples, dtype=np.float32))

    return run


@pytest.fixture(scope='session')
def locate(extract):
    """Return what SRP-PHAT says at the end of a piece of audio, whatever its confidence."""
    localizers = {}

    def run(array, samples):
        key = id(array)
        if key not in localizers:
            config = LocalizerConfig(method='srp_phat', sensitivity=1.0)
            localizers[key] = array, Localizer(array, FeatureConfig(), config)
        frames = extract(array, samples)
        return localizers[key][1].locate(frames[-1]).estimates[0]

    return run
