# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Processes of the chain that are killed or stopped: the others go on, and all find back."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import AudioFrame, DoaEstimateArray

# As they depend on each other, the last first.
NODES = ('doa_markers', 'doa_tracker', 'doa_estimator', 'gcc_phat', 'audio_capture')
# Length of a frame of audio, and so between estimates [s].
BLOCK = 0.05
# Two analysis windows [s].
LATENCY = 0.2
# So many estimates wait for the listener, which may be slow to take what comes in one go.
QUEUE = 100
# How long a subscriber of audio does not run [s].
STOPPED = 5.0


class Chain:
    """All nodes as processes of their own, and the estimates with the time they came at [s]."""

    def __init__(self, start, listener, recording):
        self._start, self._recording, self.listener = start, recording, listener
        self.ages, self.stamps = [], []
        self.listener.node.create_subscription(DoaEstimateArray, 'estimates', self._on, QUEUE)
        self.processes = {}
        for name in NODES:
            self.start(name)
        self.listener.spin_until(lambda: len(self.ages) > 10, 'estimates')

    def _on(self, message):
        now = time.time_ns()
        self.stamps.append(stamp_of(message.header) / NANOSECONDS)
        self.ages.append(now / NANOSECONDS - self.stamps[-1])

    def start(self, name):
        parameters = {'method': 'srp_phat'} if name in ('gcc_phat', 'doa_estimator') else {}
        if name == 'audio_capture':
            parameters = {
                'source': 'file',
                'file': str(self._recording),
                'loop': True,
                'publish_audio': True,
            }
        self.processes[name] = self._start(name, **parameters)

    def wait_for_estimates(self):
        """Wait until estimates come at their rate again, not only what was on its way."""
        del self.ages[:]
        self.listener.spin(0.5)
        del self.ages[:]
        self.listener.spin_until(lambda: len(self.ages) > 20, 'estimates after the fault')


@pytest.fixture
def chain(start, listener, recording):
    return Chain(start, listener, recording)


def test_killed_processes_find_back(chain):
    for name in NODES:
        chain.processes[name].send(signal.SIGKILL)
        assert chain.processes[name].end() == -signal.SIGKILL
        if name in ('doa_markers', 'doa_tracker'):
            chain.wait_for_estimates()
        else:
            chain.listener.spin(0.5)
        assert all(p.alive for other, p in chain.processes.items() if other != name)
        chain.start(name)
        chain.wait_for_estimates()
    for process in chain.processes.values():
        assert process.stop() == 0
        assert 'Traceback' not in process.output


@pytest.mark.alone
@pytest.mark.parametrize(
    'name', ['gcc_phat', pytest.param('doa_estimator', marks=pytest.mark.nightly)]
)
def test_a_process_that_was_stopped_misses_nothing_and_is_not_late_afterwards(chain, name):
    usual = np.median(chain.ages)
    process = chain.processes[name]
    process.send(signal.SIGSTOP)
    chain.listener.spin(0.7)
    process.send(signal.SIGCONT)
    del chain.ages[:], chain.stamps[:]
    begin = time.time()
    chain.listener.spin_until(lambda: len(chain.ages) > 40, 'estimates after the stop')
    came = np.array(chain.stamps) + chain.ages - begin
    print(f'{name}: usual age {usual:.3f} s, then {np.round(chain.ages[:20], 3)}')
    assert np.diff(chain.stamps).max() < 1.5 * BLOCK
    late = came[np.array(chain.ages) > LATENCY]
    assert len(late) > 5
    # What came in one go was taken in one go.
    assert late.max() < 0.5


# Subscribes to the topic in its first argument and says so.
_SUBSCRIBER = """
import sys
import rclpy
from doa_ros.msg import AudioFrame

rclpy.init()
node = rclpy.create_node('subscriber')
came = []
node.create_subscription(AudioFrame, sys.argv[1], came.append, 10)
while True:
    rclpy.spin_once(node)
    print(len(came), flush=True)
"""


@pytest.mark.alone
@pytest.mark.parametrize('mode', [pytest.param('pipeline', marks=pytest.mark.nightly), 'nodes'])
def test_a_stopped_subscriber_of_audio_delays_nobody(
    play_again_and_again, listener, namespace, mode
):
    processes = play_again_and_again(mode)
    audio = listener.collect(AudioFrame, 'audio')
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    listener.spin_until(lambda: len(estimates) > 10 and audio, 'estimates')
    subscriber = subprocess.Popen(
        [sys.executable, '-c', _SUBSCRIBER, f'{namespace}/audio'],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        # It has heard something: the capture knows of it.
        assert subscriber.stdout.readline()
        subscriber.send_signal(signal.SIGSTOP)
        listener.spin(1.0)
        del audio[:], estimates[:]
        begin = time.monotonic()
        listener.spin(STOPPED)
        passed = time.monotonic() - begin
    finally:
        subscriber.kill()
        subscriber.wait()
    rate = sum(m.frame_sample_count for m in audio) / passed
    stamps = np.array([stamp_of(m.header) for m in estimates]) / NANOSECONDS
    print(f'{mode}: {rate:.0f} samples/s, estimates at most {np.diff(stamps).max():.3f} s apart')
    assert rate == pytest.approx(audio[0].sampling_frequency, rel=0.05)
    assert len(estimates) == pytest.approx(passed / BLOCK, rel=0.1)
    assert [process.stop() for process in processes] == [0] * len(processes)
