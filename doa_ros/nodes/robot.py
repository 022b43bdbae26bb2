# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""For the nodes of a robot that act on directions, such as those in `examples`."""

from collections.abc import Callable
import os
import sys

import rclpy
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import Header

from doa_ros.core.errors import DoaError, MessageError
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.nodes.executable import ignore_signals, init, note_signals

# A signal is noticed after this time at the latest [s].
_SIGNAL_LATENCY = 0.1
# A subscriber has so much time for what is published last [s].
_END_LIMIT = 0.5
# A warning comes no more often [s].
_WARNING_PERIOD = 5.0


class RobotNode(Node):
    """A node that acts on directions."""

    def stop(self) -> None:
        """Publish what stops the robot; called whatever ends the node."""

    def age_of(self, header: Header) -> float:
        """Return how long ago a stamp was by the clock of this node [s]."""
        return (self.get_clock().now().nanoseconds - stamp_of(header)) / NANOSECONDS


def bounded(value: float, limit: float) -> float:
    """Return what is nearest to a value from -limit to limit."""
    return min(max(value, -limit), limit)


def spin(make_node: Callable[[], RobotNode]) -> int:
    """Run a node until SIGINT or SIGTERM comes; return the exit status.

    A callback that raises `MessageError` has dropped its message: a warning says so. Another
    `DoaError`, also in making the node, is told in one sentence and ends it with status 1.

    Args:
        make_node: makes the node.
    """
    try:
        init()
        node = make_node()
    except DoaError as error:
        rclpy.logging.get_logger(os.path.basename(sys.argv[0])).fatal(str(error))
        rclpy.try_shutdown()
        return 1
    ended = note_signals()
    # The one of the chain, EventsExecutor, would log each error of a callback as a fatal one.
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while ended.empty():
            try:
                executor.spin_once(timeout_sec=_SIGNAL_LATENCY)
            except MessageError as error:
                node.get_logger().warning(
                    f'dropped: {error}', throttle_duration_sec=_WARNING_PERIOD
                )
    except DoaError as error:
        node.get_logger().fatal(str(error))
        return 1
    finally:
        ignore_signals()
        node.stop()
        # What is published last would otherwise go with this process.
        for publisher in node.publishers:
            publisher.wait_for_all_acked(Duration(seconds=_END_LIMIT))
        node.destroy_node()
        rclpy.try_shutdown()
    return 0
