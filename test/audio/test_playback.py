# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The pace of what is recorded: that of the clock, whatever is done to it."""

import itertools
import threading
import time

import numpy as np
import pytest

from doa_ros.audio.playback import Playback

pytestmark = pytest.mark.real_time

RATE = 48000
SAMPLES = np.zeros((2400, 2), dtype=np.int16)
BLOCK = 0.05


class _Clock:
    """A clock that a test sets and stops."""

    def __init__(self, shown, rate=1.0):
        self.set(shown, rate)

    def set(self, shown, rate=1.0):
        self._origin = shown, time.monotonic(), rate

    def __call__(self):
        shown, since, rate = self._origin
        return round(1e9 * (shown + rate * (time.monotonic() - since)))


class _Player:
    """Plays in a thread; `blocks` holds what came and what the clock showed then [ns]."""

    def __init__(self, clock):
        self.blocks, self._clock = [], clock
        self.playback = Playback(RATE, real_time=True)
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self):
        self.playback.begin(self._clock)
        while (block := self.playback.deliver(SAMPLES)) is not None:
            self.blocks.append((block, self._clock()))

    def wait_for(self, count):
        count += len(self.blocks)
        end = time.monotonic() + 20
        while len(self.blocks) < count:
            assert time.monotonic() < end, 'no block came'
            time.sleep(0.005)

    def close(self):
        self.playback.close()
        self._thread.join(1.0)
        assert not self._thread.is_alive()


@pytest.fixture
def play():
    players = []

    def start(clock):
        players.append(_Player(clock))
        return players[-1]

    yield start
    for player in players:
        player.close()


def _check(blocks):
    """Check that blocks are one stream, each delivered once the clock has reached its end."""
    for (one, _), (other, _) in itertools.pairwise(blocks):
        assert other.first_sample_index == one.first_sample_index + len(SAMPLES)
        assert other.stamp == one.stamp + round(BLOCK * 1e9)
    late = [(shown - block.stamp) / 1e9 - BLOCK for block, shown in blocks]
    assert min(late) >= 0
    return late


@pytest.mark.parametrize('rate', [0.5, 1.0, 4.0])
def test_pace_and_stamps_are_those_of_the_clock(play, rate):
    clock = _Clock(1000.0, rate)
    player = play(clock)
    player.wait_for(12)
    player.close()
    assert player.blocks[0][0].stamp >= 1000e9
    late = _check(player.blocks)
    assert np.median(late) < 0.025 * max(rate, 1.0)


def test_a_clock_that_stands_still_is_waited_for(play):
    clock = _Clock(1000.0)
    player = play(clock)
    player.wait_for(3)
    clock.set(clock() / 1e9, rate=0.0)
    time.sleep(0.1)
    count = len(player.blocks)
    time.sleep(0.4)
    assert len(player.blocks) == count
    clock.set(clock() / 1e9)
    player.wait_for(3)
    player.close()
    _check(player.blocks)


@pytest.mark.parametrize('target', [0.0, 990.0, 1010.0, 1e6])
def test_a_clock_that_is_set_is_followed_by_another_stream(play, target):
    clock = _Clock(1000.0)
    player = play(clock)
    player.wait_for(3)
    clock.set(target)
    player.wait_for(5)
    player.close()
    starts = [k for k, (b, _) in enumerate(player.blocks) if b.first_sample_index == 0]
    first, second = starts
    assert first == 0
    _check(player.blocks[:second])
    _check(player.blocks[second:])
    assert player.blocks[second][0].stamp == pytest.approx(target * 1e9, abs=0.2e9)


def test_who_is_held_up_between_two_clocks_does_not_take_that_for_a_set_clock(play):
    """A busy computer lets a thread wait for long, anywhere."""
    # One of two readings in a row is not the test's own.
    pauses = iter([*[0.0] * 20, 1.2, 1.2])

    def clock():
        now = time.monotonic_ns()
        time.sleep(next(pauses, 0.0))
        return now

    player = play(clock)
    player.wait_for(30)
    player.close()
    assert [b.first_sample_index for b, _ in player.blocks] == [
        len(SAMPLES) * k for k in range(len(player.blocks))
    ]


def test_the_first_time_is_waited_for(play):
    clock = _Clock(0.0, rate=0.0)
    player = play(clock)
    time.sleep(0.3)
    assert not player.blocks
    clock.set(1000.0)
    player.wait_for(5)
    player.close()
    _check(player.blocks)
    assert player.blocks[0][0].stamp == pytest.approx(1000e9, abs=0.2e9)


def test_waiting_costs_next_to_nothing_and_ends_at_once(play):
    player = play(_Clock(1000.0, rate=0.0))
    begin = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - begin < 0.1
    begin = time.monotonic()
    player.close()
    assert time.monotonic() - begin < 0.2


def test_without_pace_the_clock_is_read_once():
    readings = []

    def clock():
        readings.append(1)
        return 7_000

    playback = Playback(RATE, real_time=False)
    playback.begin(clock)
    blocks = [playback.deliver(SAMPLES) for _ in range(20)]
    assert [b.stamp for b in blocks] == [7_000 + 50_000_000 * k for k in range(20)]
    assert len(readings) == 1
    playback.close()
    assert playback.deliver(SAMPLES) is None
