# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Other arrays and models: the array and the model are all that has to be said."""

import math
from pathlib import Path
import re

from geometry_msgs.msg import PoseStamped, Vector3Stamped
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from scipy import signal
import soundfile
from visualization_msgs.msg import MarkerArray
import yaml

from doa_ros.conversions.features import features_from_settings
from doa_ros.core.array_file import load_array
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import unit_vector, wrap_angle
from doa_ros.msg import DoaEstimateArray, DoaTrackArray, GccPhat, MicArrayInfo
from doa_ros.resources import find_resource

AZIMUTH, ELEVATION = math.radians(130), math.radians(20)
_SHIPPED = Path(__file__).resolve().parents[2] / 'config' / 'doa.yaml'


@pytest.fixture
def shipped_parameters(flat):
    """What the launch file gives to every node."""
    content = yaml.safe_load(_SHIPPED.read_text(encoding='utf-8'))
    return flat(content['/**']['ros__parameters'])


@pytest.fixture
def play(plane_wave, tmp_path, shipped_parameters):
    """Return the parameters that play a plane wave at an array of this name."""

    def prepare(name):
        array = load_array(find_resource('arrays', name))
        path = tmp_path / 'wave.wav'
        audio = plane_wave(array, AZIMUTH, ELEVATION, duration=2.0)
        soundfile.write(path, audio, array.sampling_frequency, subtype='FLOAT')
        return {
            **shipped_parameters,
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


@pytest.fixture
def play_at(make_array, plane_wave, tmp_path, shipped_parameters):
    """Return the parameters that play a plane wave at microphones at these places."""

    def prepare(positions, azimuth_deg, elevation_deg):
        array = make_array(positions)
        path = tmp_path / 'array.yaml'
        microphones = [
            {'label': label, 'channel': channel, 'position': position}
            for label, channel, position in zip(
                array.labels, array.channels, array.positions.tolist(), strict=True
            )
        ]
        path.write_text(
            yaml.safe_dump(
                {
                    'name': array.name,
                    'sampling_frequency': array.sampling_frequency,
                    'channel_count': array.channel_count,
                    'microphones': microphones,
                }
            ),
            encoding='utf-8',
        )
        azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
        wave = tmp_path / 'wave.wav'
        heard = plane_wave(array, azimuth, elevation, duration=2.0)
        # A voice: noise that goes on and on is not much of an event.
        heard[: len(heard) // 4] *= 0.01
        soundfile.write(wave, heard, array.sampling_frequency, subtype='FLOAT')
        return {
            **shipped_parameters,
            'array': str(path),
            'source': 'file',
            'file': str(wave),
            'loop': True,
            'method': 'srp_phat',
        }

    return prepare


@pytest.mark.parametrize(
    ('positions', 'source', 'answer', 'ambiguity', 'said'),
    [
        (
            [[0.02, 0.02, 0.02], [0.02, -0.02, -0.02], [-0.02, 0.02, -0.02], [-0.02, -0.02, 0.02]],
            (40, -30),
            (40, -30),
            MicArrayInfo.AMBIGUITY_NONE,
            'it tells all directions apart',
        ),
        (
            [[0, 0.03, 0.03], [0, -0.03, 0.03], [0, -0.03, -0.03], [0, 0.03, -0.03]],
            (140, 20),
            (40, 20),
            MicArrayInfo.AMBIGUITY_PLANE,
            'the two sides of its plane',
        ),
        (
            [[0.04, 0, 0], [-0.04, 0, 0]],
            (-95, 0),
            (95, math.nan),
            MicArrayInfo.AMBIGUITY_LINE,
            'on a line',
        ),
    ],
)
def test_array_that_is_not_flat_and_horizontal(
    start, listener, play_at, positions, source, answer, ambiguity, said
):
    process = start('doa_pipeline', **play_at(positions, *source))
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    infos = listener.collect(MicArrayInfo, 'array_info', latched)
    tracks = listener.collect(DoaTrackArray, 'tracks')
    targets = listener.collect(PoseStamped, 'target')
    vectors = listener.collect(Vector3Stamped, 'target_vector')
    markers = listener.collect(MarkerArray, 'markers')
    listener.spin_until(
        lambda: sum(bool(m.tracks) for m in tracks) > 60 and infos and targets and vectors,
        'tracks',
    )
    assert process.stop() == 0
    assert process.output.count(said) == 1
    assert infos[0].ambiguity == ambiguity
    # One talker is one track.
    found = [track for message in tracks for track in message.tracks]
    assert len({track.track_id for track in found}) == 1
    azimuth = np.median([track.estimate.azimuth for track in found])
    assert math.degrees(azimuth) == pytest.approx(answer[0], abs=4)
    elevation = np.median([track.estimate.elevation for track in found])
    assert math.degrees(elevation) == pytest.approx(answer[1], abs=4, nan_ok=True)
    vector = vectors[-1].vector
    expected = unit_vector(*np.radians(np.nan_to_num(answer)))
    assert [vector.x, vector.y, vector.z] == pytest.approx(expected, abs=0.1)
    alike = any(marker.ns == 'alike' for message in markers for marker in message.markers)
    assert alike == (ambiguity != MicArrayInfo.AMBIGUITY_NONE)


def test_array_without_an_azimuth_is_refused(start, play_at):
    process = start('doa_pipeline', **play_at([[0, 0, -0.04], [0, 0, 0.04]], 0, 0))
    assert process.end() != 0
    assert 'one above the other' in process.output
    assert 'Traceback' not in process.output


def test_an_array_of_a_low_rate_just_works(start, listener, play, tmp_path):
    path = tmp_path / 'slow.yaml'
    content = yaml.safe_load(find_resource('arrays', 'respeaker_usb_4mic').read_text('utf-8'))
    path.write_text(yaml.safe_dump(content | {'sampling_frequency': 8192}))
    process = start('doa_pipeline', **(play(str(path)) | {'method': 'srp_phat'}))
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    listener.spin_until(lambda: len(estimates) > 20, 'estimates')
    assert listener.get('gcc_phat', 'features.band_max') == pytest.approx(0.45 * 8192)
    assert process.stop() == 0
    _assert_found(estimates)


_EXECUTABLES = {
    'pipeline': ['doa_pipeline'],
    'nodes': ['gcc_phat', 'doa_estimator', 'audio_capture'],
}


@pytest.mark.parametrize('model', ['uma8_rooms_int8', 'uma8_several_int8'])
@pytest.mark.parametrize('mode', _EXECUTABLES)
def test_network_of_a_smaller_ring_that_is_numbered_otherwise(start, listener, play, mode, model):
    parameters = play('respeaker_6mic_hat') | {
        'model': model,
        'publish_audio': mode == 'nodes',
        'report_stationary': True,
    }
    processes = [start(name, **parameters) for name in _EXECUTABLES[mode]]
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    windows = listener.collect(GccPhat, 'gcc_phat')
    listener.spin_until(lambda: len(estimates) > 60 and windows, 'estimates and features')
    assert [process.stop() for process in processes] == [0] * len(processes)
    _assert_found(estimates[20:])
    # The message still counts the microphones as the array's file does.
    array = load_array(find_resource('arrays', 'respeaker_6mic_hat'))
    window = windows[-1]
    pairs = np.stack([window.pair_first, window.pair_second], axis=1).astype(int)
    first, second = array.positions[pairs.T]
    expected = (second - first) @ unit_vector(AZIMUTH, ELEVATION) / array.speed_of_sound
    data = np.array(window.data).reshape(len(pairs), window.settings.lag_count)
    lags = features_from_settings(window.settings).lags
    np.testing.assert_allclose(lags[data.argmax(axis=1)], expected, atol=lags[1] - lags[0])
    said = ''.join(process.output for process in processes)
    assert said.count("has the shape of 'uma8', which the network was trained for") == 1


@pytest.mark.parametrize('mode', _EXECUTABLES)
def test_cnn_needs_array_and_model_alone(start, listener, play, write_network, tmp_path, mode):
    array = load_array(find_resource('arrays', 'matrix_creator'))
    features = FeatureConfig(lag_rate=48000.0, lag_count=53, averaging_time=0.3, hop=0.04)
    model = write_network(tmp_path / 'trained.tflite', array, features)
    parameters = play('matrix_creator') | {'model': str(model), 'publish_audio': mode == 'nodes'}
    processes = [start(name, **parameters) for name in _EXECUTABLES[mode]]
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    windows = listener.collect(GccPhat, 'gcc_phat')
    listener.spin_until(lambda: len(estimates) > 20 and windows, 'estimates and features')
    for name in ('lag_rate', 'averaging_time', 'hop'):
        assert listener.get('gcc_phat', f'features.{name}') == getattr(features, name)
    assert [process.stop() for process in processes] == [0] * len(processes)
    _assert_found(estimates)
    assert windows[0].settings.lag_count == 53
    assert len(windows[0].pair_first) == 28


def test_another_array_is_followed_or_refused(start, listener, play, require_model):
    """Whoever starts audio_capture again with another array need not start the others again."""
    require_model('cnn')
    # In the place of this model, no array gets another one.
    gcc_phat, estimator = (
        start(name, model='uma8_reference_int8') for name in ('gcc_phat', 'doa_estimator')
    )
    estimates = listener.collect(DoaEstimateArray, 'estimates')

    def capture(array):
        capture = start('audio_capture', **(play(array) | {'publish_audio': True}))
        capture.wait_for('the sound comes from')
        return capture

    def answered():
        listener.spin(1.0)
        del estimates[:]
        listener.spin_until(lambda: len(estimates) > 20, 'estimates')

    first = capture('uma8')
    answered()
    assert first.stop() == 0
    for array, process, words in (
        (
            'respeaker_usb_4mic',
            estimator,
            "6 microphones (uma8) and array 'respeaker_usb_4mic' has 4",
        ),
        ('minidsp_uma16', gcc_phat, 'set lag_count to'),
    ):
        other = capture(array)
        process.wait_for(words)
        listener.spin(0.5)
        del estimates[:]
        listener.spin(2.0)
        assert not estimates
        assert other.stop() == 0
    again = capture('uma8')
    answered()
    assert again.stop() == 0
    for process in (gcc_phat, estimator):
        assert process.stop() == 0
        # Once per array.
        errors = re.findall(r'\[ERROR\] \S+ (.*)', process.output)
        assert errors and len(set(errors)) == len(errors)
    assert 'does gcc_phat have the same model and method?' in estimator.output
