# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the nodes publish: in a thread of their process, so that computing never waits for DDS."""

from collections import deque
from collections.abc import Callable
import ctypes
import math
import threading
import time

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message

from doa_ros.core.units import NANOSECONDS
from doa_ros.nodes.qos import overridable

# Messages of so much time may wait [s], and at least so many.
_BUFFERED = 1.0
_LEAST_DEPTH = 10
# When the process ends, the messages that wait are published within this time [s].
_END_LIMIT = 1.0
# Where nothing is to be lost, a subscriber that receives nothing is waited for so long [s].
_STANDSTILL = 5.0
# DDS finds subscribers within the first time [s]. Those that it misses announce themselves again,
# in Fast DDS after 3 s, and are found within the second time: it is waited for where nothing is to
# be lost. Then, subscribers that were found are connected within the third.
_MOMENT = 1.0
_ANNOUNCED = 4.0
_CONNECTED = 4.0
_LOOK = 0.05


def depth_of(period: float) -> int:
    """Return the QoS depth of a topic with a message every `period` [s]."""
    return max(math.ceil(_BUFFERED / period), _LEAST_DEPTH)


class PublishingThread:
    """Publishes what the nodes of a process give it, in that order, in a thread of its own.

    While other participants come and go, DDS may hold up a publisher for a second. Messages wait
    meanwhile: of each topic the newest, as many as the depth of its QoS.

    Attributes:
        nodes: those that publish by it, in the order in which they were made.
    """

    def __init__(self):
        self._begin = time.monotonic()
        self._changed = threading.Condition()
        self.nodes: list[Node] = []
        self._topics: list[Topic] = []
        # A topic is in it once for each of its messages that wait.
        self._turns: deque[Topic] = deque()
        self._lossless = False
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._work, name='publishing', daemon=True)
        self._thread.start()

    def make_lossless(self) -> None:
        """Lose nothing from now on: nodes wait for DDS. Only for sound that is not live."""
        self._lossless = True

    def wait_for_discovery(self, interrupted: threading.Event) -> None:
        """Wait until the subscribers are known and connected, or interrupted, for some seconds.

        A message that is published before that may reach none of them. A subscriber whose QoS
        does not fit is never connected, so that the wait has a limit.

        Args:
            interrupted: ends the wait.
        """
        known = self._begin + (_ANNOUNCED if self._lossless else _MOMENT)
        limit = max(known, time.monotonic()) + _CONNECTED
        while (now := time.monotonic()) < limit:
            connected = all(topic.connected for topic in self._topics)
            if now > known and connected or interrupted.wait(_LOOK):
                return

    def topic(
        self,
        node: Node,
        message_type: type,
        name: str,
        qos: QoSProfile | int,
        on_sent: Callable[[str, float, int], None],
    ) -> 'Topic':
        """Return a topic to publish on; parameters can override its QoS.

        Args:
            node: the publisher.
            message_type, name, qos: of the topic; a number is the depth of the QoS.
            on_sent: is called after each message with the topic's name, how long DDS took [s],
                and how many messages were lost since the call before.

        Raises:
            ConfigError: a parameter gives a QoS that ROS does not know.
        """
        with overridable(name) as options:
            publisher = node.create_publisher(
                message_type, name, qos, qos_overriding_options=options
            )
        topic = Topic(self, node, publisher, on_sent)
        self._topics.append(topic)
        return topic

    def put(self, topic: 'Topic', message) -> None:
        """Queue a message, from any thread.

        Where the topic is full, the oldest message is dropped; after `make_lossless`, this waits
        until there is room instead.
        """
        with self._changed:
            if self._lossless:
                self._changed.wait_for(lambda: not topic.full or self._ending)
            if self._ending:
                return
            if topic.full:
                topic.drop_oldest()
            else:
                self._turns.append(topic)
            topic.waiting.append(message)
            self._changed.notify_all()

    def close(self) -> None:
        """Take no more messages; return when all have been received, or after some seconds."""
        limit = _STANDSTILL if self._lossless else _END_LIMIT
        with self._changed:
            self._deadline = time.monotonic() + limit
            self._changed.notify_all()
        self._thread.join(limit)
        for topic in self._topics:
            topic.wait_until_received(self._patience)

    @property
    def running(self) -> bool:
        """Whether the thread publishes: not after `close`, and not after a fault in it."""
        return self._thread.is_alive()

    @property
    def _ending(self) -> bool:
        return self._deadline is not None

    @property
    def _patience(self) -> float:
        """How long a subscriber is waited for [s]."""
        if self._deadline is None:
            return _STANDSTILL
        return max(self._deadline - time.monotonic(), 0.0)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._turns or self._ending)
                if not self._turns or not self._patience:
                    return
                topic = self._turns.popleft()
                message = topic.waiting.popleft()
                if self._lossless:
                    # A node may wait for room.
                    self._changed.notify_all()
            if self._lossless:
                topic.make_room(self._patience)
            topic.send(message)


