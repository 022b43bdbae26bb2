# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A queue that keeps what is new."""

import threading
import time

from doa_ros.audio.capture.latest_queue import LatestQueue


def test_order_is_kept_and_the_oldest_are_dropped():
    queue = LatestQueue(3)
    for item in range(5):
        queue.put(item)
    assert (len(queue), queue.dropped) == (3, 2)
    assert [queue.get() for _ in range(3)] == [2, 3, 4]
    assert queue.dropped == 2


def test_nothing_comes():
    begin = time.monotonic()
    assert LatestQueue(1).get(0.05) is None
    assert time.monotonic() - begin >= 0.05


def test_waiting_ends_when_something_comes():
    queue, taken = LatestQueue(1), []
    thread = threading.Thread(target=lambda: taken.append(queue.get()))
    thread.start()
    queue.put('a')
    thread.join(20)
    assert taken == ['a']
