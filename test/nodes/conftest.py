# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings for executables, and what is expected of them."""

import importlib.util
import json

import numpy as np
import pytest
from scipy import signal as dsp
import soundfile

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import unit_vector
from doa_ros.core.localization.compatibility import default_features
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.resources import find_resource
from doa_ros.simulation.acoustics import DiffuseField, impulse_responses

if importlib.util.find_spec('rclpy') is None:
    collect_ignore_glob = ['test_*.py']
else:
    from node_fixtures import listener, namespace, points_at, start, talk  # noqa: F401

    from doa_ros.nodes.configs import ModelConfig
    from doa_ros.nodes.topics import TOPICS

# Where the recording comes from [rad], and when there is sound in it [s].
AZIMUTH, ELEVATION = np.radians(70), np.radians(25)
FIRST_SOUND, LAST_SOUND, DURATION = 1.5, 3.7, 5.5


@pytest.fixture(scope='session')
def topics():
    """Return the names of the topics that each node publishes."""
    return {node: [topic.name for topic in published] for node, published in TOPICS.items()}


@pytest.fixture(scope='session')
def samples(uma8):
    """A recording of all channels, int32: noise alone, bursts of a source, noise alone."""
    rng = np.random.default_rng(5)
    rate, speed = uma8.sampling_frequency, uma8.speed_of_sound
    count = round(DURATION * rate)
    time_axis = np.arange(count) / rate
    sounding = (time_axis > FIRST_SOUND) & (time_axis < LAST_SOUND) & (time_axis % 0.6 < 0.4)
    source = rng.standard_normal(count) * sounding
    place = 2.0 * unit_vector(AZIMUTH, ELEVATION)
    responses = impulse_responses(place[None], np.ones(1), uma8.frame_positions, rate, 1000, speed)
    heard = dsp.fftconvolve(source[None], responses, axes=1)[:, :count]
    noises = rng.standard_normal((len(uma8.positions), count))
    heard += 0.02 * DiffuseField(uma8.frame_positions, rate, speed).mix(noises)
    audio = np.zeros((count, uma8.channel_count), dtype=np.int32)
    audio[:, list(uma8.channels)] = np.rint(heard.T / np.abs(heard).max() * 2**28)
    return audio


@pytest.fixture(scope='session')
def recording(samples, uma8, tmp_path_factory):
    path = tmp_path_factory.mktemp('audio') / 'recording.wav'
    soundfile.write(path, samples, uma8.sampling_frequency, subtype='PCM_32')
    return path


@pytest.fixture
def play_again_and_again(start, recording):
    """Start the pipeline, or its nodes and others, on a recording in a loop; return processes."""

    def play(mode, *others):
        source = {'source': 'file', 'file': str(recording), 'loop': True, 'publish_audio': True}
        if mode == 'pipeline':
            return [start('doa_pipeline', method='srp_phat', **source)]
        processes = [start(name, method='srp_phat') for name in ('gcc_phat', 'doa_estimator')]
        processes += [start(name) for name in others]
        return [*processes, start('audio_capture', **source)]

    return play


@pytest.fixture
def playing(virtual_uma8, samples, tmp_path):
    """A UMA-8 that hears the sound of `samples` again and again."""
    path = tmp_path / 'uma8.raw'
    np.tile(samples, (10, 1)).tofile(path)
    with virtual_uma8(path) as card:
        yield card


@pytest.fixture(scope='session')
def scene(tmp_path_factory):
    """A scene that is rendered faster than the shipped one, from the same recordings."""
    folder = find_resource('scenes', 'demo').parent
    content = {
        'rt60': 0.0,
        'duration': 6.0,
        'lead': 1.5,
        'tail': 0.5,
        'speech': str(folder / 'speech.flac'),
        'noise': str(folder / 'noise.flac'),
    }
    path = tmp_path_factory.mktemp('scene') / 'scene.yaml'
    path.write_text(json.dumps(content))
    return str(path)


@pytest.fixture(scope='session')
def every_node(scene):
    """Start all nodes, with the live page and Foxglove, by what starts executables."""

    def begin(start, **parameters):
        pytest.importorskip('foxglove', reason='Foxglove needs foxglove-sdk')
        given = {'source': 'sim', 'scene': scene, 'loop': True, 'method': 'srp_phat'}
        given |= {'port': 0, 'foxglove_port': 0}
        arguments = ['--dashboard', '--foxglove']
        return start('doa_pipeline', arguments=arguments, **given | parameters)

    return begin


@pytest.fixture(scope='session')
def require_model():
    """Skip where a method needs the shipped model and there is none."""

    def require(method):
        if method == 'cnn':
            try:
                return find_resource('models', ModelConfig.model)
            except ConfigError as error:
                pytest.skip(str(error))
        return None

    return require


@pytest.fixture(scope='session')
def expected(samples, uma8, require_model):
    """Return what the core finds in the recording: by index of the first new sample."""

    def locate(method):
        model = require_model(method)
        features = default_features(uma8, model)
        config = LocalizerConfig(method=method)
        extractor = FeatureExtractor(uma8, features)
        localizer = Localizer(uma8, features, config, model)
        windows = extractor.push(0, samples.astype(np.float32) / 2**31)
        return {window.hop_index: localizer.locate(window) for window in windows}

    return locate


@pytest.fixture(scope='session')
def flat():
    """Return a function that gives nested parameters their full names."""

    def flattened(parameters, prefix=''):
        found = {}
        for name, value in parameters.items():
            nested = isinstance(value, dict)
            found |= flattened(value, f'{prefix}{name}.') if nested else {prefix + name: value}
        return found

    return flattened
