# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Conversions between messages and arrays, without DDS."""

import array
from dataclasses import fields, replace
import math

from geometry_msgs.msg import Point
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header

from doa_ros.audio.audio_frame import FORMATS, block_from_audio_frame
from doa_ros.audio.source import AudioBlock
from doa_ros.conversions.arrays import array_from_info, array_info
from doa_ros.conversions.audio import audio_frame_from_block, make_header, window_header
from doa_ros.conversions.directions import (
    directions_of,
    estimate_array,
    spectrum_message,
    target_pose,
    target_vector,
    track_array,
    tracks_of,
)
from doa_ros.conversions.features import (
    features_from_settings,
    gcc_phat_from_window,
    window_from_gcc_phat,
)
from doa_ros.core.array_file import load_array
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import MessageError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.features.source_cancellation import Residual
from doa_ros.core.geometry import MicArray, unit_vector
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.spectrum import SingleSourceSpectrum
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.headers import stamp_of
from doa_ros.msg import (
    AudioFrame,
    DoaEstimateArray,
    DoaSpectrum,
    FeatureSettings,
    GccPhat,
    MicArrayInfo,
)
from doa_ros.resources import find_resource

ARRAY = load_array(find_resource('arrays', 'uma8'))
FEATURES = FeatureConfig()
STAMP = 1_700_000_000_123_456_789
HEADER = make_header(STAMP, 'mic_array')


def _over_the_wire(message):
    return deserialize_message(serialize_message(message), type(message))


def _audio_frame(**changes):
    samples = np.arange(8 * 20, dtype=np.int16).reshape(20, 8)
    block = AudioBlock(samples, ARRAY.sampling_frequency, 960, STAMP)
    message = audio_frame_from_block(HEADER, block)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def _gcc_window():
    rng = np.random.default_rng(1)
    gcc = rng.uniform(-1, 1, (len(ARRAY.pairs), FEATURES.lag_count)).astype(np.float32)
    return WindowFeatures(features=gcc, activity=0.5, hop_index=0)


RESIDUAL = replace(FEATURES, residual=True)


def _gcc_phat(rest=None, microphones=ARRAY, **changes):
    window = replace(_gcc_window(), residual=rest)
    message = gcc_phat_from_window(HEADER, window, microphones, FEATURES)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize('stamp', [0, 1, 999_999_999, 1_000_000_000, STAMP, -1])
def test_stamps_survive_to_the_nanosecond(stamp):
    header = _over_the_wire(make_header(stamp, 'a'))
    assert stamp_of(header) == stamp
    assert header.frame_id == 'a'


def test_the_formats_are_those_of_the_message():
    formats = AudioFrame.FORMAT_SIGNED_16, AudioFrame.FORMAT_SIGNED_32, AudioFrame.FORMAT_FLOAT
    assert tuple(FORMATS) == formats


@pytest.mark.parametrize('dtype', ['int16', 'int32', 'float32'])
@pytest.mark.parametrize('channels', [8, 6])
def test_audio_survives_bit_by_bit(dtype, channels):
    rng = np.random.default_rng(2)
    if dtype == 'float32':
        samples = rng.uniform(-1, 1, (480, channels)).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        samples = rng.integers(limits.min, limits.max, (480, channels), dtype, endpoint=True)
    block = AudioBlock(samples, ARRAY.sampling_frequency, 2**40, STAMP)
    message = _over_the_wire(audio_frame_from_block(HEADER, block))
    received = block_from_audio_frame(message, ARRAY)
    assert received.samples.dtype == dtype
    assert np.array_equal(received.samples, samples)
    assert received.first_sample_index == 2**40
    assert received.sampling_frequency == ARRAY.sampling_frequency
    assert received.stamp == STAMP


