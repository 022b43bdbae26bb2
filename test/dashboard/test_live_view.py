# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is sent to the page."""

import base64
import json
import math

import numpy as np
import pytest

from doa_ros.audio.source import AudioBlock
from doa_ros.core.array_check.channel_health import ChannelHealth
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.monitoring import Level, Status
from doa_ros.core.tracking.track import Track
from doa_ros.dashboard import live_view
from doa_ros.dashboard.channels import channels_of
from doa_ros.dashboard.encoding import encode, image
from doa_ros.dashboard.live_view import LiveView
from doa_ros.dashboard.processor_time import ProcessorTime


def _track(number, **changes):
    values = dict.fromkeys(Track._fields, 0.25)
    return Track(**values | {'id': number, 'confirmed': True, 'predicted': False} | changes)


def _bytes(picture):
    shape = picture['rows'], picture['columns']
    return np.frombuffer(base64.b64decode(picture['bytes']), np.uint8).reshape(shape)


@pytest.fixture
def clock(monkeypatch):
    """The time that the view sees [s]; what is added to it passes."""
    now = [1000.0]
    monkeypatch.setattr(live_view.time, 'monotonic', lambda: now[0])
    return now


def test_a_picture_is_as_exact_as_bytes_can_be(rng):
    values = np.array([[rng.uniform(-0.3, 0.7) for _ in range(39)] for _ in range(15)])
    picture = image(values)
    decoded = (_bytes(picture).astype(float) - 127) / 127 * picture['peak']
    assert np.abs(decoded - values).max() <= picture['peak'] / 127


@pytest.mark.parametrize('values', [[0.0, 0.0], [math.nan, math.inf], []])
def test_a_picture_of_nothing(values):
    picture = image(np.array(values))
    assert picture['peak'] == 0
    assert (_bytes(picture) == 127).all()


def test_a_frame_is_json_and_small(uma8):
    view = LiveView()
    view.take_array(uma8)
    view.take_features(np.full((15, 39), 0.5, np.float32), np.linspace(-4e-4, 4e-4, 39))
    view.take_spectrum(np.full(72, 1 / 72, np.float32), 0.0, math.radians(5))
    view.take_estimates(5_000_000_000, 5_070_000_000, [Estimate(0.5, math.nan, 0.1, 0.1, 0.9)])
    view.take_tracks([_track(700_000_001, elevation=math.nan)])
    view.take_block(AudioBlock(np.zeros((480, 8), np.int32), 48000, 0, 0))
    content = encode(view.frame())
    assert len(content) < 2000
    frame = json.loads(content)
    assert frame['stamp'] == 5.0
    assert frame['latency'] == 0.07
    assert frame['estimates'] == [
        {'azimuth': 0.5, 'elevation': None, 'azimuth_stddev': 0.1, 'confidence': 0.9}
    ]
    assert frame['tracks'][0]['number'] == 1
    assert frame['tracks'][0]['id'] == 700_000_001
    assert frame['tracks'][0]['elevation'] is None
    assert (frame['gcc_phat']['rows'], frame['gcc_phat']['columns']) == (15, 39)
    assert frame['gcc_phat']['longest_lag'] == pytest.approx(4e-4)
    assert frame['levels'] == [-120.0] * 8


def test_what_is_not_renewed_is_left_out(clock):
    view = LiveView()
    view.take_tracks([_track(1)])
    clock[0] += 1.5
    view.take_estimates(0, 0, [])
    assert 'tracks' in view.frame()
    clock[0] += 1.0
    assert set(view.frame()) == {'stamp', 'latency', 'estimates'}


def test_another_array_leaves_nothing_of_the_first(uma8):
    view = LiveView()
    view.take_features(np.ones((15, 39)), np.ones(39))
    view.take_array(uma8)
    assert view.frame() == {}
    shown = view.status()['array']
    assert shown['name'] == 'uma8'
    assert shown['pairs'][0] == ['ring_1', 'ring_2']
    assert [m['label'] for m in shown['microphones']] == list(uma8.labels)


def test_a_node_that_falls_silent_is_an_error(clock):
    view = LiveView()
    view.take_status('gcc_phat', Status(Level.OK, 'well', {'a': 'b'}))
    (node,) = view.status()['nodes']
    assert node == {'node': 'gcc_phat', 'level': 0, 'message': 'well', 'values': {'a': 'b'}}
    clock[0] += 6
    (node,) = view.status()['nodes']
    assert (node['level'], node['message']) == (2, 'says nothing any more')


def test_levels_and_faults_are_those_that_the_health_of_channels_tells(uma8):
    generator = np.random.default_rng(1)
    audio = 0.01 * generator.standard_normal((8 * 48000, 8))
    audio[:, 7] = 0
    audio[:, 2] = 0.02  # nothing but an offset: dead
    audio[:, 4] = np.clip(300 * audio[:, 4], -1, 1)
    health = ChannelHealth(uma8)
    health.push(0, audio.astype(np.float32))
    status = health.status()
    channels = channels_of(status.message, status.values)
    assert [c['number'] for c in channels] == list(range(8))
    assert [c['label'] for c in channels] == ['', *(f'ring_{n}' for n in range(1, 7)), '']
    assert channels[7]['level'] == -120.0
    assert channels[1]['level'] == pytest.approx(-40, abs=1)
    faults = {c['number']: c['fault'] for c in channels if c['fault']}
    assert set(faults) == {2, 4}
    assert faults[2].startswith('channel 2 (ring_2) is dead')
    assert faults[4].startswith('channel 4 (ring_4) is clipped')
    assert 'channel 2' not in faults[4]


@pytest.mark.parametrize(
    ('message', 'numbers'),
    [
        ('', set()),
        ('all channels are well', set()),
        ('channel 7 must be 0 in every sample and is not: something mixes', {7}),
        ('channels 1, 3 and 5 are swapped, as the noise shows', {1, 3, 5}),
        ('the channels are rotated by 2, as channel 1 is silent instead of channel 7', set()),
    ],
)
def test_which_channels_a_sentence_is_about(message, numbers):
    values = {f'channel {n} [dBFS]': text for n, text in enumerate(['-inf', 'nan', 'x', *'12345'])}
    channels = channels_of(message, values)
    assert {c['number'] for c in channels if c['fault']} == numbers
    assert [c['level'] for c in channels[:4]] == [-120.0, None, None, 0.0]
    encode(channels)


def test_the_time_of_the_processor(monkeypatch):
    now = [0.0]
    monkeypatch.setattr('time.process_time', lambda: now[0] / 4)
    meter = ProcessorTime(lambda: now[0])
    now[0] += 8.0
    load = meter.load()
    assert load['process'] == 0.25
    assert load['cores'] >= 1
    assert meter.load()['process'] is None
