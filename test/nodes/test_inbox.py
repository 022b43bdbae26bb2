# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a node takes up after it did not get to run."""

import time
from types import SimpleNamespace

import pytest

from doa_ros.conversions import make_header
from doa_ros.core.errors import MessageError
from doa_ros.nodes.inbox import Inbox

STEP = 0.05


class _Queue:
    """Messages that arrive at certain times [s]; stands for a node and its subscription."""

    def __init__(self):
        self.pending = []
        self.msg_type, self.raw, self.handle = None, False, self

    def create_subscription(self, *_, **__):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def take_message(self, *_):
        if self.pending and self.pending[0][0] <= time.monotonic():
            return (self.pending.pop(0)[1],)
        return None


@pytest.fixture
def inbox():
    queue = _Queue()
    seen = SimpleNamespace(taken=[], late=[], rejected=[], queue=queue)

    def take(message):
        if message.bad:
            raise MessageError('bad')
        seen.taken.append(message.number)

    diagnostics = SimpleNamespace(drop_late=seen.late.append, reject=seen.rejected.append)
    box = Inbox(
        queue, object, 'topic', take, diagnostics, lasts=lambda _: STEP, limit=2 * STEP
    )
    seen.give = box._on_message
    return seen


def _message(number, bad=False, stamp=None):
    """Return a message that was made when its number says, if no time passed since."""
    made = time.monotonic() if stamp is None else stamp
    header = make_header(round(made * 1e9), 'a')
    return SimpleNamespace(number=number, header=header, bad=bad)


def _wait(inbox, *messages, after=0.0):
    inbox.queue.pending += [(time.monotonic() + after, message) for message in messages]


def test_what_comes_in_time_is_taken(inbox):
    for number in range(3):
        inbox.give(_message(number))
    assert inbox.taken == [0, 1, 2]
    assert not inbox.late


def test_three_that_wait_are_taken(inbox):
    _wait(inbox, _message(1), _message(2))
    inbox.give(_message(0))
    assert inbox.taken == [0, 1, 2]


def test_of_more_the_newest_are_taken(inbox):
    _wait(inbox, *[_message(number) for number in range(1, 10)])
    inbox.give(_message(0))
    assert inbox.taken == [7, 8, 9]
    assert inbox.late == [7]


def test_an_old_one_that_comes_alone_is_not_taken_before_newer_ones(inbox):
    inbox.give(_message(0))
    now = time.monotonic()
    _wait(inbox, *[_message(n, stamp=now - 0.9 + 0.1 * n) for n in range(2, 10)], after=0.005)
    inbox.give(_message(1, stamp=now - 0.8))
    assert inbox.taken == [0, 7, 8, 9]
    assert inbox.late == [6]


def test_a_stream_that_is_slow_is_taken(inbox):
    """A bag at half its speed, or a sender whose clock was set back: nothing newer comes."""
    start = time.monotonic()
    for number in range(20):
        inbox.give(_message(number, stamp=start - 0.1 * number))
    assert inbox.taken == list(range(20))
    assert not inbox.late


def test_what_is_refused_is_counted(inbox):
    _wait(inbox, _message(1, bad=True), _message(2))
    inbox.give(_message(0))
    assert inbox.taken == [0, 2]
    assert len(inbox.rejected) == 1
