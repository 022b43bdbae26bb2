# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Running nodes as an executable: threads, signals and the exit status."""

from collections.abc import Callable, Sequence
import os
import signal
import sys
import threading

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from doa_ros.core.errors import DoaError


class WorkerNode(Node):
    """A node with work of its own besides callbacks. When the work ends, so does the process."""

    def work(self) -> None:
        """Work in a thread of its own until done or interrupted; may raise DoaError."""
        raise NotImplementedError

    def interrupt(self) -> None:
        """Make `work` return, from any thread."""
        raise NotImplementedError


def run(make_nodes: Callable[[], Sequence[Node]]) -> int:
    """Run nodes until a signal comes or a worker ends; return the exit status.

    A terminal sends SIGINT to the whole process group and `ros2 launch` sends it again: the
    second must not interrupt the shutdown that the first began, so signals only set a flag.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    errors: list[DoaError] = []
    try:
        nodes = make_nodes()
    except DoaError as error:
        rclpy.logging.get_logger('doa_ros').fatal(str(error))
        rclpy.try_shutdown()
        return 1

    def work(node: WorkerNode) -> None:
        try:
            node.work()
        except DoaError as error:
            node.get_logger().fatal(str(error))
            errors.append(error)
        finally:
            stop.set()

    executor = EventsExecutor()
    for node in nodes:
        executor.add_node(node)
    workers = [node for node in nodes if isinstance(node, WorkerNode)]
    threads = [threading.Thread(target=work, args=(node,), name='work') for node in workers]
    threads.append(threading.Thread(target=_spin, args=(executor,), name='spin'))
    for thread in threads:
        thread.start()
    stop.wait()
    for node in workers:
        node.interrupt()
    executor.shutdown()
    for thread in threads:
        thread.join(timeout=2.0)
    if any(thread.is_alive() for thread in threads):
        # A thread that hangs in a device driver would keep the process alive for ever.
        sys.stderr.flush()
        os._exit(1 if errors else 0)
    for node in nodes:
        node.destroy_node()
    rclpy.try_shutdown()
    return 1 if errors else 0


def _spin(executor) -> None:
    try:
        executor.spin()
    except ExternalShutdownException:
        pass
