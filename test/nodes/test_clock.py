# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Clocks that come late, run at another rate, stand still and are set."""

import re
import threading
import time

import numpy as np
import pytest
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock

from doa_ros.conversions.audio import make_header
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import AudioFrame, DoaEstimateArray, DoaTrackArray, MicArrayInfo

pytestmark = pytest.mark.real_time

# Length of a frame of audio, and so between estimates [s].
BLOCK = 0.05
# Direction of the sound of the fixture `samples` [rad].
AZIMUTH = np.radians(70)
# What was on its way when the clock was set is there after this time [s].
ON_ITS_WAY = 1.0
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Simulator:
    """Publishes the clock at 100 Hz, as a simulator does."""

    def __init__(self):
        self._context = rclpy.Context()
        self._context.init()
        node = rclpy.create_node('simulator', context=self._context)
        self._publisher = node.create_publisher(Clock, '/clock', 10)
        self._over = threading.Event()
        self._origin = 0.0, 0.0, 0.0
        self._thread = threading.Thread(target=self._publish)

    def begin(self, shown, rate=1.0):
        """Show a time [s] from now on."""
        self._origin = shown, time.monotonic(), rate
        if not self._thread.is_alive():
            self._thread.start()

    @property
    def now(self):
        shown, since, rate = self._origin
        return shown + rate * (time.monotonic() - since)

    def _publish(self):
        while not self._over.wait(0.01):
            stamp = make_header(round(self.now * NANOSECONDS), '').stamp
            self._publisher.publish(Clock(clock=stamp))

    def close(self):
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self._context.try_shutdown()


@pytest.fixture
def simulator():
    simulator = Simulator()
    yield simulator
    simulator.close()


class System:
    """A running doa_ros on simulated time, and what it publishes."""

    def __init__(self, start, listener, mode, **source):
        self.listener = listener
        self.audio = listener.collect(AudioFrame, 'audio')
        self.estimates = listener.collect(DoaEstimateArray, 'estimates')
        self.tracks = listener.collect(DoaTrackArray, 'tracks')
        self.info = listener.collect(MicArrayInfo, 'array_info', _LATCHED)
        common = {'use_sim_time': True, 'method': 'srp_phat'}
        source = {**common, **source, 'publish_audio': True}
        if mode == 'pipeline':
            self.processes = [start('doa_pipeline', **source)]
        else:
            names = ('gcc_phat', 'doa_estimator', 'doa_tracker')
            self.processes = [start(name, **common) for name in names]
            listener.wait_for_subscriber('detections')
            listener.wait_for_subscriber('gcc_phat')
            self.processes.append(start('audio_capture', **source))
        self.capture = self.processes[-1]

    def forget(self):
        del self.audio[:], self.estimates[:], self.tracks[:]

    def wait_for(self, messages, count):
        count += len(messages)
        self.listener.spin_until(lambda: len(messages) >= count, 'messages')

    def wait_for_direction(self):
        """Wait until a talker is tracked who is where the sound comes from."""

        def there():
            found = [t.estimate.azimuth for m in self.tracks[-5:] for t in m.tracks]
            return any(abs(wrap_angle(a - AZIMUTH)) < np.radians(10) for a in found)

        self.listener.spin_until(there, 'the track of a talker')

    def stop(self):
        assert [process.stop() for process in self.processes] == [0] * len(self.processes)
        log = ''.join(process.output for process in self.processes)
        assert 'Traceback' not in log
        return log


def _stamps(messages):
    return np.array([stamp_of(m.header) for m in messages]) / NANOSECONDS


def _said(log):
    """Return which way the clock was set, as the log says."""
    return re.findall(r'the clock was set (\w+) by', log)


@pytest.fixture
def run(start, listener, recording):
    def go(mode='pipeline', source='file'):
        return System(start, listener, mode, source=source, file=str(recording), loop=True)

    return go


_MODES = pytest.mark.parametrize('mode', ['pipeline', 'nodes'])


@_MODES
def test_a_recording_waits_for_the_first_message_on_the_clock(run, simulator, mode):
    system = run(mode)
    system.capture.wait_for('waiting for the first message on /clock')
    assert not system.audio
    assert not system.info
    simulator.begin(1000.0)
    system.wait_for(system.estimates, 20)
    now = simulator.now
    system.stop()
    # A consumer that starts while sound is played misses the beginning.
    assert 1000 <= _stamps(system.estimates)[0] < 1000 + 5
    assert abs(_stamps(system.estimates)[-1] - now) < 0.5
    assert 1000 <= _stamps(system.info)[-1] < 1001


@pytest.mark.parametrize('source', ['file', 'device'])
def test_without_a_clock_it_waits_and_ends_when_asked(start, recording, request, source):
    if source == 'device':
        request.getfixturevalue('playing')
    process = start('doa_pipeline', source=source, file=str(recording), use_sim_time=True)
    process.wait_for('waiting for the first message on /clock')
    begin = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - begin < 5


