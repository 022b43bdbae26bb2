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

from doa_ros.audio.source import NANOSECONDS
from doa_ros.nodes.qos import overridable

# So much may wait [s].
_BUFFERED = 1.0
_LEAST_DEPTH = 10
# When the process ends, messages have so long to leave it [s].
_END_LIMIT = 1.0
# Where nothing is to be lost, a subscriber that stands still is waited for so long [s].
_STANDSTILL = 1.0


def depth_of(period: float) -> int:
    """Return the QoS depth of a topic with a message every `period` [s]."""
    return max(math.ceil(_BUFFERED / period), _LEAST_DEPTH)


class Outbox:
    """Publishes what the nodes of a process give it, in that order, in a thread of its own.

    DDS may hold up who publishes for a second while other participants come and go. Messages
    wait meanwhile: of each topic the newest, as many as the depth of its QoS.
    """

    def __init__(self):
        self._changed = threading.Condition()
        # Who publishes by it, in the order of their making.
        self.nodes: list[Node] = []
        self._topics: list[Topic] = []
        # A topic is in it once for each of its messages that wait.
        self._turns: deque[Topic] = deque()
        self._lossless = False
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._work, name='outbox', daemon=True)
        self._thread.start()

    def lose_nothing(self) -> None:
        """From now on who publishes waits where DDS does not keep up: the sound is not live."""
        self._lossless = True

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
        topic = Topic(self, publisher, on_sent)
        self._topics.append(topic)
        return topic

    def put(self, topic: 'Topic', message) -> None:
        """Let a message wait for its turn; after `lose_nothing`, wait until there is room."""
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
        """Take nothing any more; return when all messages have left, or after a second."""
        with self._changed:
            self._deadline = time.monotonic() + _END_LIMIT
            self._changed.notify_all()
        self._thread.join(_END_LIMIT)
        for topic in self._topics:
            topic.wait_until_received(self._patience)

    @property
    def works(self) -> bool:
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
            topic.send(message)
            if self._lossless:
                topic.spare_history(self._patience)


class Topic:
    """A topic to publish on; `Outbox.topic` makes them."""

    def __init__(
        self, outbox: Outbox, publisher: Publisher, on_sent: Callable[[str, float, int], None]
    ):
        self._outbox, self._publisher, self._on_sent = outbox, publisher, on_sent
        self._depth = max(publisher.qos_profile.depth, 1)
        self._dropped = self._sent = 0
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

    def publish(self, message) -> None:
        """Publish a message as soon as DDS takes it, from any thread."""
        self._outbox.put(self, message)

    def drop_oldest(self) -> None:
        """Make room in `waiting`; `send` tells of it, as the log waits for DDS, too."""
        self.waiting.popleft()
        self._dropped += 1

    def send(self, message) -> None:
        """Give a message to DDS."""
        start = time.monotonic()
        refused = not _publish(self._publisher, message)
        took = time.monotonic() - start
        self._sent += 1
        dropped, self._dropped = self._dropped, 0
        self._on_sent(self.name, took, dropped + refused)

    def spare_history(self, limit: float) -> None:
        """Wait [s] for subscribers before DDS forgets messages that they have not received."""
        if self._sent >= self._depth:
            self._sent = 0
            self.wait_until_received(limit)

    def wait_until_received(self, limit: float) -> None:
        """Wait until reliable subscribers have all messages, or a time [s] is over."""
        with self._publisher.handle:
            _LIBRARY.rcl_publisher_wait_for_all_acked(
                ctypes.c_void_p(self._publisher.handle.pointer),
                ctypes.c_int64(round(limit * NANOSECONDS)),
            )
            _LIBRARY.rcutils_reset_error()


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
