# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The time in which a command line uses ROS."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import rclpy

from doa_ros.cli.command import Interrupted
from doa_ros.nodes.executable import ignore_signals, init, note_signals


@contextmanager
def session() -> Iterator[Callable[[], bool]]:
    """Use ROS in a block, which a signal does not interrupt.

    Yields:
        Whether a signal has come: the block is to end then.

    Raises:
        ConfigError: ROS is not usable.
        Interrupted: a signal has come, and the block has ended without an error.
    """
    signals = note_signals()
    # What ROS may be told on a command line is for nodes.
    init([])
    try:
        yield lambda: not signals.empty()
    finally:
        ignore_signals()
        rclpy.try_shutdown()
    if not signals.empty():
        raise Interrupted(signals.get())
