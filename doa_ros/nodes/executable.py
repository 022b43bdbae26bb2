# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Running nodes as an executable: threads, signals and the exit status."""

from collections.abc import Callable, Mapping, Sequence
import os
import queue
import signal
import sys
import threading
from typing import Any

import rclpy
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from doa_ros.core.errors import ConfigError, DoaError
from doa_ros.nodes.chain import StartError, WorkerNode
from doa_ros.nodes.parent import end_with_launch
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.usage import check_names_of_parameters, parse

try:
    # Costs less CPU time, but is not in the first releases of Jazzy.
    from rclpy.experimental import EventsExecutor as Executor
except ImportError:
    from rclpy.executors import SingleThreadedExecutor as Executor

# A signal is noticed after this time at the latest [s].
_SIGNAL_LATENCY = 0.1
# A worker that takes longer than this to end hangs in a device driver [s].
_END_LIMIT = 2.0


def run(
    executable: str,
    make_nodes: Callable[[PublishingThread], Sequence[Node]],
    options: Mapping[str, tuple[str, Callable[[], int]]] | None = None,
) -> int:
    """Run nodes, or what an option says; return the exit status.

    Args:
        executable: its name.
        make_nodes: makes the nodes.
        options: by their names on the command line, what else there is to run, and what it does.
    """
    options = options or {}
    for chosen in parse(executable, {name: text for name, (text, _) in options.items()}):
        return options[chosen][1]()
    return run_nodes(executable, make_nodes)


def run_nodes(executable: str, make_nodes: Callable[[PublishingThread], Sequence[Node]]) -> int:
    """Run nodes until a signal comes or a worker ends; return the exit status.

    Args:
        executable: its name.
        make_nodes: makes the nodes.

    A terminal sends SIGINT to the whole process group and `ros2 launch` sends it again: the
    second must not interrupt the shutdown that the first began, so signals only leave a note.
    """
    end_with_launch()
    publishing = PublishingThread()
    try:
        init()
        nodes = make_nodes(publishing)
        check_names_of_parameters(nodes)
    except DoaError as error:
        publishing.close()
        # Unless the error names a node, it is that of the last one, which was being made.
        failed_node = error.node if isinstance(error, StartError) else None
        failed_node = failed_node or (publishing.nodes[-1] if publishing.nodes else None)
        logger = failed_node.get_logger() if failed_node else rclpy.logging.get_logger(executable)
        logger.fatal(str(error))
        _end(publishing.nodes)
        return 1

    stop = note_signals()
    failed: list[WorkerNode | PublishingThread] = []

    def work(node: WorkerNode) -> None:
        try:
            node.work()
        except Exception as error:
            failed.append(node)
            if not isinstance(error, DoaError):
                raise
            node.get_logger().fatal(str(error))
        finally:
            stop.put(None)

    executor = Executor()
    for node in nodes:
        executor.add_node(node)
    workers = [node for node in nodes if isinstance(node, WorkerNode)]
    threads = [threading.Thread(target=work, args=(node,), name='work') for node in workers]
    for thread in threads:
        thread.start()
    try:
        # Not spin(): built for an old C library, as in the wheels, it never sleeps.
        while stop.empty() and publishing.running:
            executor.spin_once(timeout_sec=_SIGNAL_LATENCY)
    finally:
        if not publishing.running:
            failed.append(publishing)
        # Python takes handlers away when it ends, and a late signal would change the status.
        ignore_signals()
        for node in workers:
            node.interrupt()
        publishing.close()
    for thread in threads:
        thread.join(_END_LIMIT)
    if any(thread.is_alive() for thread in threads):
        # It would keep the process alive for ever.
        sys.stderr.flush()
        os._exit(1 if failed else 0)
    executor.shutdown()
    _end(nodes)
    return 1 if failed else 0


def _end(nodes: Sequence[Node]) -> None:
    """End the use of ROS."""
    for node in nodes:
        node.destroy_node()
    rclpy.try_shutdown()


def init(arguments: list[str] | None = None) -> None:
    """Begin to use ROS.

    Args:
        arguments: those of ROS; None takes them from the command line.

    Raises:
        ConfigError: they, or what the environment says, are not usable.
    """
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    except UnicodeEncodeError:
        raise ConfigError(
            'ROS takes no arguments that are not UTF-8: rename the file or device'
        ) from None
    except rclpy_implementation.UnknownROSArgsError as error:
        raise ConfigError(f'after --ros-args, ROS does not know {error}') from None
    except RuntimeError as error:
        # A ROS argument with a value that is none, or a parameter file that is missing or no YAML.
        raise ConfigError(' '.join(str(error).split())) from None


def note_signals() -> 'queue.SimpleQueue[int | None]':
    """Return what SIGINT and SIGTERM put their numbers into, instead of interrupting."""
    # Unlike an Event it may be used in a signal handler that interrupts itself.
    notes: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    _on_signals(lambda number, _: notes.put(number))
    return notes


def ignore_signals() -> None:
    """Ignore SIGINT and SIGTERM from now on: the process is ending."""
    _on_signals(signal.SIG_IGN)


def _on_signals(action: Callable[[int, Any], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, action)