def test_audio_that_is_not_contiguous():
    samples = np.arange(160, dtype=np.int32).reshape(8, 20).T
    block = AudioBlock(samples, ARRAY.sampling_frequency, 0, STAMP)
    message = audio_frame_from_block(HEADER, block)
    received = block_from_audio_frame(message, ARRAY)
    assert np.array_equal(received.samples, samples)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'format': 'opus'}, "unknown audio format 'opus'"),
        ({'format': ''}, 'unknown audio format'),
        ({'sampling_frequency': 44100}, '44100 Hz'),
        ({'sampling_frequency': 0}, '0 Hz'),
        ({'channel_count': 2}, '2 channels'),
        ({'channel_count': 0}, '0 channels'),
        ({'frame_sample_count': 0}, '0 samples'),
        ({'frame_sample_count': 2**32 - 1}, 'longer than 10 s'),
        ({'data': array.array('B', b'')}, '0 bytes'),
        ({'data': array.array('B', bytes(321))}, '321 bytes'),
        ({'format': AudioFrame.FORMAT_SIGNED_32}, 'bytes'),
    ],
)
def test_audio_that_contradicts_itself(changes, words):
    with pytest.raises(MessageError, match=words):
        block_from_audio_frame(_audio_frame(**changes), ARRAY)


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf, 3e38, -1e20])
def test_audio_with_values_that_are_no_samples(value):
    samples = np.zeros((20, 8), dtype=np.float32)
    samples[7, 3] = value
    block = AudioBlock(samples, ARRAY.sampling_frequency, 0, STAMP)
    message = audio_frame_from_block(HEADER, block)
    with pytest.raises(MessageError, match='NaN'):
        block_from_audio_frame(message, ARRAY)


@settings(max_examples=300)
@given(
    message=st.builds(
        AudioFrame,
        format=st.sampled_from(['signed_16', 'signed_32', 'float', 'x']),
        channel_count=st.sampled_from([0, 1, 6, 8, 2**32 - 1]),
        sampling_frequency=st.sampled_from([0, 48000, 2**32 - 1]),
        frame_sample_count=st.sampled_from([0, 1, 2, 3, 2**32 - 1]),
        first_sample_index=st.integers(0, 2**64 - 1),
        data=st.binary(max_size=100).map(lambda data: array.array('B', data)),
    )
    | st.builds(
        _audio_frame,
        format=st.just('float'),
        frame_sample_count=st.just(1),
        data=st.binary(min_size=32, max_size=32).map(lambda data: array.array('B', data)),
    )
)
def test_any_audio_frame_is_a_block_or_a_message_error(message):
    try:
        block = block_from_audio_frame(message, ARRAY)
    except MessageError:
        return
    assert block.samples.shape == (message.frame_sample_count, message.channel_count)
    assert np.isfinite(block.as_float()).all()


def test_window_header_is_that_of_the_block_where_they_begin_together():
    block = AudioBlock(np.zeros((2400, 8), np.int16), 48000, 4800, STAMP)
    assert window_header(HEADER, block, 4800) is HEADER


@pytest.mark.parametrize('offset', [-4800, -1, 1, 2399])
def test_window_header_is_shifted_to_the_first_new_sample(offset):
    block = AudioBlock(np.zeros((2400, 8), np.int16), 48000, 4800, STAMP)
    header = window_header(HEADER, block, 4800 + offset)
    assert stamp_of(header) - STAMP == pytest.approx(offset / 48000 * 1e9, abs=1)
    assert header.frame_id == HEADER.frame_id


def test_features_survive():
    window = _gcc_window()
    message = _over_the_wire(_gcc_phat())
    assert message.data == array.array('f', window.features.tobytes())
    received = window_from_gcc_phat(message, ARRAY, FEATURES)
    assert np.array_equal(received.features, window.features)
    assert received.features.dtype == np.float32
    assert received.activity == window.activity


