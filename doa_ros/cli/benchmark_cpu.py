# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-benchmark-cpu: what the nodes cost in real time, seen by a robot and by RViz.

Somebody subscribes to `estimates`, `tracks` and `markers`.
"""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
import time

from doa_ros.cli.node_process import NodeProcess, listen
from doa_ros.cli.session import Session, session
from doa_ros.command import positive
from doa_ros.core.errors import DoaError
from doa_ros.core.localization.localizer import METHODS, MethodConfig
from doa_ros.nodes.topics import ESTIMATES, TRACKS, WINDOW_MARKERS, PublishedTopic

_EXECUTABLES = {
    'pipeline': ['doa_pipeline'],
    # The capture starts last: a recording is played from the first subscriber on.
    'nodes': ['doa_markers', 'doa_tracker', 'doa_estimator', 'gcc_phat', 'audio_capture'],
}
# The first estimate comes within this time, even on a busy machine [s].
_START_LIMIT = 120.0
# The measurement begins this long after the first estimate: until then, discovery goes on and
# caches are cold [s].
_SETTLING = 2.0


@dataclass(frozen=True)
class PipelineCost:
    """What a run cost.

    Attributes:
        seconds: of audio, and so of time.
        cpu: CPU time of each process per second of audio, by its name.
        memory: their resident memory [MB].
        rate: estimates received per second.
        largest_gap: between the arrivals of two estimates [s].
    """

    seconds: float
    cpu: dict[str, float]
    memory: float
    rate: float
    largest_gap: float

    def __str__(self) -> str:
        total = f'{sum(self.cpu.values()):.3f} CPU s per s of audio'
        if len(self.cpu) > 1:
            shares = (f'{name} {cpu:.3f}' for name, cpu in self.cpu.items())
            total += f' ({", ".join(shares)})'
        return (
            f'{total} over {self.seconds:.1f} s, '
            f'{self.memory:.0f} MB, {self.rate:.1f} estimates per s, '
            f'at most {self.largest_gap * 1000:.0f} ms apart'
        )


def main() -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args()
    with session('benchmark') as ros:
        cost = measure(ros, **vars(arguments))
    print(f'{arguments.mode}, {arguments.method}: {cost}')
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='doa-benchmark-cpu', description=__doc__)
    parser.add_argument('--seconds', type=positive, default=20.0, help='to measure (%(default)s)')
    parser.add_argument('--method', choices=METHODS, default=MethodConfig.method)
    parser.add_argument(
        '--mode',
        choices=tuple(_EXECUTABLES),
        default='pipeline',
        help='one process, or the sum of one process per node',
    )
    parser.add_argument('--file', default='', help='recording; else the simulated scene')
    return parser


def measure(
    ros: Session, seconds: float, method: str, mode: str, file: str
) -> PipelineCost | None:
    """Run the nodes on a recording, or on the simulated scene; return None when stopped.

    Args:
        ros: listens to the nodes.
        seconds: how long to measure [s].
        method: how directions are found, one of METHODS.
        mode: `pipeline` or `nodes`: one process, or one per node.
        file: the recording; empty for the scene.

    Raises:
        DoaError: a process ended, or no estimate came.
    """
    parameters: dict[str, object] = {'source': 'sim', 'method': method, 'loop': True}
    parameters['publish_audio'] = mode == 'nodes'
    if file:
        parameters |= {'source': 'file', 'file': file}
    arrivals: list[float] = []

    def receive(topic: PublishedTopic, take: Callable[[bytes], None]) -> None:
        # As bytes: to make messages of them would take time from the nodes.
        ros.node.create_subscription(topic.message_type, topic.name, take, 10, raw=True)

    receive(ESTIMATES, lambda _: arrivals.append(time.monotonic()))
    for topic in (TRACKS, WINDOW_MARKERS):
        receive(topic, lambda _: None)
    with ExitStack() as stack:
        by_name = {
            executable: stack.enter_context(NodeProcess(executable, parameters, ros.namespace))
            for executable in _EXECUTABLES[mode]
        }
        processes = list(by_name.values())

        def wait(limit: float, done: Callable[[], bool] = lambda: False) -> None:
            end = time.monotonic() + limit
            listen(ros.node, processes, lambda: ros.stopped() or done() or time.monotonic() > end)
            if any(process.status is not None for process in processes):
                raise DoaError('a process has ended; its message is above')

        wait(_START_LIMIT, lambda: bool(arrivals))
        if not arrivals and not ros.stopped():
            raise DoaError(f'no estimate within {_START_LIMIT:.0f} s')
        wait(_SETTLING)
        arrivals.clear()
        begin, spent = time.monotonic(), [process.cpu_seconds() for process in processes]
        wait(seconds)
        if ros.stopped():
            return None
        duration = time.monotonic() - begin
        moments = [begin, *arrivals, begin + duration]
        return PipelineCost(
            seconds=duration,
            cpu={
                name: (process.cpu_seconds() - before) / duration
                for (name, process), before in zip(by_name.items(), spent, strict=True)
            },
            memory=sum(process.memory() for process in processes) / 1e6,
            rate=len(arrivals) / duration,
            largest_gap=max(b - a for a, b in zip(moments, moments[1:], strict=False)),
        )
