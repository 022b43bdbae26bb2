# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a user can get wrong: one line that says so, and a status that is not 0."""

import sys

import numpy as np
import pytest
import soundfile

from doa_ros.nodes import (
    audio_capture_node,
    doa_estimator_node,
    doa_markers_node,
    doa_pipeline_node,
    doa_tracker_node,
    gcc_phat_node,
)

_MODULES = {
    'audio_capture': audio_capture_node,
    'doa_estimator': doa_estimator_node,
    'doa_markers': doa_markers_node,
    'doa_pipeline': doa_pipeline_node,
    'doa_tracker': doa_tracker_node,
    'gcc_phat': gcc_phat_node,
}


@pytest.fixture
def refusal(monkeypatch, capfd):
    """Run an executable's main() in this process; return the one line it ends with."""

    def run(executable, *parameters):
        arguments = [argument for p in parameters for argument in ('-p', p)]
        if executable == 'audio_capture':
            arguments = ['-p', 'publish_audio:=true', *arguments]
        monkeypatch.setattr(sys, 'argv', [executable, '--ros-args', *arguments])
        capfd.readouterr()
        assert _MODULES[executable].main() == 1
        lines = capfd.readouterr().err.splitlines()
        assert not any('Traceback' in line for line in lines)
        (fatal,) = [line for line in lines if '[FATAL]' in line]
        assert lines[-1] == fatal
        return fatal

    return run


@pytest.mark.parametrize(
    ('executable', 'parameter', 'words'),
    [
        ('audio_capture', 'source:=file', 'needs the parameter file'),
        ('audio_capture', 'publish_audio:=false', 'doa_pipeline finds directions without it'),
        ('audio_capture', 'source:=radio', 'must be one of device, file, sim'),
        ('audio_capture', 'frame_id:=""', 'frame_id must not be empty'),
        ('audio_capture', 'array:=uma16', "no array named 'uma16' (shipped: matrix_creator, "),
        ('audio_capture', 'array:=/no/such.yaml', '/no/such.yaml: no such file'),
        ('audio_capture', 'block_duration:=5.0', 'block_duration'),
        ('audio_capture', 'block_duration:=.nan', 'block_duration'),
        ('audio_capture', 'device:=2', 'device must be text (in quotes where it is a number)'),
        ('audio_capture', 'loop:=7', 'loop must be true or false, not 7'),
        ('gcc_phat', 'features.window:=wide', "features.window must be a number, not 'wide'"),
        ('gcc_phat', 'features.hop:=0.2', 'features.hop (0.2 s) must not exceed window (0.1 s)'),
        ('gcc_phat', 'features.lag_count:=12', 'features.lag_count must be odd'),
        ('doa_pipeline', 'features.lag_count:=5', 'set lag_count to 11 or more'),
        ('gcc_phat', 'features.lag_count:=-3', 'lag_count'),
        ('doa_pipeline', 'features.band_max:=24001.0', 'half the sampling frequency'),
        ('gcc_phat', 'features.band_min:=.inf', 'band_min'),
        ('doa_estimator', 'method:=guess', 'must be one of cnn, srp_phat'),
        ('doa_estimator', 'model:=best', "no model named 'best' (shipped: "),
        ('doa_estimator', 'model:=/no/such.tflite', '/no/such.tflite: no such file'),
        ('doa_estimator', 'sensitivity:=1.5', 'sensitivity must be at most 1.0, not 1.5'),
        ('doa_estimator', 'sensitivity:=.nan', 'sensitivity'),
        ('doa_markers', 'markers.arrow_length:=0.0', 'markers.arrow_length'),
        ('doa_tracker', 'tracker.track_timeout:=0.0', 'tracker.track_timeout'),
        (
            'doa_tracker',
            'tracker.gate_sigma:=wide',
            "tracker.gate_sigma must be a number, not 'wide'",
        ),
        ('doa_pipeline', 'array:=uma16', "no array named 'uma16'"),
    ],
)
def test_parameter_that_is_not_usable(refusal, executable, parameter, words):
    method = ['method:=srp_phat'] if 'method' not in parameter and 'model' not in parameter else []
    assert words in refusal(executable, *method, parameter)


