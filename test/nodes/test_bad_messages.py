# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of broken or foreign senders: dropped with a word, and the node goes on."""

import array
import itertools
import math

from builtin_interfaces.msg import Time
import numpy as np
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from doa_ros.audio.source import AudioBlock
from doa_ros.conversions.audio import audio_frame_from_block, make_header
from doa_ros.conversions.features import gcc_phat_from_window
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.headers import stamp_of
from doa_ros.msg import AudioFrame, DoaEstimate, DoaEstimateArray, FeatureSettings, GccPhat

FEATURES = FeatureConfig()
_HOP = 2400


def _audio(samples, number, **changes):
    block = AudioBlock(
        samples[number * _HOP : (number + 1) * _HOP], 48000, number * _HOP, number * 50_000_000
    )
    message = audio_frame_from_block(make_header(block.stamp, 'mic_array'), block)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def _drops(process):
    return process.output.count('dropped: ')


def test_gcc_phat_survives_bad_audio(start, listener, samples, uma8):
    process = start('gcc_phat')
    listener.publish_array(uma8)
    features = listener.collect(GccPhat, 'gcc_phat')
    publisher = listener.node.create_publisher(AudioFrame, 'audio', 50)
    listener.wait_for_subscriber('audio')
    listener.wait_for_publisher('gcc_phat')
    nan = array.array('B', np.full(2 * 8, math.nan, dtype='<f4').tobytes())
    loud = array.array('B', np.full(2 * 8, 1e30, dtype='<f4').tobytes())
    for changes in [
        {'data': array.array('B', bytes(7))},
        {'data': array.array('B')},
        {'format': 'mp3'},
        {'channel_count': 3},
        {'sampling_frequency': 16000},
        {'frame_sample_count': 0},
        {'frame_sample_count': 2**32 - 1},
        {'header': Header(frame_id='mic_array', stamp=Time(sec=-1))},
        {'header': Header(frame_id='mic_array', stamp=Time(nanosec=2**32 - 1))},
        {'header': Header(frame_id='mic_array', stamp=Time(sec=2**31 - 1))},
        {'header': Header(frame_id='')},
        {'format': 'float', 'frame_sample_count': 2, 'data': nan},
        {'format': 'float', 'frame_sample_count': 2, 'data': loud},
    ]:
        publisher.publish(_audio(samples, 0, **changes))
        listener.spin(0.05)
    process.wait_for('dropped: ')
    # Features are published once the node knows its subscriber, which may take a while.
    for last in range(100):
        publisher.publish(_audio(samples, last))
        listener.spin(0.2)
        if len(features) >= 3:
            break

    def windows():
        return [stamp_of(message.header) // 50_000_000 for message in features]

    # A jump: two windows more, the first of them after a full window of new samples.
    for number in range(last + 7, last + 10):
        publisher.publish(_audio(samples, number))
    listener.spin_until(lambda: windows()[-1] == last + 9, 'two windows after the gap')
    # A frame that comes twice is no new one.
    publisher.publish(_audio(samples, last + 9))
    listener.spin(0.2)
    # A sender that starts again: its first frame could be a straggler of the last.
    for number in range(3):
        publisher.publish(_audio(samples, number))
    listener.spin_until(lambda: windows()[-1] == 2, 'a window after the restart')
    process.wait_for(f'{6 * _HOP} samples of audio lost')
    assert np.isfinite([message.data for message in features]).all()
    first = windows()[0]
    assert 1 <= first <= last - 2
    assert windows() == [*range(first, last + 1), last + 8, last + 9, 2]
    assert all(stamp_of(message.header) % 50_000_000 == 0 for message in features)
    assert 1 <= _drops(process) <= 2, 'one line in five seconds is enough'
    assert process.alive
    assert process.stop() == 0
    assert 'Traceback' not in process.output


def test_estimator_survives_bad_features(start, listener, samples, uma8):
    process = start('doa_estimator', method='srp_phat')
    listener.publish_array(uma8)
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    publisher = listener.node.create_publisher(GccPhat, 'gcc_phat', 50)
    listener.wait_for_subscriber('gcc_phat')
    listener.wait_for_publisher('estimates')
    extractor = FeatureExtractor(uma8, FEATURES)
    windows = extractor.push(0, samples[: 60 * _HOP].astype(np.float32) / 2**31)

    stamps = itertools.count(7)

    def message(window=windows[-1], **changes):
        header = make_header(next(stamps), 'mic_array')
        message = gcc_phat_from_window(header, window, uma8, FEATURES)
        for name, value in changes.items():
            setattr(message, name, value)
        return message

    count = len(uma8.pairs) * FEATURES.lag_count
    for changes in [
        {'pair_first': [0], 'pair_second': [1], 'data': array.array('f', [0.0] * 13)},
        {'pair_first': [0, 1, 2]},
        {'settings': FeatureSettings()},
        {'settings': FeatureSettings(**FeatureConfig(lag_count=15).to_mapping())},
        {'data': array.array('f', [0.0])},
        {'data': array.array('f', [math.nan] * count)},
        {'activity': math.inf},
        {'header': Header()},
    ]:
        publisher.publish(message(**changes))
        listener.spin(0.05)
    process.wait_for('dropped: ')
    assert not estimates
    # What is published before the listener is known gets lost.
    listener.publish_until(lambda: estimates, publisher, message, 'an estimate after bad features')
    assert len(estimates[0].estimates) == 1
    assert _drops(process) == 1
    assert process.stop() == 0
    assert 'Traceback' not in process.output


def test_markers_survive_bad_estimates(start, listener, uma8):
    process = start('doa_markers')
    listener.publish_array(uma8)
    markers = listener.collect(MarkerArray, 'markers')
    publisher = listener.node.create_publisher(DoaEstimateArray, 'estimates', 50)
    listener.wait_for_subscriber('estimates')
    listener.wait_for_publisher('markers')

    def message(*estimates):
        return DoaEstimateArray(header=make_header(7, 'mic_array'), hop=0.05, estimates=estimates)

    first = message(DoaEstimate(azimuth=1.0, confidence=0.7))
    # Markers are published once the node knows its subscriber, which may take a while.
    listener.publish_until(lambda: markers, publisher, first, 'a first arrow')
    for bad in (
        DoaEstimate(azimuth=math.nan),
        DoaEstimate(elevation=math.inf),
        DoaEstimate(confidence=math.nan),
        DoaEstimate(confidence=-3.0),
        DoaEstimate(azimuth=1e300),
        DoaEstimate(elevation=2.0),
        DoaEstimate(azimuth_stddev=-1.0),
    ):
        publisher.publish(message(bad))
    publisher.publish(message(*[DoaEstimate()] * 1000))
    publisher.publish(DoaEstimateArray(hop=0.05, estimates=[DoaEstimate()]))
    publisher.publish(message(*[DoaEstimate(elevation=math.nan, confidence=0.5)] * 100))
    publisher.publish(message())
    # Without tracks, estimates are shown when the next ones come.
    listener.publish_until(
        lambda: any(m.scale.x == 1.0 for message in markers for m in message.markers),
        publisher,
        message(DoaEstimate(azimuth=1.0, elevation=0.0, confidence=1.0)),
        'an arrow',
    )
    assert all(
        math.isfinite(value)
        for message in markers
        for m in message.markers
        for value in (m.pose.orientation.x, m.pose.orientation.w, m.scale.x, m.color.r)
    )
    assert _drops(process) == 1
    assert process.stop() == 0
    assert 'Traceback' not in process.output
