# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The publishing thread waits for DDS; computing does not, unless nothing is to be lost."""

from contextlib import closing
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
import rclpy
from rclpy.qos import HistoryPolicy, QoSProfile
from std_msgs.msg import Header, String

from doa_ros.nodes import publishing_thread as module
from doa_ros.nodes.publishing_thread import PublishingThread, depth_of

pytestmark = pytest.mark.alone

# How long the stand-in for DDS takes to publish, and the machine to do nothing [s].
HELD_UP = 0.4
MOMENT = 0.1
DEPTH = 10


@pytest.fixture
def node(namespace):
    context = rclpy.Context()
    context.init()
    node = rclpy.create_node('publisher', namespace=namespace, context=context)
    yield node
    node.destroy_node()
    context.try_shutdown()


@pytest.fixture
def slow(monkeypatch):
    """A stand-in for DDS that takes what the test gives it only while `ready` is set."""
    state = SimpleNamespace(published=[], ready=threading.Event(), refuses=False)

    def publish(publisher, message):
        state.ready.wait()
        state.published.append((publisher.topic_name.rpartition('/')[2], message.data))
        return not state.refuses

    monkeypatch.setattr(module, '_publish', publish)
    yield state
    state.ready.set()


@pytest.fixture
def sender(node, slow):
    """A publishing thread, its topics by name, and what it told."""
    told = []
    with closing(PublishingThread()) as publishing:
        topics = {
            name: publishing.topic(node, String, name, DEPTH, lambda *what: told.append(what))
            for name in ('first', 'second')
        }
        yield SimpleNamespace(publishing=publishing, told=told, **topics)
        slow.ready.set()