@pytest.mark.parametrize('azimuth', [0.5, -3.0, math.nan])
@pytest.mark.parametrize('face_down', [False, True])
def test_the_residual_survives(azimuth, face_down):
    residual = Residual(-_gcc_window().features, azimuth)
    mounted = replace(ARRAY, face_down=face_down, rotation=2.0)
    message = _over_the_wire(_gcc_phat(residual, mounted))
    # In the frame of the header, like all directions.
    in_frame = mounted.frame_azimuth(azimuth)
    assert message.residual_azimuth == pytest.approx(in_frame, nan_ok=True)
    received = window_from_gcc_phat(message, mounted, RESIDUAL).residual
    assert np.array_equal(received.features, residual.features)
    assert received.azimuth == pytest.approx(azimuth, nan_ok=True)
    # Who does not want it does not look at it.
    assert window_from_gcc_phat(message, mounted, FEATURES).residual is None


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'residual': []}, 'residual of 0 values'),
        ({'residual': array.array('f', [math.nan] * 195)}, 'residual outside'),
        ({'residual': array.array('f', [2.0] * 195)}, 'residual outside'),
        ({'residual_azimuth': 4.0}, 'residual_azimuth'),
        ({'residual_azimuth': -math.inf}, 'residual_azimuth'),
    ],
)
def test_residuals_that_do_not_fit(changes, words):
    message = _gcc_phat(Residual(_gcc_window().features, 1.0), **changes)
    with pytest.raises(MessageError, match=words):
        window_from_gcc_phat(message, ARRAY, RESIDUAL)


@pytest.mark.parametrize(
    ('previous', 'gap'),
    [(2400, 0), (0, 2400), (2399, 1), (None, None), (4800, None), (480000, None)],
)
def test_features_after_a_gap_say_so(previous, gap):
    """The hop is 2400 samples; the index of a stream that starts again goes back."""
    message = _gcc_phat()
    message.first_sample_index = 4800
    received = window_from_gcc_phat(message, ARRAY, FEATURES, previous)
    assert (received.hop_index, received.gap) == (4800, gap)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'pair_first': [0], 'pair_second': [1]}, '1 pairs'),
        ({'pair_first': [], 'pair_second': []}, '0 pairs'),
        ({'pair_first': [0, 1]}, 'pairs'),
        ({'pair_second': []}, 'pairs'),
        ({'pair_first': [9] * 15}, 'pairs'),
        ({'sampling_frequency': 16000.0}, '16000 Hz'),
        ({'data': array.array('f', [0.0])}, '1 values'),
        ({'data': array.array('f', [math.nan] * 195)}, 'outside'),
        ({'data': array.array('f', [2.0] * 195)}, 'outside'),
        ({'activity': math.nan}, 'activity'),
        ({'activity': -0.5}, 'activity'),
        ({'activity': 7.0}, 'activity'),
    ],
)
def test_features_that_do_not_fit(changes, words):
    with pytest.raises(MessageError, match=words):
        window_from_gcc_phat(_gcc_phat(**changes), ARRAY, FEATURES)


_numbers = st.floats(allow_nan=True, allow_infinity=True)
_changes = st.fixed_dictionaries(
    {},
    optional={
        'pair_first': st.lists(st.integers(0, 2**32 - 1), max_size=20),
        'pair_second': st.lists(st.integers(0, 2**32 - 1), max_size=20),
        'sampling_frequency': _numbers,
        'activity': st.floats(width=32),
        'data': st.binary(max_size=15 * 13).map(lambda data: array.array('f', 4 * data)),
        'residual': st.binary(max_size=15 * 13).map(lambda data: array.array('f', 4 * data)),
        'residual_azimuth': _numbers,
    },
)


@settings(max_examples=300)
@given(changes=_changes, features=st.sampled_from([FEATURES, RESIDUAL]))
def test_any_gcc_phat_is_a_window_or_a_message_error(changes, features):
    message = _gcc_phat(Residual(_gcc_window().features, 1.0), **changes)
    try:
        window = window_from_gcc_phat(message, ARRAY, features)
    except MessageError:
        return
    assert window.features.shape == (15, 13)
    assert np.isfinite(window.features).all()
    assert np.isfinite(window.activity)
    assert (window.residual is not None) == features.residual
    assert window.residual is None or np.isfinite(window.residual.features).all()


