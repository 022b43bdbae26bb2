# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings that are played as fast as possible: earlier subscribers get all of them."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from doa_ros.msg import (
    AudioFrame,
    DoaEstimateArray,
    DoaSpectrum,
    DoaTrackArray,
    GccPhat,
)

# How long others may take to do all that is left on a very busy machine [s].
PATIENCE = 20.0
# Length of the recording, and how many windows are in it [s].
DURATION = 20.0
BLOCKS, WINDOWS = 400, 399
TOPICS = {
    'audio': AudioFrame,
    'gcc_phat': GccPhat,
    'estimates': DoaEstimateArray,
    'spectrum': DoaSpectrum,
    'tracks': DoaTrackArray,
}


@pytest.fixture(scope='module')
def long_recording(samples, uma8, tmp_path_factory):
    path = tmp_path_factory.mktemp('long') / 'recording.wav'
    count = round(DURATION * uma8.sampling_frequency)
    audio = np.tile(samples, (4, 1))[:count]
    soundfile.write(path, audio, uma8.sampling_frequency, subtype='PCM_32')
    return path


def _play(start, listener, mode, path, **source):
    """Start what plays a recording as fast as possible; return the process that ends with it."""
    common = {'method': 'srp_phat', 'real_time': False}
    source = {**source, **common, 'source': 'file', 'file': str(path), 'publish_audio': True}
    if mode == 'pipeline':
        return start('doa_pipeline', **source)
    for name in ('gcc_phat', 'doa_estimator', 'doa_tracker'):
        start(name, **common)
    listener.wait_for_subscriber('detections')
    listener.wait_for_subscriber('gcc_phat', 2)
    listener.wait_for_subscriber('audio', 2)
    return start('audio_capture', **source)


@pytest.mark.parametrize('mode', ['pipeline', 'nodes'])
def test_who_is_there_before_gets_everything(start, listener, long_recording, mode):
    received = {name: listener.collect(kind, name, 1000) for name, kind in TOPICS.items()}
    capture = _play(start, listener, mode, long_recording)
    listener.spin_until(lambda: not capture.alive, 'the end of the recording')
    expected = {name: BLOCKS if name == 'audio' else WINDOWS for name in TOPICS}

    def counts():
        return {name: len(messages) for name, messages in received.items()}

    # Other processes are still at work.
    end = time.monotonic() + (PATIENCE if mode == 'nodes' else 1.0)
    while counts() != expected and time.monotonic() < end:
        listener.spin(0.5)
        print(counts())
    assert counts() == expected


def test_nobody_has_to_be_there(start, long_recording):
    process = start(
        'doa_pipeline', source='file', file=str(long_recording), method='srp_phat',
        real_time=False,
    )  # fmt: skip
    assert process.end() == 0


# Subscribes to the topic in its first argument, and says when it has received something.
_SUBSCRIBER = """
import sys
import rclpy
from doa_ros.msg import DoaEstimateArray

rclpy.init()
node = rclpy.create_node('subscriber')
node.create_subscription(DoaEstimateArray, sys.argv[1], lambda _: print('', flush=True), 10)
print('', flush=True)
rclpy.spin(node)
"""


def test_who_stands_still_is_waited_for_a_while_only(start, namespace, listener, long_recording):
    subscriber = subprocess.Popen(
        [sys.executable, '-c', _SUBSCRIBER, f'{namespace}/estimates'],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert subscriber.stdout.readline()
        process = _play(start, listener, 'pipeline', long_recording, loop=True)
        estimates = listener.collect(DoaEstimateArray, 'estimates', 1000)
        assert subscriber.stdout.readline()
        subscriber.send_signal(signal.SIGSTOP)
        process.wait_for('estimates: a subscriber receives nothing')
        # The others go on, at once and for good.
        del estimates[:]
        listener.spin_until(lambda: len(estimates) > 2000, 'estimates for others')
        assert process.output.count('receives nothing') == 1
        assert process.stop() == 0
    finally:
        subscriber.kill()
        subscriber.wait()
