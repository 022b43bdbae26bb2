# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a node takes up after it did not get to run."""

from contextlib import contextmanager
import time
from types import SimpleNamespace

import pytest

from doa_ros.core.errors import MessageError
from doa_ros.nodes.configs import PaceConfig
from doa_ros.nodes.latest_subscription import LatestSubscription

# To take what waits may last so long [s].
LIMIT = 0.1


class _Queue:
    """Messages that wait; stands for a node and its subscription."""

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
        return (self.pending.pop(0),) if self.pending else None


@pytest.fixture(params=[True])
def subscription(request):
    """A subscription, in real time unless a test asks for another pace."""
    queue = _Queue()
    seen = SimpleNamespace(taken=[], late=[], rejected=[], kept=[], queue=queue, lasts=0.0)

    def take(message):
        if message.bad:
            raise MessageError('bad')
        time.sleep(seen.lasts)
        seen.taken.append(message.number)

    @contextmanager
    def dropping():
        try:
            yield
        except MessageError as error:
            seen.rejected.append(error)

    diagnostics = SimpleNamespace(
        drop_late=lambda count, needed: seen.late.append((count, needed)), dropping=dropping
    )
    publishing = SimpleNamespace(make_lossless=lambda: seen.kept.append(True))
    pace = PaceConfig(real_time=request.param)
    latest = LatestSubscription(
        queue, object, 'topic', take, diagnostics, publishing, pace, limit=LIMIT
    )
    seen.give = latest._on_message
    return seen


def _message(number, bad=False):
    return SimpleNamespace(number=number, bad=bad)


def _wait(subscription, *messages):
    subscription.queue.pending += messages


def test_what_comes_in_time_is_taken(subscription):
    for number in range(3):
        subscription.give(_message(number))
    assert subscription.taken == [0, 1, 2]
    assert not subscription.late


def test_all_that_wait_are_taken_where_it_is_done_in_a_moment(subscription):
    """DDS or the sender was held up for a second: nothing is missing afterwards."""
    for number in range(30):
        subscription.give(_message(number))
    _wait(subscription, *[_message(number) for number in range(31, 51)])
    subscription.give(_message(30))
    assert subscription.taken == list(range(51))
    assert not subscription.late


def test_the_newest_are_taken_where_it_would_last_too_long(subscription):
    subscription.lasts = LIMIT / 4
    for number in range(10):
        subscription.give(_message(number))
    _wait(subscription, *[_message(number) for number in range(11, 30)])
    subscription.give(_message(10))
    taken = subscription.taken[10:]
    assert taken == list(range(30 - len(taken), 30))
    assert 1 <= len(taken) <= 4
    ((count, needed),) = subscription.late
    assert not subscription.kept
    assert count == 20 - len(taken)
    assert needed >= 20 * LIMIT / 4


@pytest.mark.parametrize('subscription', [False], indirect=True)
def test_of_a_recording_all_is_taken_and_passed_on_however_long_that_lasts(subscription):
    subscription.lasts = LIMIT / 4
    for number in range(10):
        subscription.give(_message(number))
    _wait(subscription, *[_message(number) for number in range(11, 30)])
    subscription.give(_message(10))
    assert subscription.taken == list(range(30))
    assert not subscription.late
    assert subscription.kept


def test_the_newest_is_taken_however_slow_it_is(subscription):
    subscription.lasts = 1.1 * LIMIT
    for number in range(3):
        subscription.give(_message(number))
    _wait(subscription, *[_message(number) for number in range(4, 8)])
    subscription.give(_message(3))
    assert subscription.taken == [0, 1, 2, 7]


def test_one_that_lasted_long_once_is_no_reason(subscription):
    """The process was stopped, or the computer was busy for a moment."""
    for number in range(8):
        subscription.lasts = 3 * LIMIT if number == 4 else 0.0
        subscription.give(_message(number))
    _wait(subscription, *[_message(number) for number in range(9, 20)])
    subscription.give(_message(8))
    assert subscription.taken == list(range(20))


def test_what_is_refused_is_counted(subscription):
    _wait(subscription, _message(1, bad=True), _message(2))
    subscription.give(_message(0))
    assert subscription.taken == [0, 2]
    assert len(subscription.rejected) == 1
