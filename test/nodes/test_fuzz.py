# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Any message on any topic: no node ends, none publishes nonsense, and each goes on afterwards."""

import array
import functools
import math
import sys

from builtin_interfaces.msg import Time
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
import rclpy
from rclpy.publisher import Publisher
from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from doa_ros.audio.source import AudioBlock
from doa_ros.conversions.arrays import array_info
from doa_ros.conversions.audio import audio_frame_from_block, make_header
from doa_ros.conversions.directions import estimate_array, track_array
from doa_ros.conversions.features import gcc_phat_from_window
from doa_ros.core.array_file import load_array
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.localization.compatibility import default_features
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.track import Track
from doa_ros.headers import check_header
from doa_ros.msg import (
    AudioFrame,
    DoaEstimateArray,
    DoaSpectrum,
    DoaTrackArray,
    GccPhat,
    MicArrayInfo,
)
from doa_ros.nodes.doa_estimator_node import DoaEstimatorNode
from doa_ros.nodes.doa_markers_node import DoaMarkersNode
from doa_ros.nodes.doa_tracker_node import DoaTrackerNode
from doa_ros.nodes.gcc_phat_node import GccPhatNode
from doa_ros.nodes.publishing_thread import PublishingThread, Topic
from doa_ros.resources import find_resource

ARRAY = load_array(find_resource('arrays', 'uma8'))
FEATURES = default_features(ARRAY, find_resource('models', 'uma8_rooms_int8'))
_BLOCK = 2400
_STEP = 50_000_000
_BAD = (math.nan, math.inf, 1e30)
# Where a message says that this is not known.
_MAY_BE_NAN = ('elevation', 'elevation_rate', 'stddev', 'residual_azimuth')

# --- any message ----------------------------------------------------------------------

_INTEGERS = {
    f'{sign}int{bits}': st.integers(
        0 if sign else -(2 ** (bits - 1)), 2**bits - 1 if sign else 2 ** (bits - 1) - 1
    )
    for sign in ('u', '')
    for bits in (8, 16, 32, 64)
}
_SIMPLE = {
    **_INTEGERS,
    'boolean': st.booleans(),
    'double': st.floats(),
    'float': st.floats(width=32),
    'string': st.text(st.characters(exclude_categories=['Cs']), max_size=5)
    | st.sampled_from(['signed_16', 'signed_32', 'float', 'mic_array']),
    'sequence<uint8>': st.binary(max_size=64).map(lambda data: array.array('B', data)),
    'sequence<uint32>': st.lists(_INTEGERS['uint32'], max_size=20).map(
        lambda values: array.array('I', values)
    ),
    'sequence<float>': st.lists(st.floats(width=32), max_size=20).map(
        lambda values: array.array('f', values)
    ),
}


def _anything(kind: str):
    """Return a strategy of all values that a field of a type may have."""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind.startswith('sequence<'):
        return st.lists(_anything(kind[len('sequence<') : -1]), max_size=4)
    package, name = kind.split('/')
    module = __import__(f'{package}.msg', fromlist=[name])
    return any_message(getattr(module, name))


def any_message(message_type):
    """Return a strategy of messages whose fields are anything."""
    fields = message_type.get_fields_and_field_types()
    return st.builds(message_type, **{name: _anything(kind) for name, kind in fields.items()})


@st.composite
def stream(draw, makers, message_type):
    """Return messages of which some follow each other, and some have fields that are anything.

    Args:
        draw: given by hypothesis.
        makers: return a message by its place in the stream.
        message_type: of the messages.
    """
    messages = []
    fields = message_type.get_fields_and_field_types()
    for number in range(draw(st.integers(1, 4))):
        message = draw(st.sampled_from(makers))(number)
        for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=3, unique=True)):
            setattr(message, name, draw(_anything(fields[name])))
        messages.append(draw(st.just(message) | any_message(message_type)))
    return messages


# --- messages that are good, or nearly ------------------------------------------------


def _audio(number, samples):
    header = make_header(number * _STEP, 'mic_array')
    block = AudioBlock(samples, ARRAY.sampling_frequency, number * _BLOCK, 0)
    return audio_frame_from_block(header, block)


def _audio_makers():
    rng = np.random.default_rng(1)
    limits = np.iinfo(np.int32)
    kinds = [
        rng.integers(limits.min, limits.max, (_BLOCK, 8), dtype=np.int32, endpoint=True),
        rng.integers(-1000, 1000, (_BLOCK, 6), dtype=np.int16),
        rng.standard_normal((_BLOCK, 8)).astype(np.float32),
        np.full((_BLOCK, 8), 1e6, dtype=np.float32),
        np.full((_BLOCK, 6), 1e-40, dtype=np.float32),
        np.zeros((_BLOCK, 8), dtype=np.int32),
        np.full((_BLOCK, 8), limits.min, dtype=np.int32),
        np.ones((1, 8), dtype=np.int32),
        # All but the values is as it should be.
        *[np.full((_BLOCK, 8), value, dtype=np.float32) for value in _BAD],
    ]
    return [functools.partial(_audio, samples=samples) for samples in kinds]