def test_numpy_scalars_do_not_abort_the_process():
    # As they come out of computations; the generated C code wants plain floats.
    estimate = Estimate(*np.array([0.1, 0.2, 0.3, 0.4, 0.5], dtype=np.float32))
    _over_the_wire(_estimates([estimate]))
    window = replace(_gcc_window(), activity=np.float32(0.25))
    message = gcc_phat_from_window(HEADER, window, ARRAY, FEATURES)
    assert _over_the_wire(message).activity == 0.25
    for dtype in (np.float32, np.float64):
        spectrum = SingleSourceSpectrum(
            np.ones(36, dtype=dtype) / 36, np.ones(10, dtype=dtype) / 10
        )
        grid = DirectionGrid(36, 10)
        _over_the_wire(spectrum_message(HEADER, 0.1, spectrum, grid))
    scaled = replace(ARRAY, positions=ARRAY.positions.astype(np.float32))
    _over_the_wire(array_info(HEADER, scaled))


def test_estimates_survive():
    estimates = [
        Estimate(-3.0, 0.5, 0.1, 0.2, 0.75),
        Estimate(2.0, math.nan, 0.1, math.nan, 0.5),
    ]
    message = _over_the_wire(_estimates(estimates))
    assert isinstance(message, DoaEstimateArray)
    assert message.header == HEADER
    assert message.window_duration == 0.1
    received = directions_of(message).estimates
    assert received[0] == estimates[0]
    assert math.isnan(received[1].elevation) and math.isnan(received[1].elevation_stddev)


def test_spectrum_sums_to_one_whatever_the_rounding():
    values = np.round(np.random.default_rng(3).uniform(0, 255, 36)).astype(np.float32) / 256
    spectrum = SingleSourceSpectrum(values, np.full(10, 0.11, dtype=np.float32))
    grid = DirectionGrid(36, 10)
    message = _over_the_wire(spectrum_message(HEADER, 0.1, spectrum, grid))
    assert isinstance(message, DoaSpectrum)
    assert sum(message.azimuth_probability) == pytest.approx(1, abs=1e-6)
    assert sum(message.elevation_probability) == pytest.approx(1, abs=1e-6)
    assert np.argmax(message.azimuth_probability) == np.argmax(values)
    assert message.azimuth_step == pytest.approx(math.radians(10))
    assert message.elevation_step == pytest.approx(math.radians(10))


@pytest.mark.parametrize('elevation_count', [0, 10])
def test_spectrum_without_elevation(elevation_count):
    grid = DirectionGrid(36, elevation_count)
    spectrum = SingleSourceSpectrum(np.full(36, 1 / 36))
    message = spectrum_message(HEADER, 0.1, spectrum, grid)
    assert len(message.elevation_probability) == 0
    assert message.elevation_step == 0


def test_spectrum_of_nothing_is_finite():
    spectrum = SingleSourceSpectrum(np.zeros(36, dtype=np.float32), np.zeros(10, dtype=np.float32))
    message = spectrum_message(HEADER, 0.1, spectrum, DirectionGrid(36, 10))
    assert np.isfinite(message.azimuth_probability).all()


def test_array_info_is_in_the_mounted_frame():
    face_up = _over_the_wire(array_info(HEADER, ARRAY))
    face_down = array_info(HEADER, replace(ARRAY, face_down=True))
    assert isinstance(face_up, MicArrayInfo)
    assert [-p.y for p in face_up.positions] == [p.y for p in face_down.positions]
    assert list(face_up.channel_indices) == list(ARRAY.channels)


_UPRIGHT = np.array([[0, 0.03, 0.03], [0, -0.03, 0.03], [0, -0.03, -0.03], [0, 0.03, -0.03]])
_LINE = np.array([[0, -0.04, 0], [0, 0.04, 0]])


def test_array_info_says_what_the_array_cannot_tell(make_array, tetrahedron):
    turned = math.radians(90)
    for microphones, kind, axis in (
        (ARRAY, MicArrayInfo.AMBIGUITY_PLANE, (0, 0, 1)),
        (replace(ARRAY, face_down=True, rotation=1.0), MicArrayInfo.AMBIGUITY_PLANE, (0, 0, 1)),
        (tetrahedron, MicArrayInfo.AMBIGUITY_NONE, (0, 0, 0)),
        (make_array(_UPRIGHT, rotation=turned), MicArrayInfo.AMBIGUITY_PLANE, (0, 1, 0)),
        (make_array(_LINE, rotation=turned), MicArrayInfo.AMBIGUITY_LINE, (1, 0, 0)),
    ):
        message = _over_the_wire(array_info(HEADER, microphones))
        assert message.ambiguity == kind
        found = message.ambiguity_axis
        assert np.abs((found.x, found.y, found.z)) == pytest.approx(axis)


