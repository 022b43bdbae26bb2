# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Stamps and headers of messages, whoever sent them."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
import pytest

from doa_ros.core.errors import MessageError
from doa_ros.headers import StampOrder, check_header


def _accepted(stamps):
    """Return which of the stamps are accepted."""
    order, accepted = StampOrder(), []
    for stamp in stamps:
        try:
            order.check(stamp)
        except MessageError:
            continue
        accepted.append(stamp)
    return accepted


@pytest.mark.parametrize(
    ('stamps', 'accepted'),
    [
        ([1, 2, 3], [1, 2, 3]),
        # A copy, a straggler.
        ([1, 2, 2, 3], [1, 2, 3]),
        ([5, 6, 3, 7], [5, 6, 7]),
        # A sender that starts again loses its first message.
        ([50, 51, 1, 2, 3], [50, 51, 2, 3]),
        # Two senders with different clocks: the one that was first.
        ([50, 1, 51, 2, 52, 3], [50, 51, 52]),
        # One stamp that is far ahead costs two messages.
        ([1, 2, 99, 3, 4, 5], [1, 2, 99, 4, 5]),
        # No stamps at all.
        ([0, 0, 0, 0], [0]),
    ],
)
def test_order(stamps, accepted):
    assert _accepted(stamps) == accepted


@given(st.lists(st.integers(0, 20), max_size=20), st.integers(0, 30))
def test_a_stream_is_never_refused_for_long(before, start):
    stream = list(range(start, start + 40))
    accepted = _accepted(before + stream)
    assert accepted[-1] == stream[-1]
    # After what was far ahead or seems to be a straggler, the stream goes on.
    assert len(set(stream) - set(accepted)) <= 2 + len(set(stream) & set(before))


@pytest.mark.parametrize(
    ('sec', 'nanosec', 'frame_id', 'words'),
    [
        (-1, 0, 'a', 'is no time'),
        (2**31 - 1, 0, 'a', 'is no time'),
        (0, 10**9, 'a', 'is no time'),
        (0, 0, '', 'frame_id is empty'),
    ],
)
def test_headers_that_are_refused(sec, nanosec, frame_id, words):
    stamp = SimpleNamespace(sec=sec, nanosec=nanosec)
    with pytest.raises(MessageError, match=words):
        check_header(SimpleNamespace(stamp=stamp, frame_id=frame_id))
    check_header(SimpleNamespace(stamp=SimpleNamespace(sec=5, nanosec=1), frame_id='a'))
