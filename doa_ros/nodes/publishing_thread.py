# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the nodes publish: in a thread of its own, so that computing never waits for DDS."""

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

# So much may wait [s].
_BUFFERED = 1.0
_LEAST_DEPTH = 10
# When the process ends, messages have so long to leave it [s].
_END_LIMIT = 1.0
# Where nothing is to be lost, a subscriber that stands still is waited for so long [s].
_STANDSTILL = 5.0
# DDS finds who is there in a moment, or, where that went wrong, when they announce themselves
# again: in Fast DDS after 3 s. What is live waits for the moment, where nothing is to be lost for
# the other, too. Then, all who were found have so long to be connected [s].
_MOMENT = 1.0
_ANNOUNCED = 4.0
_CONNECTED = 4.0
_LOOK = 0.05


def depth_of(period: float) -> int:
    """Return the QoS depth of a topic with a message every `period` [s]."""
    return max(math.ceil(_BUFFERED / period), _LEAST_DEPTH)


class PublishingThread:
    """Publishes what the nodes of a process give it, in that order, in a thread of its own.

    DDS may hold up who publishes for a second while other participants come and go. Messages
    wait meanwhile: of each topic the newest, as many as the depth of its QoS.
    """

    def __init__(self):
        self._begin = time.monotonic()
        self._changed = threading.Condition()
        # Who publishes by it, in the order of their making.
        self.nodes: list[Node] = []
        self._topics: list[Topic] = []
        # A topic is in it once for each of its messages that wait.
        self._turns: deque[Topic] = deque()
        self._lossless = False
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._work, name='publishing', daemon=True)
        self._thread.start()

    def make_lossless(self) -> None:
        """Make publishers wait for DDS from now on, as the sound is not live; nothing is lost."""
        self._lossless = True

    def wait_for_discovery(self, interrupted: threading.Event) -> None:
        """Wait until the subscribers are known, or interrupted; earlier messages reach nobody.

        A subscriber that was found is never connected where its QoS does not fit.
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
            message_type, name, qos: of the topic.
            on_sent: is told after each message the topic's name, how long DDS took [s], and how
                many messages were lost.
        """
        with overridable(name) as options:
            publisher = node.create_publisher(
                message_type, name, qos, qos_overriding_options=options
            )
        topic = Topic(self, node, publisher, on_sent)
        self._topics.append(topic)
        return topic

    def put(self, topic: 'Topic', message) -> None:
        """Let a message wait for its turn; after `make_lossless`, wait until there is room."""
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
        """Take nothing any more; return when all messages have left, or after a while."""
        limit = _STANDSTILL if self._lossless else _END_LIMIT
        with self._changed:
            self._deadline = time.monotonic() + limit
            self._changed.notify_all()
        self._thread.join(limit)
        for topic in self._topics:
            topic.wait_until_received(self._patience)

    @property
    def running(self) -> bool:
        """Whether messages leave; after `close`, and a fault, they do not."""
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
                self._changed.notify_all()
            if self._lossless:
                topic.make_room(self._patience)
            topic.send(message)


class Topic:
    """A topic to publish on; `PublishingThread.topic` makes them."""

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
        """Whether all subscribers who were found are connected."""
        there = self._publisher.get_subscription_count()
        return there >= self._node.count_subscribers(self.name)

    def publish(self, message) -> None:
        """Publish a message as soon as DDS takes it, from any thread."""
        self._publishing.put(self, message)

    def drop_oldest(self) -> None:
        """Make room in `waiting`; `send` tells of it, as the log waits for DDS, too."""
        self.waiting.popleft()
        self._dropped += 1

    def send(self, message) -> None:
        """Give a message to DDS."""
        start = time.monotonic()
        refused = not _publish(self._publisher, message)
        took = time.monotonic() - start
        self._unreceived += 1
        dropped, self._dropped = self._dropped, 0
        self._on_sent(self.name, took, dropped + refused)

    def make_room(self, limit: float) -> None:
        """Wait [s] until DDS can take a message without forgetting one that is not received.

        A subscriber for whom that took too long is not waited for until it has received all.
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
        """Wait until reliable subscribers have all messages; return False after a time [s]."""
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