def test_spectrum_says_where_its_elevations_begin():
    grid = DirectionGrid(36, 19, -math.pi / 2)
    spectrum = SingleSourceSpectrum(np.full(36, 1 / 36), np.full(19, 1 / 19))
    message = _over_the_wire(spectrum_message(HEADER, 0.1, spectrum, grid))
    assert message.elevation_min == -math.pi / 2
    assert message.elevation_min + 18 * message.elevation_step == pytest.approx(math.pi / 2)


def _estimates(estimates, sound_age=0.0):
    directions = WindowDirections(tuple(estimates), 0.1, 0.05, sound_age)
    return estimate_array(HEADER, directions)


def test_gcc_phat_message_describes_its_data():
    message = _gcc_phat()
    assert isinstance(message, GccPhat)
    assert list(zip(message.pair_first, message.pair_second, strict=True)) == [
        tuple(pair) for pair in ARRAY.pairs.tolist()
    ]
    # As the definition of the message says.
    count, rate = message.settings.lag_count, message.settings.lag_rate
    assert (np.arange(count) - (count - 1) / 2) / rate == pytest.approx(FEATURES.lags)


def test_every_setting_of_the_features_is_in_the_message():
    names = [field.name for field in fields(FeatureConfig)]
    assert list(FeatureSettings.get_fields_and_field_types()) == names
    changed = FeatureConfig(lag_rate=47123.4, hop=0.0123, averaging_time=0.1, residual=True)
    message = FeatureSettings(**changed.to_mapping())
    assert features_from_settings(_over_the_wire(message)) == changed


@pytest.mark.parametrize(
    ('name', 'value'), [('hop', 0.0), ('lag_count', 12), ('band_max', math.nan), ('window', 1e9)]
)
def test_settings_that_are_none(name, value):
    message = FeatureSettings(**FeatureConfig().to_mapping())
    setattr(message, name, value)
    with pytest.raises(MessageError, match=name):
        features_from_settings(message)


_RING = [[0.043 * math.cos(a), 0.043 * math.sin(a), 0.0] for a in np.radians([0, 60, 120.1, 199])]


@pytest.mark.parametrize('face_down', [False, True])
@pytest.mark.parametrize('rotation', [0.0, 0.3, math.radians(-90), math.radians(137.3)])
def test_an_array_survives_to_the_bit(make_array, face_down, rotation):
    own = {'face_down': face_down, 'rotation': rotation}
    for microphones in (replace(ARRAY, **own), make_array(np.round(_RING, 5), **own)):
        message = _over_the_wire(array_info(HEADER, microphones))
        received = array_from_info(message)
        assert np.array_equal(received.positions, microphones.positions)
        # What only audio_capture needs to know is not in it.
        rest = ('positions', 'device', 'silent_channels', 'factory_channels', 'factory_advice')
        known = {field.name for field in fields(MicArray)} - set(rest)
        assert all(getattr(received, name) == getattr(microphones, name) for name in known)


@pytest.mark.parametrize(
    ('name', 'value', 'words'),
    [
        ('positions', [], 'at least two'),
        ('positions', [Point()] * 6, 'coincide'),
        ('positions', [Point()] * 10_000, '10000 microphones'),
        ('positions', [Point(x=math.nan), *[Point(x=k / 10) for k in range(1, 6)]], 'in metres'),
        ('channel_labels', ['a'], 'label'),
        ('channel_indices', [0], 'channel'),
        ('channel_count', 2, 'channels must lie in'),
        ('rotation', math.nan, 'turned'),
        ('rotation', math.inf, 'turned'),
        ('sampling_frequency', math.nan, 'samples per second'),
        ('sampling_frequency', 0.0, 'sampling_frequency'),
        ('speed_of_sound', math.nan, 'speed_of_sound'),
        ('header', Header(), 'frame_id'),
    ],
)
def test_arrays_that_are_none(name, value, words):
    message = array_info(HEADER, ARRAY)
    setattr(message, name, value)
    with pytest.raises(MessageError, match=words):
        array_from_info(message)


