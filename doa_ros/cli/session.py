# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The time in which a command line uses ROS."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import os

import rclpy
from rclpy.node import Node

from doa_ros.command import Interrupted
from doa_ros.nodes.executable import ignore_signals, init, note_signals


@dataclass(frozen=True)
class Session:
    """What a command line has of ROS.

    Attributes:
        node: of its own.
        namespace: of the node, and of those that it starts.
        stopped: returns whether a signal has come.
    """

    node: Node
    namespace: str
    stopped: Callable[[], bool]


@contextmanager
def session(name: str, namespace: str | None = None) -> Iterator[Session]:
    """Use ROS in a block, which a signal does not interrupt.

    Args:
        name: of the node.
        namespace: of the node; None is one of its own, apart from a robot that is at work on this
            machine.

    Yields:
        What the block has of ROS; it is to end when `stopped`.

    Raises:
        ConfigError: ROS is not usable.
        Interrupted: a signal has come, and the block has ended without an error.
    """
    signals = note_signals()
    namespace = namespace or f'{name}_{os.getpid()}'
    # ROS arguments on the command line are for nodes.
    init([])
    try:
        node = rclpy.create_node(name, namespace=namespace)
        yield Session(node, namespace, lambda: not signals.empty())
        node.destroy_node()
    finally:
        ignore_signals()
        rclpy.try_shutdown()
    number = None if signals.empty() else signals.get()
    if number is not None:
        raise Interrupted(number)
