# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the nodes say about themselves on `/diagnostics`, and how they drop bad messages."""

from collections.abc import Callable, Sequence

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from doa_ros.core.errors import MessageError
from doa_ros.core.monitoring import Events, Level, Status, merge

try:
    import diagnostic_updater
except ImportError:  # It is not in the wheels.
    diagnostic_updater = None

# [s]
_PERIOD = 1.0
_LOG_PERIOD = 5.0
_LEVELS = {
    Level.OK: DiagnosticStatus.OK,
    Level.WARN: DiagnosticStatus.WARN,
    Level.ERROR: DiagnosticStatus.ERROR,
}


class Diagnostics:
    """Publishes the health of a node once a second, and counts the messages that it drops.

    Where diagnostic_updater is installed it does the publishing; otherwise the same content is
    published here.

    Args:
        node: the node.
        ok: the sentence where all is well.
        parts: are asked for their status every time.
    """

    def __init__(self, node: Node, ok: str, parts: Sequence[Callable[[], Status]] = ()):
        self._node, self._ok = node, ok
        self.rejected = Events(
            'rejected messages', 'they do not fit the configuration; the log says why'
        )
        self.late = Events('late messages', 'this computer is too busy to keep up')
        self._parts = [*parts, self.rejected.status, self.late.status]
        # Several arrays on one robot are told apart by the namespace.
        self._hardware_id = node.get_namespace()
        if diagnostic_updater is not None:
            self._updater = diagnostic_updater.Updater(node, _PERIOD)
            self._updater.setHardwareID(self._hardware_id)
            self._updater.add('health', self._fill)
        else:
            self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 1)
            # On a clock of its own: that of the node may be simulated, and stand still.
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self._timer = node.create_timer(_PERIOD, self._publish, clock=steady)

    def reject(self, error: MessageError) -> None:
        """Count a message that is dropped, and say why in the log, not too often."""
        self.rejected.add()
        self._node.get_logger().error(f'dropped: {error}', throttle_duration_sec=_LOG_PERIOD)

    def drop_late(self, count: int) -> None:
        """Count messages that are dropped because they have waited for too long."""
        self.late.add(count)
        self._node.get_logger().warning(
            f'left out {count} messages that came too late: this computer is too busy',
            throttle_duration_sec=_LOG_PERIOD,
        )

    def _fill(self, status):
        found = merge([Status(Level.OK, self._ok), *(part() for part in self._parts)])
        status.level = _LEVELS[found.level]
        status.message = found.message
        status.values = [KeyValue(key=k, value=v) for k, v in found.values.items()]
        return status

    def _publish(self) -> None:
        status = DiagnosticStatus(
            name=f'{self._node.get_name()}: health', hardware_id=self._hardware_id
        )
        message = DiagnosticArray(status=[self._fill(status)])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
