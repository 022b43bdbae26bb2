# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure what the nodes cost: CPU time, memory and regularity, in real time with a subscriber."""

import argparse
from contextlib import ExitStack
from dataclasses import dataclass
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from ament_index_python import get_package_prefix
import rclpy
from rclpy.executors import SingleThreadedExecutor

from doa_ros.core.errors import DoaError
from doa_ros.msg import DoaEstimateArray

EXECUTABLES = {
    'pipeline': ['doa_pipeline'],
    # The capture last: a recording starts when somebody listens.
    'nodes': ['doa_markers', 'doa_estimator', 'gcc_phat', 'audio_capture'],
}
# For rendering the scene and loading the network on a busy machine [s].
_START_LIMIT = 120.0
# Not measured after the first estimate: discovery goes on, caches are cold [s].
_SETTLING = 2.0
_STOP_LIMIT = 10.0


@dataclass(frozen=True)
class Measurement:
    """What a run cost.

    Attributes:
        seconds: of audio, and so of time.
        cpu: CPU time of all processes per second of audio.
        memory: their resident memory [MB].
        rate: estimates received per second.
        largest_gap: between the arrivals of two estimates [s].
    """

    seconds: float
    cpu: float
    memory: float
    rate: float
    largest_gap: float

    def __str__(self):
        return (
            f'{self.cpu:.3f} CPU s per s of audio over {self.seconds:.1f} s, '
            f'{self.memory:.0f} MB, {self.rate:.1f} estimates per s, '
            f'at most {self.largest_gap * 1000:.0f} ms apart'
        )


def measure(seconds: float, method: str = 'cnn', mode: str = 'pipeline', file: str = ''):
    """Run the nodes on a recording, or the simulated scene, and return a `Measurement`.

    Raises:
        DoaError: a process ended or no estimate came.
    """
    namespace = f'/benchmark_{os.getpid()}'
    parameters = {'source': 'file' if file else 'sim', 'file': file, 'loop': True}
    parameters['method'] = method
    arrivals = []
    context = rclpy.Context()
    context.init()
    with ExitStack() as stack:
        stack.callback(context.try_shutdown)
        node = rclpy.create_node('benchmark', namespace=namespace, context=context)
        node.create_subscription(
            DoaEstimateArray, 'estimates', lambda _: arrivals.append(time.monotonic()), 10
        )
        stack.callback(node.destroy_node)
        executor = SingleThreadedExecutor(context=context)
        stack.callback(executor.shutdown)
        executor.add_node(node)
        processes = []
        for executable in EXECUTABLES[mode]:
            processes.append(_start(executable, namespace, parameters))
            stack.callback(_stop, processes[-1])

        def listen(limit, done=lambda: False):
            end = time.monotonic() + limit
            while time.monotonic() < end and not done():
                executor.spin_once(timeout_sec=0.1)
                if any(process.poll() is not None for process in processes):
                    raise DoaError('a node has ended; its message is above')

        listen(_START_LIMIT, lambda: arrivals)
        if not arrivals:
            raise DoaError(f'no estimate within {_START_LIMIT:.0f} s')
        listen(_SETTLING)
        del arrivals[:-1]
        begin, cpu = time.monotonic(), sum(map(_cpu_time, processes))
        listen(seconds)
        duration, cpu = time.monotonic() - begin, sum(map(_cpu_time, processes)) - cpu
        arrivals.append(time.monotonic())
        return Measurement(
            seconds=duration,
            cpu=cpu / duration,
            memory=sum(map(_memory, processes)),
            rate=(len(arrivals) - 2) / duration,
            largest_gap=max(b - a for a, b in zip(arrivals, arrivals[1:], strict=False)),
        )


def _start(executable: str, namespace: str, parameters: dict) -> subprocess.Popen:
    path = Path(get_package_prefix('doa_ros'), 'lib', 'doa_ros', executable)
    command = [path, '--ros-args', '--log-level', 'warn', '-r', f'__ns:={namespace}']
    for name, value in parameters.items():
        command += ['-p', f'{name}:={json.dumps(value)}']
    return subprocess.Popen(command)


def _stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cpu_time(process: subprocess.Popen) -> float:
    # The name of the program, in brackets, may hold spaces; user and system time follow it.
    fields = Path(f'/proc/{process.pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def _memory(process: subprocess.Popen) -> float:
    pages = int(Path(f'/proc/{process.pid}/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def main() -> int:
    """Print one line of results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=20.0, help='time to measure [s]')
    parser.add_argument('--method', choices=['cnn', 'srp_phat'], default='cnn')
    parser.add_argument(
        '--mode',
        choices=list(EXECUTABLES),
        default='pipeline',
        help='one process, or the sum of one process per node',
    )
    parser.add_argument('--file', default='', help='recording; default is the simulated scene')
    arguments = parser.parse_args()
    if not arguments.seconds > 0:
        parser.error('--seconds must be positive')
    try:
        result = measure(**vars(arguments))
    except DoaError as error:
        print(f'doa-benchmark-cpu: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f'{arguments.mode}, {arguments.method}: {result}')
    return 0
