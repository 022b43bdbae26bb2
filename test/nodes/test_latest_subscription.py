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
    latest = LatestSubscription(queue, object, 'topic', take, diagnostics, publishing, pace)
    seen.give, seen.start = latest._on_message, latest.start
    return seen


@pytest.fixture
def started(subscription):
    """A subscription that takes messages."""
    subscription.start()
    return subscription


def _message(number, bad=False):
    return SimpleNamespace(number=number, bad=bad)


def _wait(subscription, *messages):
    subscription.queue.pending += messages


def test_what_comes_in_time_is_taken(started):
    for number in range(3):
        started.give(_message(number))
    assert started.taken == [0, 1, 2]
    assert not started.late


def test_all_that_wait_are_taken_where_it_is_done_in_a_moment(started):
    """DDS or the sender was held up for a second: nothing is missing afterwards."""
    for number in range(30):
        started.give(_message(number))
    _wait(started, *[_message(number) for number in range(31, 51)])
    started.give(_message(30))
    assert started.taken == list(range(51))
    assert not started.late


def test_the_newest_are_taken_where_it_would_last_too_long(started):
    started.lasts = LIMIT / 4
    for number in range(10):
        started.give(_message(number))
    _wait(started, *[_message(number) for number in range(11, 30)])
    started.give(_message(10))
    taken = started.taken[10:]
    assert taken == list(range(30 - len(taken), 30))
    assert 1 <= len(taken) <= 4
    ((count, needed),) = started.late
    assert not started.kept
    assert count == 20 - len(taken)
    assert needed >= 20 * LIMIT / 4


@pytest.mark.parametrize('subscription', [False], indirect=True)
def test_of_a_recording_all_is_taken_and_passed_on_however_long_that_lasts(started):
    started.lasts = LIMIT / 4
    for number in range(10):
        started.give(_message(number))
    _wait(started, *[_message(number) for number in range(11, 30)])
    started.give(_message(10))
    assert started.taken == list(range(30))
    assert not started.late
    assert started.kept


def test_the_newest_is_taken_however_slow_it_is(started):
    started.lasts = 1.1 * LIMIT
    for number in range(3):
        started.give(_message(number))
    _wait(started, *[_message(number) for number in range(4, 8)])
    started.give(_message(3))
    assert started.taken == [0, 1, 2, 7]


def test_one_that_lasted_long_once_is_no_reason(started):
    """The process was stopped, or the computer was busy for a moment."""
    for number in range(8):
        started.lasts = 3 * LIMIT if number == 4 else 0.0
        started.give(_message(number))
    _wait(started, *[_message(number) for number in range(9, 20)])
    started.give(_message(8))
    assert started.taken == list(range(20))


def test_what_is_refused_is_counted(started):
    _wait(started, _message(1, bad=True), _message(2))
    started.give(_message(0))
    assert started.taken == [0, 2]
    assert len(started.rejected) == 1


def test_messages_wait_for_the_start(subscription):
    for number in range(3):
        subscription.give(_message(number))
    assert not subscription.taken
    subscription.start()
    assert subscription.taken == [0, 1, 2]
    subscription.give(_message(3))
    assert subscription.taken == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ('subscription', 'kept'), [(True, 100), (False, 500)], indirect=['subscription']
)
def test_of_what_is_live_only_the_newest_messages_wait(subscription, kept):
    for number in range(500):
        subscription.give(_message(number))
    subscription.start()
    assert subscription.taken == list(range(500 - kept, 500))
    assert not subscription.late
