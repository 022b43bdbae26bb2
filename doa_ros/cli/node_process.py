# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Running executables of the package as child processes and listening to them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
import json
import os
from pathlib import Path
import signal
import subprocess

from ament_index_python import PackageNotFoundError, get_package_prefix
import rclpy
from rclpy.node import Node

from doa_ros.core.errors import DoaError

_STOP_SECONDS = 5.0


class NodeProcess:
    """A running executable of the package; a context manager that stops it.

    Args:
        executable: its name.
        parameters: ROS parameters by name.
        namespace: of its nodes and topics.

    Raises:
        DoaError: the executable is not installed.
    """

    def __init__(self, executable: str, parameters: Mapping[str, object], namespace: str):
        self._name = executable
        command = [_find(executable), '--ros-args', '-r', f'__ns:=/{namespace}']
        command += ['--log-level', 'WARN']
        for name, value in parameters.items():
            # Quoted as in YAML: a device may be called 1.
            command += ['-p', f'{name}:={json.dumps(value, ensure_ascii=False)}']
        # A Ctrl-C in the terminal reaches the parent alone, which then stops the child.
        self._process = subprocess.Popen(command, start_new_session=True)

    def __enter__(self) -> 'NodeProcess':
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def status(self) -> int | None:
        """Exit status, or None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End the process; does nothing when it has ended."""
        if self.status is None:
            # Not SIGINT: Python prints a traceback where it comes during the start.
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def send(self, number: int) -> None:
        """Send a signal to the process."""
        self._process.send_signal(number)

    def children(self) -> list[int]:
        """Return the numbers of the processes that it has started and that run, in order."""
        try:
            tasks = list(Path(f'/proc/{self._process.pid}/task').iterdir())
            lists = [(task / 'children').read_text(encoding='ascii') for task in tasks]
        except OSError:
            return []  # A thread or the process itself has ended meanwhile.
        return sorted(int(number) for listed in lists for number in listed.split())

    def cpu_seconds(self) -> float:
        """Return the user and system time spent so far [s]."""
        stat = Path(f'/proc/{self._process.pid}/stat').read_text(encoding='ascii')
        # Fields 14 and 15, counted from after the parenthesised name.
        user, system = stat.rpartition(')')[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf('SC_CLK_TCK')

    def memory(self) -> int:
        """Return the resident memory [bytes]."""
        return _memory(self._process.pid)

    def children_memory(self) -> int:
        """Return the resident memory of the processes that it has started [bytes]."""
        total = 0
        for child in self.children():
            with suppress(OSError):  # It has ended meanwhile.
                total += _memory(child)
        return total

    def check(self) -> None:
        """Do nothing while it runs or when it has ended well.

        Raises:
            DoaError: it ended with an error, which it has printed.
        """
        if self.status:
            raise DoaError(f'{self._name} ended with status {self.status}; see its message above')


def _memory(pid: int) -> int:
    """Return the resident memory of a process [bytes]."""
    statm = Path(f'/proc/{pid}/statm').read_text(encoding='ascii')
    return int(statm.split()[1]) * os.sysconf('SC_PAGE_SIZE')


def _find(executable: str) -> str:
    """Return the path of an executable of the package, where `ros2 run` finds it, too."""
    try:
        path = Path(get_package_prefix('doa_ros'), 'lib', 'doa_ros', executable)
    except (PackageNotFoundError, OSError):
        # OSError comes where no workspace is sourced.
        raise DoaError(
            'the package doa_ros is not found: source install/setup.bash of your workspace, or '
            'env.sh of a checkout'
        ) from None
    if not path.is_file():
        raise DoaError(f'{path} is missing: build the workspace again')
    return str(path)


def listen(node: Node, processes: Sequence[NodeProcess], until: Callable[[], bool]) -> None:
    """Deliver messages to a node until `until`, or until one of the processes has ended."""
    while not until() and all(process.status is None for process in processes):
        rclpy.spin_once(node, timeout_sec=0.1)
