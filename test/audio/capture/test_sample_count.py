# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Indices and losses of a stream that processes take turns to capture."""

from doa_ros.audio.capture.protocol import CapturedBlock
from doa_ros.audio.capture.sample_count import SampleCount

RATE, BLOCK = 48000, 2400


def _block(index, time, *, overflows=0, dropped=0):
    return CapturedBlock(index, time, overflows, dropped, float(RATE), b'')


def test_the_first_block_is_the_beginning():
    count = SampleCount(RATE, BLOCK)
    assert not count.started
    # A process takes some time until it knows when its samples were acquired.
    assert count.take(_block(16000, 100.0), 0) == 0
    assert count.started
    assert (count.end, count.end_time, count.lost) == (BLOCK, 100.05, 0)


def test_a_jump_of_the_index_is_a_loss():
    count = SampleCount(RATE, BLOCK)
    count.take(_block(0, 100.0), 0)
    assert count.take(_block(BLOCK + 1000, 100.07, overflows=2, dropped=480), 0) == BLOCK + 1000
    assert (count.lost, count.dropped, count.overflows) == (1000, 480, 2)


def test_between_two_processes_the_time_tells_what_is_missing():
    count = SampleCount(RATE, BLOCK)
    count.take(_block(0, 100.0, overflows=1, dropped=480), 0)
    count.begin_process()
    assert count.take(_block(7000, 101.05, overflows=1, dropped=960), 0) == BLOCK + RATE
    assert (count.lost, count.dropped, count.overflows) == (RATE, 1440, 2)
    # It counts on from there, and never back, whatever the time says.
    assert count.take(_block(7000 + BLOCK, 101.1), 0) == RATE + 2 * BLOCK
    count.begin_process()
    assert count.take(_block(0, 90.0), 0) == RATE + 3 * BLOCK + 1


def test_blocks_dropped_on_the_way_or_for_being_late_count_once():
    count = SampleCount(RATE, BLOCK)
    count.take(_block(0, 100.0), 1)
    count.drop()
    count.take(_block(2 * BLOCK, 100.1), 1)
    assert (count.lost, count.dropped) == (BLOCK, 2 * BLOCK)
    count.begin_process()
    count.take(_block(0, 100.15), 2)
    assert count.dropped == 4 * BLOCK