def _wait(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _occupy(sender, slow):
    """Make the stand-in for DDS hold a message."""
    sender.first.publish(String(data='held'))
    _wait(lambda: not sender.first.waiting)


def _published(slow, name):
    return [data for topic, data in slow.published if topic == name]


def test_who_computes_does_not_wait(node, monkeypatch):
    monkeypatch.setattr(module, '_publish', lambda *_: time.sleep(HELD_UP) or True)
    longest, told = 0.0, []
    with closing(PublishingThread()) as publishing:
        topic = publishing.topic(node, String, 'topic', DEPTH, lambda *what: told.append(what))
        for number in range(20):
            start = time.monotonic()
            topic.publish(String(data=str(number)))
            longest = max(longest, time.monotonic() - start)
            time.sleep(0.05)
    assert longest < MOMENT
    name, took, lost = told[0]
    assert (name, lost) == (topic.name, 0)
    assert took == pytest.approx(HELD_UP, abs=MOMENT)


def test_order_is_kept_between_topics(sender, slow):
    _occupy(sender, slow)
    for number in range(5):
        sender.first.publish(String(data=str(number)))
        sender.second.publish(String(data=str(number)))
    slow.ready.set()
    _wait(lambda: len(slow.published) == 11)
    assert slow.published[1:] == [(t, str(n)) for n in range(5) for t in ('first', 'second')]
    assert [lost for _, _, lost in sender.told] == [0] * 11


def test_the_newest_are_kept_and_the_others_counted(sender, slow):
    _occupy(sender, slow)
    sender.second.publish(String(data='of another topic'))
    for number in range(25):
        sender.first.publish(String(data=str(number)))
    slow.ready.set()
    _wait(lambda: len(slow.published) == 2 + DEPTH)
    assert _published(slow, 'first') == ['held', *map(str, range(15, 25))]
    assert _published(slow, 'second') == ['of another topic']
    _wait(lambda: len(sender.told) == 2 + DEPTH)
    assert sum(lost for _, _, lost in sender.told) == 15


def test_what_dds_refuses_is_counted(sender, slow):
    slow.refuses = True
    slow.ready.set()
    sender.first.publish(String(data='x'))
    _wait(lambda: sender.told)
    assert sender.told[0][2] == 1


def test_nothing_is_lost_where_the_sound_can_wait(sender, slow):
    sender.publishing.make_lossless()
    _occupy(sender, slow)
    done = threading.Event()

    def publish():
        for number in range(3 * DEPTH):
            sender.first.publish(String(data=str(number)))
        done.set()

    threading.Thread(target=publish).start()
    assert not done.wait(0.2)
    slow.ready.set()
    assert done.wait(20)
    _wait(lambda: len(slow.published) == 1 + 3 * DEPTH)
    assert _published(slow, 'first') == ['held', *map(str, range(3 * DEPTH))]


def test_who_waits_is_let_go_at_the_end(sender, slow):
    sender.publishing.make_lossless()
    _occupy(sender, slow)
    waiting = threading.Thread(
        target=lambda: [sender.first.publish(String()) for _ in range(2 * DEPTH)]
    )
    waiting.start()
    _wait(lambda: sender.first.full)
    sender.publishing.close()
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_second_of_messages_may_wait():
    assert [depth_of(period) for period in (0.002, 0.05, 0.2)] == [500, 20, 10]


# Subscribes to the topic in its first argument, receives one message and says so.
_SUBSCRIBER = """
import sys
import rclpy
from rclpy.qos import HistoryPolicy, QoSProfile
from std_msgs.msg import Header

rclpy.init()
node = rclpy.create_node('subscriber')
node.create_subscription(
    Header, sys.argv[1], lambda _: print('here', flush=True), QoSProfile(depth=10)
)
rclpy.spin(node)
"""


def test_other_threads_run_while_dds_itself_holds_up(node):
    """A reliable subscriber that stands still and a history that is full: DDS waits 0.1 s."""
    told = []
    with closing(PublishingThread()) as publishing:
        topic = publishing.topic(
            node,
            Header,
            'topic',
            QoSProfile(history=HistoryPolicy.KEEP_ALL, depth=10_000),
            lambda *what: told.append(what),
        )
        subscriber = subprocess.Popen(
            [sys.executable, '-c', _SUBSCRIBER, topic.name], stdout=subprocess.PIPE
        )
        try:
            _wait(lambda: topic.wanted)
            topic.publish(Header())
            assert subscriber.stdout.readline()
            subscriber.send_signal(signal.SIGSTOP)
            for _ in range(5200):
                topic.publish(Header())
            _wait(lambda: sum(lost for *_, lost in told) >= 5)
            del told[:]
            longest, last, end = 0.0, time.monotonic(), time.monotonic() + 2
            while last < end:
                time.sleep(0.002)
                now = time.monotonic()
                longest, last = max(longest, now - last), now
        finally:
            subscriber.kill()
            subscriber.wait()
    took = [took for _, took, lost in told if lost]
    print(f'DDS took {max(took):.3f} s, another thread stood still for {longest:.3f} s')
    assert len(took) > 10
    assert min(took) > 0.09
    assert longest < 0.07


@pytest.mark.parametrize(
    ('lossless', 'connected', 'interrupted', 'lasts'),
    [
        (True, True, False, 0.9),
        (False, True, False, 0.3),
        (False, False, False, 0.8),
        (True, False, True, 0),
    ],
)
def test_discovery_is_waited_for_as_long_as_it_is_of_use(
    sender, monkeypatch, lossless, connected, interrupted, lasts
):
    monkeypatch.setattr(module, '_MOMENT', 0.3)
    monkeypatch.setattr(module, '_ANNOUNCED', 0.9)
    monkeypatch.setattr(module, '_CONNECTED', 0.5)
    monkeypatch.setattr(module.Topic, 'connected', connected)
    stop = threading.Event()
    if interrupted:
        stop.set()
    if lossless:
        sender.publishing.make_lossless()
    start = sender.publishing._begin
    sender.publishing.wait_for_discovery(stop)
    assert time.monotonic() - start == pytest.approx(lasts, abs=0.25)


def test_who_receives_nothing_is_waited_for_once(sender, slow, monkeypatch):
    """What DDS forgets is waited for; not for ever, and again once all was received."""
    state = SimpleNamespace(received=True, waits=[])

    def wait(_, limit):
        if limit:
            state.waits.append(limit)
        return state.received

    monkeypatch.setattr(module.Topic, 'wait_until_received', wait)
    slow.ready.set()
    sender.publishing.make_lossless()

    def publish(count):
        count += len(slow.published)
        while len(slow.published) < count:
            sender.first.publish(String())
        _wait(lambda: not sender.first.waiting)

    publish(3 * DEPTH)
    assert not state.waits
    state.received = False
    publish(5 * DEPTH)
    assert len(state.waits) == 1
    state.received = True
    publish(DEPTH)
    state.received = False
    publish(5 * DEPTH)
    assert len(state.waits) == 2
