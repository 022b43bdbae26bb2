# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the figures listen to: a talker who walks once around the array, and a fan."""

from typing import Any

import numpy as np

from doa_ros.audio.recordings.mono import read_mono
from doa_ros.core.array_file import load_array
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor, WindowFeatures
from doa_ros.core.geometry import unit_vector
from doa_ros.core.localization.compatibility import default_features
from doa_ros.resources import DEFAULT_MODEL, find_resource
from doa_ros.simulation.acoustics import impulse_responses
from doa_ros.simulation.rendering import convolve, gain_to_level
from doa_ros.simulation.scene import SceneConfig, render

ARRAY = load_array(find_resource('arrays', 'uma8'))
FEATURES = default_features(ARRAY, find_resource('models', DEFAULT_MODEL))
# Once around, without a pause at the beginning and the end.
SCENE = SceneConfig(
    duration=20.0, lead=0.5, tail=0.0, azimuth_deg=-180.0, speed_deg=18.0, rt60=0.25, snr=20.0
)
FAN_AZIMUTH = np.radians(60)
_FAN_DISTANCE = 2.0
_SOUNDS = find_resource('scenes', 'demo').parent


def walk(fan_db: float | None = None) -> np.ndarray:
    """Return what all channels hear, float, shape (samples, channels).

    Args:
        fan_db: power of a fan over that of the talker [dB]; None without a fan.
    """
    rate = ARRAY.sampling_frequency
    speech, noise = (read_mono(_SOUNDS / f'{name}.flac', rate) for name in ('speech', 'noise'))
    heard = render(SCENE, ARRAY, speech, noise)[0] / 2.0**31
    if fan_db is not None:
        heard[:, list(ARRAY.channels)] += _fan(len(heard), float(np.mean(heard**2)), fan_db)
    return heard.astype(np.float32)


def _fan(length: int, power: float, level_db: float) -> np.ndarray:
    """Return pink noise from one direction, shape (samples, microphones)."""
    rate = ARRAY.sampling_frequency
    white = np.random.default_rng(1).standard_normal(length)
    spectrum = np.fft.rfft(white) / np.sqrt(np.maximum(1, np.arange(length // 2 + 1)))
    pink = np.fft.irfft(spectrum, length)
    place = _FAN_DISTANCE * unit_vector(FAN_AZIMUTH, 0.3)
    response = impulse_responses(
        place[None], np.ones(1), ARRAY.frame_positions, rate, rate // 20, ARRAY.speed_of_sound
    )
    fan = convolve(pink, response)[:, :length]
    return (fan * gain_to_level(float(np.mean(fan**2)), level_db, power)).T


def windows(sound: np.ndarray, **settings: Any) -> list[WindowFeatures]:
    """Return the features of a sound, with the settings of the default network but for some."""
    config = FeatureConfig(**(FEATURES.to_mapping() | settings))
    return FeatureExtractor(ARRAY, config).push(0, sound)


def times(found: list[WindowFeatures]) -> np.ndarray:
    """Return the time of each window [s]."""
    return np.array([window.hop_index for window in found]) / ARRAY.sampling_frequency
