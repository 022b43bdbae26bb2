# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Other arrays and models: the array and the model are all that has to be said."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import signal
import soundfile
import yaml

from doa_ros.core.features import FeatureConfig
from doa_ros.core.geometry import load_array, wrap_angle
from doa_ros.msg import DoaEstimateArray, GccPhat
from doa_ros.resources import find_resource

AZIMUTH, ELEVATION = math.radians(130), math.radians(20)
# What the launch file gives to every node.
_SHIPPED = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / 'config' / 'doa.yaml').read_text(encoding='utf-8')
)['/**']['ros__parameters']


@pytest.fixture
def play(plane_wave, tmp_path):
    """Return the parameters that play a plane wave at an array of this name."""

    def prepare(name):
        array = load_array(find_resource('arrays', name))
        path = tmp_path / 'wave.wav'
        audio = plane_wave(array, AZIMUTH, ELEVATION, duration=2.0)
        soundfile.write(path, audio, array.sampling_frequency, subtype='FLOAT')
        return {
            **_SHIPPED,
            'array': name,
            'source': 'file',
            'file': str(path),
            'loop': True,
            # Noise that goes on and on is not much of an event.
            'sensitivity': 1.0,
        }

    return prepare


def _assert_found(messages):
    azimuths = [message.estimates[0].azimuth for message in messages]
    assert abs(wrap_angle(np.median(azimuths) - AZIMUTH)) < math.radians(5)


@pytest.mark.parametrize('name', ['minidsp_uma16', 'respeaker_usb_4mic'])
def test_srp_phat_needs_the_array_alone(start, listener, play, name):
    process = start('doa_pipeline', **(play(name) | {'method': 'srp_phat'}))
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    listener.spin_until(lambda: len(estimates) > 20, 'estimates')
    assert process.stop() == 0
    _assert_found(estimates)


def test_a_recording_at_another_rate_that_was_cut_off(start, listener, play):
    parameters = play('respeaker_usb_4mic') | {'method': 'srp_phat'}
    path = Path(parameters['file'])
    audio, rate = soundfile.read(path)
    soundfile.write(path, signal.resample_poly(audio, 3, 1), 3 * rate, subtype='PCM_24')
    path.write_bytes(path.read_bytes()[:-48000])
    process = start('doa_pipeline', **parameters)
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    listener.spin_until(lambda: len(estimates) > 60, 'estimates')
    assert process.stop() == 0
    _assert_found(estimates)
    warnings = [line for line in process.output.splitlines() if '[WARN]' in line]
    # Once each, however often the recording begins again.
    assert sum('its header says 2.000 s, but 1.917 s' in line for line in warnings) == 1
    assert sum('sampled at 48000 Hz and resampled to the 16000' in line for line in warnings) == 1


@pytest.mark.parametrize('mode', ['pipeline', 'nodes'])
def test_cnn_needs_array_and_model_alone(start, listener, play, write_network, tmp_path, mode):
    array = load_array(find_resource('arrays', 'matrix_creator'))
    features = FeatureConfig(lag_rate=48000.0, lag_count=53, averaging=0.3, hop=0.04)
    model = write_network(tmp_path / 'trained.tflite', array, features)
    parameters = play('matrix_creator') | {'model': str(model), 'publish_audio': mode == 'nodes'}
    names = {
        'pipeline': ['doa_pipeline'],
        'nodes': ['gcc_phat', 'doa_estimator', 'audio_capture'],
    }[mode]
    processes = [start(name, **parameters) for name in names]
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    frames = listener.collect(GccPhat, 'gcc_phat')
    listener.spin_until(lambda: len(estimates) > 20 and frames, 'estimates and features')
    for node in ('gcc_phat', 'doa_estimator'):
        for name in ('lag_rate', 'averaging', 'hop'):
            assert listener.get(node, name) == getattr(features, name)
    assert [process.stop() for process in processes] == [0] * len(processes)
    _assert_found(estimates)
    assert frames[0].lag_count == 53
    assert len(frames[0].pair_first) == 28