def test_missing_device(refusal):
    # No machine that runs tests has this array; one that has is not asked.
    words = refusal('audio_capture', 'required:=true', 'device:=no such card')
    assert "contains 'no such card'" in words and 'try source:=sim' in words


@pytest.mark.parametrize('executable', ['audio_capture', 'doa_pipeline'])
def test_recording_that_is_not_usable(refusal, tmp_path, executable):
    garbage = tmp_path / 'garbage.wav'
    garbage.write_bytes(b'RIFF' + bytes(range(256)))
    stereo = tmp_path / 'stereo.wav'
    soundfile.write(stereo, np.zeros((100, 2)), 48000)
    for path, words in [
        (tmp_path / 'missing.wav', 'no such file'),
        (tmp_path, 'cannot be read'),
        (garbage, 'cannot be read as audio'),
        (tmp_path / ('a' * 300), 'file name too long'),
        ('~no-such-user/a.wav', 'no such file'),
        (stereo, '2 channels'),
    ]:
        line = refusal(executable, 'method:=srp_phat', 'source:=file', f'file:={path}')
        assert str(path) in line
        assert words in line


@pytest.mark.parametrize(
    ('parameter', 'words'),
    [
        ('features.lag_count:=41', 'its lag_count is 39 and the configured one is 41'),
        ('features.averaging_time:=1.0', 'its averaging_time is 0.5 and the configured one is 1'),
        ('delegate:=libnone.so', "delegate 'libnone.so' cannot be loaded, looked for in the"),
    ],
)
def test_model_that_does_not_fit(refusal, require_model, parameter, words):
    require_model('cnn')
    line = refusal('doa_pipeline', parameter)
    assert words in line and '[doa_estimator]' in line


def test_model_of_another_array(refusal):
    line = refusal('doa_pipeline', 'array:=matrix_creator', 'model:=uma8_reference_int8')
    assert "has 6 microphones (uma8) and array 'matrix_creator' has 8" in line


def test_model_that_is_damaged(refusal, require_model, tmp_path):
    shipped = require_model('cnn')
    copy = tmp_path / 'copy.tflite'
    copy.write_bytes(shipped.read_bytes() + b'x')
    assert 'missing' in refusal('doa_estimator', f'model:={copy}')
    copy.with_suffix('.yaml').write_bytes(shipped.with_suffix('.yaml').read_bytes())
    assert 'damaged' in refusal('doa_pipeline', f'model:={copy}')


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--params-file', '/no/such.yaml'], '/no/such.yaml'),
        (['-p', 'features.hop'], 'features.hop'),
        (['--no-such-option'], '--no-such-option'),
    ],
)
def test_ros_arguments_that_are_none(monkeypatch, capfd, arguments, words):
    monkeypatch.setattr(sys, 'argv', ['gcc_phat', '--ros-args', *arguments])
    assert gcc_phat_node.main() == 1
    fatal = capfd.readouterr().err.splitlines()[-1]
    assert '[FATAL]' in fatal
    assert words in fatal


@pytest.mark.parametrize('executable', ['audio_capture', 'doa_pipeline'])
def test_exit_status_of_the_process(start, executable):
    process = start(
        executable, source='file', file='/no/such.wav', method='srp_phat', publish_audio=True
    )
    assert process.end() == 1
    assert process.output.count('[FATAL]') == 1
    assert '/no/such.wav' in process.output
    assert 'Traceback' not in process.output


def test_recording_that_breaks_off_while_it_plays(start, tmp_path):
    path = tmp_path / 'nan.wav'
    samples = np.zeros((48000, 8), dtype=np.float32)
    samples[30000] = np.nan
    soundfile.write(path, samples, 48000, subtype='FLOAT')
    process = start('doa_pipeline', source='file', file=str(path), method='srp_phat')
    assert process.end() == 1
    assert 'samples that are NaN' in process.output
    assert 'Traceback' not in process.output