def _features(number, gcc, activity):
    gcc = np.broadcast_to(np.float32(gcc), (len(ARRAY.pairs), FEATURES.lag_count))
    window = WindowFeatures(features=np.ascontiguousarray(gcc), activity=activity, hop_index=0)
    return gcc_phat_from_window(make_header(number * _STEP, 'mic_array'), window, ARRAY, FEATURES)


def _feature_makers():
    rng = np.random.default_rng(2)
    shape = len(ARRAY.pairs), FEATURES.lag_count
    noises = [rng.uniform(-1, 1, shape), 0.01 * rng.standard_normal(shape)]
    return [
        functools.partial(_features, gcc=gcc, activity=activity)
        for gcc in [*noises, 0.0, 1.0, -1.0, 1e-40, *_BAD]
        for activity in (0.0, 0.5, 1.0)
    ]


def _directions(number, *estimates):
    return estimate_array(
        make_header(number * _STEP, 'mic_array'), WindowDirections(estimates, 0.1, 0.05)
    )


def _tracks(number, *tracks):
    return track_array(make_header(number * _STEP, 'mic_array'), tracks)


def _track(number=1, **changes):
    known = dict.fromkeys(Track._fields, 0.1)
    return Track(**known | {'id': number, 'predicted': False, 'confirmed': True} | changes)


def _track_makers():
    return [
        _tracks,
        lambda number: _tracks(number, _track(1), _track(2, predicted=True)),
        lambda number: _tracks(number, *[_track(k, confidence=0.0) for k in range(50)]),
    ]


def _direction_makers():
    unknown = Estimate(-3.0, math.nan, math.nan, math.nan, 0.0)
    return [
        _directions,
        lambda number: _directions(number, Estimate(math.pi, math.pi / 2, 0.0, 0.0, 1.0)),
        lambda number: _directions(number, *[unknown] * 100),
    ]


# --- what nodes publish ---------------------------------------------------------------


def check(message):
    """Check that a message says what its definition promises."""
    serialize_message(message)
    _check_fields(message, type(message).__name__)
    check_header(message.header) if hasattr(message, 'header') else None
    if isinstance(message, GccPhat):
        assert len(message.data) == len(message.pair_first) * message.settings.lag_count
        assert np.abs(message.data).max() <= 1.01
        assert 0 <= message.activity <= 1.01
    if isinstance(message, DoaSpectrum):
        for values in (message.azimuth_probability, message.elevation_probability):
            assert all(-1e-6 <= value <= 1 + 1e-6 for value in values)
        assert len(message.azimuth_probability) == round(2 * math.pi / message.azimuth_step)
    if isinstance(message, DoaEstimateArray):
        confidences = [e.confidence for e in message.estimates]
        assert confidences == sorted(confidences, reverse=True)
        for e in message.estimates:
            assert -math.pi < e.azimuth <= math.pi
            assert math.isnan(e.elevation) or 0 <= e.elevation <= math.pi / 2 + 1e-9
            assert 0 <= e.confidence <= 1


def _check_fields(message, where):
    for name in message.get_fields_and_field_types():
        value = getattr(message, name)
        values = value if isinstance(value, list | tuple | array.array) else [value]
        for item in values:
            if isinstance(item, float):
                unknown = math.isnan(item) and name.endswith(_MAY_BE_NAN)
                assert math.isfinite(item) or unknown, f'{where}.{name} is {item}'
            elif hasattr(item, 'get_fields_and_field_types'):
                _check_fields(item, f'{where}.{name}')


def _callback(node, message_type):
    return next(s.callback for s in node.subscriptions if s.msg_type is message_type)


class Driven:
    """A node whose callbacks are called, and what it publishes.

    Args:
        node: the node.
        message_type: what it takes.
        follow: returns a good message of a number; they come in order.
        needed: of how many such messages the last brings something, whatever came before.
    """

    def __init__(self, node, message_type, follow, needed):
        self.node, self._follow, self._needed = node, follow, needed
        self._call = _callback(node, message_type)
        _callback(node, MicArrayInfo)(array_info(make_header(0, 'mic_array'), ARRAY))
        self.published = []

    def take(self, messages):
        """Let the node take messages, then some good ones, and check all that it publishes."""
        for message in messages:
            self._call(message)
        for message in self.published:
            check(message)
        del self.published[:]
        for number in range(self._needed):
            self._call(self._follow(len(messages) + number))
        assert self.published, f'{self.node.get_name()} does not go on'
        for message in self.published:
            check(message)
        del self.published[:]


