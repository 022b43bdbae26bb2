# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Other participants that come and go, as with `ros2 topic hz` in a loop, cost no message."""

import contextlib
import subprocess
import sys
import threading

import numpy as np
import pytest

from doa_ros.headers import stamp_of
from doa_ros.msg import DoaEstimateArray

pytestmark = pytest.mark.alone

COUNT = 6
BLOCK = 0.05

# Subscribes to all topics of a namespace, hears something and leaves without a goodbye, as what
# is killed does: that is when DDS holds up publishers.
_VISITOR = """
import os, sys, time
import rclpy
from doa_ros.msg import AudioFrame, DoaEstimateArray, DoaTrackArray, GccPhat

rclpy.init()
node = rclpy.create_node('visitor', namespace=sys.argv[1])
types = {'audio': AudioFrame, 'estimates': DoaEstimateArray, 'tracks': DoaTrackArray,
         'gcc_phat': GccPhat}
for name, message_type in types.items():
    node.create_subscription(message_type, name, lambda _: None, 10)
end = time.monotonic() + 0.7
while time.monotonic() < end:
    rclpy.spin_once(node, timeout_sec=0.1)
os._exit(0)
"""


@pytest.mark.parametrize('mode', ['pipeline', pytest.param('nodes', marks=pytest.mark.nightly)])
def test_visitors_cost_nothing(play_again_and_again, listener, namespace, mode):
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    processes = play_again_and_again(mode)
    listener.spin_until(lambda: len(estimates) > 20, 'estimates')
    del estimates[:]

    def visit():
        for _ in range(COUNT):
            # What was killed before may hold up a visitor, too.
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run([sys.executable, '-c', _VISITOR, namespace], timeout=8)

    visits = threading.Thread(target=visit)
    visits.start()
    listener.spin_until(lambda: not visits.is_alive(), 'all visits', timeout=120)
    listener.spin(2.0)
    count = len(estimates)
    assert [process.stop() for process in processes] == [0] * len(processes)
    output = ''.join(process.output for process in processes)
    stamps = np.array([stamp_of(m.header) for m in estimates[:count]]) / 1e9
    print(f'{mode}: {count} estimates, at most {np.diff(stamps).max():.3f} s apart')
    print([line for line in output.splitlines() if 'held up' in line])
    if 'left out' in output:
        pytest.skip('this machine was too busy to keep up')
    assert np.diff(stamps).max() < 1.5 * BLOCK
    for words in ('were lost', 'audio lost', 'starts anew'):
        assert words not in output
