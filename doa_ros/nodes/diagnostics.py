# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the nodes say about themselves on `/diagnostics`, and how they drop bad messages."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import math
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from doa_ros.core.errors import MessageError
from doa_ros.core.monitoring import Events, Level, Status, merge
from doa_ros.nodes.publishing_thread import PublishingThread

# [s]
_PERIOD = 1.0
_LOG_PERIOD = 5.0
# DDS is asked so seldom who else publishes, as this takes longer than all else [s].
_ASKING_PERIOD = 5.0
# DDS counts the publishers of a killed process for 20 s more [s].
_LINGERING = 25.0
# All nodes publish on these.
_SHARED = {'/diagnostics', '/parameter_events', '/rosout'}
# On a computer that is only busy, DDS takes a message sooner than this [s].
_HELD_UP = 0.2
_LEVELS = {
    Level.OK: DiagnosticStatus.OK,
    Level.WARN: DiagnosticStatus.WARN,
    Level.ERROR: DiagnosticStatus.ERROR,
}


class _OtherPublishers:
    """Finds out whether others publish on the topics of a node, too.

    Args:
        node: the node.
    """

    def __init__(self, node: Node):
        self._node = node
        # The time since which a topic has other publishers, by topic [s].
        self._since: dict[str, float] = {}
        self._told: set[str] = set()
        self._asked, self._status = -math.inf, Status(Level.OK, '')

    def status(self) -> Status:
        """Return a warning while there is one, and log it once."""
        now = time.monotonic()
        if now - self._asked >= _ASKING_PERIOD:
            self._asked, self._status = now, self._found(now)
        return self._status

    def _found(self, now: float) -> Status:
        topics = {p.topic_name for p in self._node.publishers} - _SHARED
        shared = {topic for topic in topics if self._node.count_publishers(topic) > 1}
        self._since = {topic: self._since.get(topic, now) for topic in shared}
        found = {topic for topic, since in self._since.items() if now - since >= _LINGERING}
        if not found:
            self._told.clear()
            return Status(Level.OK, '')
        sentence = (
            f'another node publishes on {", ".join(sorted(found))}, too: give every array a '
            'namespace of its own'
        )
        if not found <= self._told:
            self._told |= found
            self._node.get_logger().warning(sentence)
        return Status(Level.WARN, sentence)


class Diagnostics:
    """Publishes the health of a node once a second, and counts the messages that are lost.

    Not by diagnostic_updater: in Python it publishes where it is called, so that a node would
    wait for DDS, and its names do not tell two namespaces apart.

    Args:
        node: the node.
        publishing: the thread that publishes.
        ok: the message of the status while all is well.
        parts: return the status of a part of the node; called once a second.
    """

    def __init__(
        self,
        node: Node,
        publishing: PublishingThread,
        ok: str,
        parts: Sequence[Callable[[], Status]] = (),
    ):
        self._node, self._ok = node, ok
        self._rejected = Events(
            'rejected messages', 'they do not fit the configuration; the log says why'
        )
        self._late = Events('late messages', 'this computer is too busy or too slow to take all')
        self._lost = Events('lost messages', 'DDS did not take them in time')
        events = (self._rejected, self._late, self._lost)
        self._parts = [*parts, _OtherPublishers(node).status, *(e.status for e in events)]
        # Several arrays on one robot are told apart by the namespace.
        self._hardware_id = node.get_namespace()
        self._topic = publishing.topic(
            node, DiagnosticArray, '/diagnostics', 1, self.note_publishing
        )
        # On a clock of its own: that of the node may be simulated, and stand still.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(_PERIOD, self._publish, clock=steady)

    @contextmanager
    def dropping(self) -> Iterator[None]:
        """Drop the message that turns out not to be usable in this context.

        It is counted, and the log says why, not too often.
        """
        try:
            yield
        except MessageError as error:
            self._rejected.add()
            self._node.get_logger().error(f'dropped: {error}', throttle_duration_sec=_LOG_PERIOD)

    def drop_late(self, count: int, needed: float) -> None:
        """Count messages that are left out, and log it, not too often.

        Args:
            count: of messages.
            needed: the time that it would have taken to take all that waited [s].
        """
        self._late.add(count)
        self._node.get_logger().warning(
            f'left out {count} messages: all that waited would take {needed:.2f} s; '
            'this computer is too busy or too slow',
            throttle_duration_sec=_LOG_PERIOD,
        )

    def note_publishing(self, topic: str, took: float, lost: int) -> None:
        """Count messages that were lost, and log this and when DDS was slow, not too often.

        Args:
            topic: its name.
            took: how long DDS took to take a message [s].
            lost: messages that were lost meanwhile.
        """
        self._lost.add(lost)
        if lost or took > _HELD_UP:
            number = f'{lost} messages were lost' if lost else 'nothing was lost'
            self._node.get_logger().warning(
                f'{topic}: DDS held up a message for {took:.2f} s; {number}',
                throttle_duration_sec=_LOG_PERIOD,
            )

    def _publish(self) -> None:
        found = merge([Status(Level.OK, self._ok), *(part() for part in self._parts)])
        status = DiagnosticStatus(
            name=f'{self._node.get_fully_qualified_name()}: health',
            hardware_id=self._hardware_id,
            level=_LEVELS[found.level],
            message=found.message,
            values=[KeyValue(key=k, value=v) for k, v in found.values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._topic.publish(message)