@pytest.fixture(scope='module')
def drive(require_model):
    """Return a function that gives a node in this process by its name."""
    require_model('cnn')
    driven = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', ['fuzz'])
        # Somebody listens to everything.
        patch.setattr(Publisher, 'get_subscription_count', lambda _: 1)
        published = []
        patch.setattr(Topic, 'publish', lambda _, message: published.append(message))
        rclpy.init(args=['--ros-args', '--log-level', 'FATAL'])
        publishing = PublishingThread()

        def make(name):
            if name not in driven:
                node_type, *how = _NODES[name]
                driven[name] = Driven(node_type(publishing), *how)
                driven[name].published = published
            del published[:]
            return driven[name]

        yield make
        publishing.close()
        for one in driven.values():
            one.node.destroy_node()
        rclpy.shutdown()


# Markers are those of ten windows a second, and of none that seems to be a straggler.
_MARKED = 25
# Node, what it takes, good messages, and how many of them always bring something.
_NODES = {
    # One may seem to be a straggler, and a window is two frames long.
    'gcc_phat': (GccPhatNode, AudioFrame, lambda number: _audio(number, _NOISE), 4),
    'estimator': (DoaEstimatorNode, GccPhat, lambda number: _features(number, 0.01, 0.5), 2),
    'markers': (DoaMarkersNode, DoaEstimateArray, lambda n: _directions(n, _SURE), _MARKED),
    'tracker': (DoaTrackerNode, DoaEstimateArray, lambda number: _directions(number, _SURE), 2),
    'track markers': (DoaMarkersNode, DoaTrackArray, lambda n: _tracks(n, _track()), _MARKED),
}
_SURE = Estimate(0.1, 0.2, 0.1, 0.1, 0.9)
_NOISE = np.random.default_rng(3).integers(-(2**24), 2**24, (_BLOCK, 8), dtype=np.int32)


@given(messages=stream(_audio_makers(), AudioFrame))
def test_gcc_phat_takes_any_audio(drive, messages):
    drive('gcc_phat').take(messages)


@given(messages=stream(_feature_makers(), GccPhat))
def test_estimator_takes_any_features(drive, messages):
    drive('estimator').take(messages)


@given(messages=stream(_direction_makers(), DoaEstimateArray))
def test_markers_take_any_estimates(drive, messages):
    drive('markers').take(messages)


@given(messages=stream(_direction_makers(), DoaEstimateArray))
def test_tracker_takes_any_estimates(drive, messages):
    drive('tracker').take(messages)


@given(messages=stream(_track_makers(), DoaTrackArray))
def test_markers_take_any_tracks(drive, messages):
    drive('track markers').take(messages)


@given(messages=stream([lambda _: array_info(make_header(0, 'mic_array'), ARRAY)], MicArrayInfo))
def test_any_array_is_taken_or_refused(drive, messages):
    for name in ('gcc_phat', 'estimator', 'tracker', 'markers'):
        node = drive(name)
        for message in messages:
            _callback(node.node, MicArrayInfo)(message)
        _callback(node.node, MicArrayInfo)(array_info(make_header(0, 'mic_array'), ARRAY))
        node.take([])


@given(
    name=st.sampled_from(
        ['sensitivity', 'report_stationary', 'markers.arrow_length', 'method', 'model']
    ),
    value=st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=['Cs'], exclude_characters='\0'), max_size=5)
    | st.lists(st.floats(), max_size=2),
)
def test_parameters_take_what_they_allow(drive, name, value):
    node = drive('markers' if name == 'markers.arrow_length' else 'estimator').node
    try:
        parameter = rclpy.Parameter(name, value=value)
    except TypeError:
        return  # No ROS parameter can be that.
    before = node.get_parameter(name).value
    (result,) = node.set_parameters([parameter])
    if not result.successful:
        assert result.reason
        assert node.get_parameter(name).value == before
    elif isinstance(before, float):
        assert math.isfinite(value) and 0 <= value <= 100
    node.set_parameters([rclpy.Parameter(name, value=before)])


@given(header=any_message(Header), stamp=any_message(Time))
def test_any_header_is_a_time_and_a_frame_or_refused(header, stamp):
    for sample in (header, Header(stamp=stamp, frame_id='a')):
        message = DoaEstimateArray(header=sample)
        try:
            check_header(message.header)
        except Exception as error:
            assert type(error).__name__ == 'MessageError'
        else:
            assert sample.frame_id and sample.stamp.nanosec < 10**9