def test_a_scene_follows_the_clock_too(start, listener, simulator, scene):
    simulator.begin(1000.0)
    truth = listener.collect(DoaEstimateArray, 'truth')
    start('doa_pipeline', source='sim', scene=scene, method='srp_phat', use_sim_time=True)
    listener.spin_until(lambda: len(truth) > 5, 'the truth')
    assert 1000 < _stamps(truth)[0] < simulator.now


def test_a_recording_is_played_at_the_rate_of_the_clock(run, simulator):
    simulator.begin(1000.0, rate=0.5)
    system = run()
    system.wait_for(system.audio, 1)
    system.forget()
    begin = time.monotonic()
    system.wait_for(system.audio, 60)
    passed = time.monotonic() - begin
    system.stop()
    stamps = _stamps(system.audio)
    np.testing.assert_allclose(np.diff(stamps), BLOCK, atol=1e-6)
    assert passed == pytest.approx(60 * BLOCK / 0.5, rel=0.2)
    assert system.estimates


def test_a_clock_that_stands_still_and_is_reset_is_followed(run, simulator):
    simulator.begin(1014.0)
    system = run()
    system.wait_for_direction()
    simulator.begin(simulator.now, rate=0.0)
    system.capture.wait_for('/clock stands still')
    system.listener.spin(0.5)
    system.forget()
    system.listener.spin(1.0)
    assert not system.audio
    simulator.begin(0.0)
    system.wait_for(system.estimates, 20)
    system.wait_for_direction()
    now = simulator.now
    log = system.stop()
    assert (np.diff(_stamps(system.estimates)) > 0).all()
    assert 0 <= _stamps(system.estimates)[0]
    assert abs(_stamps(system.estimates)[-1] - now) < 1.0
    assert _said(log) == ['back']
    assert '/clock goes on' in log


@pytest.mark.parametrize(
    ('mode', 'source'),
    [
        ('pipeline', 'file'),
        ('nodes', 'device'),
        pytest.param('pipeline', 'device', marks=pytest.mark.nightly),
        pytest.param('nodes', 'file', marks=pytest.mark.nightly),
    ],
)
def test_a_clock_that_is_set_starts_everything_anew(run, request, simulator, mode, source):
    if source == 'device':
        request.getfixturevalue('playing')
    simulator.begin(1014.0)
    system = run(mode, source)
    system.wait_for_direction()
    ids = {t.track_id for m in system.tracks for t in m.tracks}
    # A simulation is reset; a system clock is put right.
    for place in (lambda now: 0.0, lambda now: now + 500, lambda now: now - 10):
        target = place(simulator.now)
        simulator.begin(target)
        system.listener.spin(ON_ITS_WAY)
        system.forget()
        system.wait_for(system.estimates, 20)
        system.wait_for_direction()
        for messages in (system.audio, system.estimates, system.tracks):
            stamps = _stamps(messages)
            assert (np.diff(stamps) > 0).all()
            assert target <= stamps[0]
            assert abs(stamps[-1] - simulator.now) < 1.0
        # No talker who was tracked before is taken for another.
        found = {t.track_id for m in system.tracks for t in m.tracks}
        assert not found & ids
        ids |= found
    log = system.stop()
    assert _said(log) == ['back', 'forward', 'back']
    assert 'samples of audio lost' not in log


@pytest.mark.parametrize('mode', ['pipeline', pytest.param('nodes', marks=pytest.mark.nightly)])
def test_a_device_with_a_clock_at_another_rate(run, playing, simulator, mode):
    rate = 0.3
    simulator.begin(1000.0, rate)
    system = run(mode, 'device')
    system.wait_for_direction()
    system.forget()
    system.wait_for(system.estimates, 60)
    now = simulator.now
    log = system.stop()
    stamps = _stamps(system.estimates)
    assert np.mean(np.diff(stamps)) == pytest.approx(rate * BLOCK, rel=0.2)
    assert abs(stamps[-1] - now) < 1.0
    assert not _said(log)
    if 'came too late' not in log:
        # Frames follow each other more slowly, and yet nothing is lost.
        assert 'samples of audio lost' not in log


def test_a_device_is_not_heard_while_the_clock_stands_still(run, playing, simulator):
    simulator.begin(1000.0)
    system = run(source='device')
    system.wait_for_direction()
    simulator.begin(simulator.now, rate=0.0)
    system.capture.wait_for('/clock stands still')
    system.listener.spin(0.5)
    before = system.audio[-1]
    system.forget()
    system.listener.spin(1.0)
    assert not system.audio
    simulator.begin(simulator.now)
    system.wait_for_direction()
    log = system.stop()
    after = system.audio[0]
    missing = after.first_sample_index - before.first_sample_index - before.frame_sample_count
    assert missing > 1.5 * 48000
    assert not _said(log)