def test_tracks_survive(make_track):
    tracks = make_track(3), make_track(1, predicted=True, azimuth=1.0)
    message = _over_the_wire(track_array(HEADER, tracks))
    assert message.header == HEADER
    assert tracks_of(message) == tracks
    # As they come out of computations; the generated C code wants plain floats.
    _over_the_wire(track_array(HEADER, [make_track(azimuth=np.float32(0.5))]))


def test_tracks_without_elevation_survive(make_track):
    names = 'elevation', 'elevation_rate', 'elevation_stddev', 'elevation_rate_stddev'
    track = make_track(**dict.fromkeys(names, math.nan))
    message = _over_the_wire(track_array(HEADER, [track]))
    (received,) = tracks_of(message)
    assert all(math.isnan(getattr(received, name)) for name in names)
    assert received.azimuth == track.azimuth


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda m: setattr(m.tracks[0].estimate, 'azimuth', math.nan), 'azimuth'),
        (lambda m: setattr(m.tracks[0], 'track_id', 0), 'without an id'),
        (lambda m: setattr(m.tracks[0], 'track_id', 2), 'the same'),
        (lambda m: setattr(m.tracks[0], 'azimuth_rate', math.nan), 'rates'),
        (lambda m: setattr(m.tracks[0], 'elevation_rate', math.inf), 'rates'),
        (lambda m: setattr(m.tracks[0], 'azimuth_rate_stddev', -1.0), 'rates'),
        (lambda m: setattr(m.tracks[0], 'age', math.nan), 'old'),
        (lambda m: setattr(m.tracks[0], 'age', -1.0), 'old'),
        (lambda m: setattr(m.header, 'frame_id', ''), 'frame_id'),
        (lambda m: m.tracks.extend(m.tracks * 500), 'no directions'),
    ],
)
def test_tracks_that_are_not_usable(make_track, change, words):
    message = track_array(HEADER, [make_track(1), make_track(2)])
    message.header = make_header(STAMP, 'mic_array')
    change(message)
    with pytest.raises(MessageError, match=words):
        tracks_of(message)


@pytest.mark.parametrize('age', [math.nan, math.inf, -0.1])
def test_sound_of_no_age(age):
    with pytest.raises(MessageError, match='old'):
        directions_of(_estimates([], sound_age=age))
    with pytest.raises(MessageError, match='old'):
        window_from_gcc_phat(_gcc_phat(sound_age=age), ARRAY, FEATURES)


@pytest.mark.parametrize('hop', [math.nan, math.inf, 0.0, -0.1])
def test_directions_that_come_too_often_or_never(hop):
    message = _estimates([])
    message.hop = hop
    with pytest.raises(MessageError, match='cannot come every'):
        directions_of(message)


def test_the_age_of_sound_survives():
    window = replace(_gcc_window(), sound_age=0.25)
    message = _over_the_wire(gcc_phat_from_window(HEADER, window, ARRAY, FEATURES))
    assert window_from_gcc_phat(message, ARRAY, FEATURES).sound_age == 0.25
    assert _over_the_wire(_estimates([], sound_age=0.25)).sound_age == 0.25


@given(
    azimuth=st.floats(-math.pi, math.pi),
    elevation=st.floats(0, math.pi / 2) | st.just(math.nan),
)
def test_targets_point_at_the_track(points_at, make_track, azimuth, elevation):
    track = make_track(azimuth=azimuth, elevation=elevation)
    towards = unit_vector(azimuth, 0.0 if math.isnan(elevation) else elevation)
    pose = target_pose(HEADER, track)
    vector = target_vector(HEADER, track)
    assert pose.header == vector.header == HEADER
    assert points_at(pose.pose) == pytest.approx(towards, abs=1e-9)
    assert [vector.vector.x, vector.vector.y, vector.vector.z] == pytest.approx(towards, abs=1e-9)