class Topic:
    """A topic to publish on; `PublishingThread.topic` makes them.

    Args:
        publishing: the thread that publishes.
        node: the publisher's.
        publisher: of the topic.
        on_sent: as for `PublishingThread.topic`.

    Attributes:
        name: of the topic, in full.
        waiting: messages that are not published yet, the oldest first.
    """

    def __init__(
        self,
        publishing: PublishingThread,
        node: Node,
        publisher: Publisher,
        on_sent: Callable[[str, float, int], None],
    ):
        self._publishing, self._node, self._publisher = publishing, node, publisher
        self._on_sent = on_sent
        self._standstill = False
        self._depth = max(publisher.qos_profile.depth, 1)
        self._dropped = self._unreceived = 0
        self.name: str = publisher.topic_name
        self.waiting: deque = deque()

    @property
    def full(self) -> bool:
        """Whether as many messages wait as may."""
        return len(self.waiting) >= self._depth

    @property
    def wanted(self) -> bool:
        """Whether anybody subscribes."""
        return self._publisher.get_subscription_count() > 0

    @property
    def connected(self) -> bool:
        """Whether all subscribers that were found are connected."""
        there = self._publisher.get_subscription_count()
        return there >= self._node.count_subscribers(self.name)

    def publish(self, message) -> None:
        """Publish a message as soon as DDS takes it, from any thread."""
        self._publishing.put(self, message)

    def drop_oldest(self) -> None:
        """Drop the oldest message that waits; `send` reports it.

        It is not reported here, because logging waits for DDS, too.
        """
        self.waiting.popleft()
        self._dropped += 1

    def send(self, message) -> None:
        """Give a message to DDS, and report how long that took and what was lost."""
        start = time.monotonic()
        refused = not _publish(self._publisher, message)
        took = time.monotonic() - start
        self._unreceived += 1
        dropped, self._dropped = self._dropped, 0
        self._on_sent(self.name, took, dropped + refused)

    def make_room(self, limit: float) -> None:
        """Wait until DDS can take a message without forgetting one that is not received yet.

        A subscriber for which that took too long is not waited for until it has received all.

        Args:
            limit: the longest wait [s].
        """
        # Fast DDS asks subscribers what they have received when its history is full, and otherwise
        # once in 3 s only: so it is to be filled before it is waited for.
        if self.wait_until_received(0.0):
            self._unreceived, self._standstill = 0, False
        elif self._unreceived >= self._depth and not self._standstill:
            self._standstill = not self.wait_until_received(limit)
            self._unreceived = 0
            if self._standstill:
                self._node.get_logger().warning(
                    f'{self.name}: a subscriber receives nothing; until it does, the node does '
                    'not wait for it, and it misses messages'
                )

    def wait_until_received(self, limit: float) -> bool:
        """Wait until reliable subscribers have received all messages; return whether they have.

        Args:
            limit: the longest wait [s].
        """
        with self._publisher.handle:
            status = _LIBRARY.rcl_publisher_wait_for_all_acked(
                ctypes.c_void_p(self._publisher.handle.pointer),
                ctypes.c_int64(round(limit * NANOSECONDS)),
            )
            _LIBRARY.rcutils_reset_error()
        return status == 0


# rclpy's own calls hold the lock of the interpreter while DDS makes them wait: no thread would
# go on. These do not. The handle finds what rclpy itself is linked with.
_LIBRARY = ctypes.CDLL(rclpy_implementation.__file__)


class _Bytes(ctypes.Structure):
    """A rcl_serialized_message_t."""

    _fields_ = (
        ('buffer', ctypes.c_char_p),
        ('length', ctypes.c_size_t),
        ('capacity', ctypes.c_size_t),
        ('allocator', ctypes.c_void_p * 5),
    )


def _publish(publisher: Publisher, message) -> bool:
    """Return whether DDS has taken a message."""
    content = serialize_message(message)
    serialized = _Bytes(content, len(content), len(content))
    with publisher.handle:
        status = _LIBRARY.rcl_publish_serialized_message(
            ctypes.c_void_p(publisher.handle.pointer), ctypes.byref(serialized), None
        )
    if status:
        _LIBRARY.rcutils_reset_error()
    return status == 0
