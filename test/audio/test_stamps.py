# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Stamps on a clock that can be set."""

import time

from hypothesis import given
from hypothesis import strategies as st
import pytest

from doa_ros.audio.stamps import Stamps


def test_stamps_are_on_the_clock_that_is_given():
    stamps = Stamps(lambda: time.monotonic_ns() + 7_000_000_000)
    now = time.monotonic()
    assert stamps.stamp(now - 0.5) == pytest.approx((now + 6.5) * 1e9, abs=1e6)
    assert stamps.stamp(now - 0.4) == pytest.approx((now + 6.6) * 1e9, abs=1e6)


@given(st.lists(st.integers(-(10**10), 10**10), min_size=2))
def test_stamps_never_go_back(offsets):
    set_to = 0

    def clock():
        return 10**18 + time.monotonic_ns() + set_to

    stamps, given_stamps = Stamps(clock), []
    for set_to in offsets:  # noqa: B007 (the clock uses it)
        given_stamps.append(stamps.stamp(time.monotonic()))
    assert all(b > a for a, b in zip(given_stamps, given_stamps[1:], strict=False))


def test_an_interruption_between_two_clocks_does_not_count():
    pauses = iter([0.02, 0.02, 0.0])

    def clock():
        now = time.monotonic_ns()
        time.sleep(next(pauses, 0.0))
        return now

    now = time.monotonic()
    assert Stamps(clock).stamp(now) == pytest.approx(now * 1e9, abs=2e6)
