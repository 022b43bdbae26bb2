# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Stamps on a clock that can be set, stands still or runs at another rate."""

import itertools
import time
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
import pytest

from doa_ros.audio import stamps as stamps_module
from doa_ros.audio.stamps import ClockWatch, Stamps

_BLOCK = 0.05


class _Time:
    """A computer whose time passes as a test wants it, and a clock that shows what it wants.

    Attributes:
        now: the time of `time.monotonic` [s].
        shown: what the clock shows [s].
        rate: of the clock.
    """

    def __init__(self, patch, shown=1014.0, rate=1.0):
        self.now, self.shown, self.rate = 5000.0, shown, rate
        patch.setattr(stamps_module, 'time', SimpleNamespace(monotonic=lambda: self.now))
        self.stamps = Stamps(lambda: round(self.shown * 1e9))
        self._count = 0

    def pass_by(self, seconds):
        self.now += seconds
        self.shown += self.rate * seconds

    def blocks(self, count, age=0.06):
        """Return index and stamp [s] of blocks that come one after the other, so old."""
        placed = []
        for _ in range(count):
            self.pass_by(_BLOCK)
            place = self.stamps.place(self._count * 2400, self.now - age)
            self._count += 1
            placed.append(place and (place[0], place[1] / 1e9))
        return placed


@pytest.fixture
def make(monkeypatch):
    def start(**settings):
        return _Time(monkeypatch, **settings)

    return start


def _grow(placed):
    stamps = [stamp for _, stamp in placed]
    return all(b > a for a, b in itertools.pairwise(stamps))


def test_stamps_are_on_the_clock_that_is_given():
    stamps = Stamps(lambda: time.monotonic_ns() + 7_000_000_000)
    now = time.monotonic()
    assert stamps.place(0, now - 0.5) == (0, pytest.approx((now + 6.5) * 1e9, abs=1e6))
    assert stamps.place(4800, now - 0.4) == (4800, pytest.approx((now + 6.6) * 1e9, abs=1e6))


@pytest.mark.parametrize('step', [-1015, -10, -1, 1, 10, 100_000])
def test_a_clock_that_is_set_starts_a_stream_that_follows_it(make, step):
    computer = make()
    before = computer.blocks(20)
    computer.shown += step
    after = computer.blocks(40)
    assert [index for index, _ in before] == [2400 * k for k in range(20)]
    # What was heard before the clock began has no time on it.
    lost, after = after.count(None), [place for place in after if place]
    assert lost == (1 if step == -1015 else 0)
    assert [index for index, _ in after] == [2400 * k for k in range(40 - lost)]
    for number, (_, stamp) in enumerate(after, start=lost):
        assert stamp == pytest.approx(before[-1][1] + step + (number + 1) * _BLOCK, abs=1e-6)


@pytest.mark.parametrize('rate', [0.02, 0.5, 2, 8])
def test_a_clock_at_another_rate_is_not_set(make, rate):
    placed = make(rate=rate).blocks(200)
    assert [index for index, _ in placed] == [2400 * k for k in range(200)]
    assert placed[-1][1] - placed[0][1] == pytest.approx(199 * rate * _BLOCK)
    assert _grow(placed)


@pytest.mark.parametrize('away', [1.0, 60.0, 3600.0])
def test_a_device_that_was_away_for_long_did_not_set_the_clock(make, away):
    computer = make(rate=3)
    computer.blocks(5)
    computer.pass_by(away)
    (index, stamp), *_ = computer.blocks(1)
    assert index == 5 * 2400
    assert stamp == pytest.approx(computer.shown - 0.06)


def test_while_the_clock_stands_still_nothing_has_a_time(make):
    computer = make()
    before = computer.blocks(20)
    computer.rate = 0
    still = computer.blocks(100)
    computer.rate = 1
    after = computer.blocks(20)
    # It takes a moment to be sure.
    assert still[12:] == [None] * 88
    assert _grow([*before, *filter(None, still), *after])
    # The stream goes on, and the index says how much was left out.
    assert after[0][0] == 120 * 2400
    assert after[-1][1] == pytest.approx(computer.shown - 0.06)


def test_before_the_clock_goes_nothing_has_a_time(make):
    computer = make(shown=0.0, rate=0)
    assert computer.blocks(50) == [None] * 50
    computer.shown = 1000.0
    computer.rate = 1
    placed = computer.blocks(20)
    assert [index for index, _ in placed] == [2400 * k for k in range(20)]
    assert placed[0][1] == pytest.approx(1000 + _BLOCK - 0.06)


def test_a_clock_that_goes_in_coarse_steps_is_followed(make):
    computer = make(rate=0)
    placed = []
    for _ in range(100):
        computer.shown += 0.2
        placed += computer.blocks(4)
    assert [index for index, _ in placed] == [2400 * k for k in range(400)]
    assert _grow(placed)
    assert placed[-1][1] == pytest.approx(computer.shown, abs=0.21)


@given(st.lists(st.floats(0, 0.04), min_size=2, max_size=30))
def test_stamps_grow_however_badly_the_clock_is_read(errors):
    with pytest.MonkeyPatch.context() as patch:
        computer = _Time(patch)
        placed = []
        for error in errors:
            computer.shown -= error
            placed += computer.blocks(1)
            computer.shown += error
    assert [index for index, _ in placed] == [2400 * k for k in range(len(errors))]
    assert _grow(placed)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 5), st.integers(1, 12)), max_size=8))
def test_whatever_is_done_to_the_clock_stamps_follow_it(changes):
    with pytest.MonkeyPatch.context() as patch:
        computer = _Time(patch, shown=2e6)
        for step, rate, count in changes:
            computer.shown, computer.rate = max(0.0, computer.shown + step), rate
            placed = [p for p in computer.blocks(count, age=0.0) if p]
            if placed and rate > 0.2:
                assert placed[-1][1] == pytest.approx(computer.shown, abs=0.5 * (1 + rate))
            for (one, stamp), (other, next_stamp) in itertools.pairwise(placed):
                assert other == 0 or (other > one and next_stamp > stamp)


def test_an_interruption_between_two_clocks_does_not_count():
    pauses = iter([0.0, 0.02, 0.02, 0.0])

    def clock():
        now = time.monotonic_ns()
        time.sleep(next(pauses, 0.0))
        return now

    stamps = Stamps(clock)
    now = time.monotonic()
    assert stamps.place(0, now) == (0, pytest.approx(now * 1e9, abs=2e6))


@pytest.mark.parametrize(
    ('readings', 'sets'),
    [
        # What is shown and when [s]; a process that was stopped is told late.
        ([(5, 0), (5.1, 0.1), (4, 0.2), (4.1, 0.3)], [2]),
        ([(5, 0), (5, 3), (8.05, 3.05)], [2]),
        ([(5, 0), (8, 3), (8.3, 3.05)], []),
        ([(0, 0), (1000, 5)], [1]),
        ([(5, 0), (5, 100), (5.1, 100.1)], []),
    ],
)
def test_watch(readings, sets):
    watch = ClockWatch()
    found = [watch.was_set(round(shown * 1e9), now) for shown, now in readings]
    assert [k for k, was_set in enumerate(found) if was_set] == sets
