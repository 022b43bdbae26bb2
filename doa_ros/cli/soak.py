# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-soak: run the pipeline on a virtual UMA-8 that fails again and again, and watch it.

Needs PulseAudio. The exit status is not 0 where the pipeline ended, did not recover from a fault
or grew by more than 2 MB.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
import os
from pathlib import Path
import random
import signal
import tempfile
import time
from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import rclpy
from rclpy.node import Node

from doa_ros.audio.capture.status import RESTARTS
from doa_ros.audio.capture.virtual_device import VirtualUma8
from doa_ros.audio.scene_source import SceneSource
from doa_ros.audio.source import NANOSECONDS
from doa_ros.cli.command import positive
from doa_ros.cli.node_process import NodeProcess
from doa_ros.cli.plot_file import PlotFile
from doa_ros.cli.session import session
from doa_ros.core.errors import DoaError
from doa_ros.core.geometry import load_array
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaEstimateArray
from doa_ros.resources import find_resource

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLOCK = 0.05
# What the device plays from the beginning after each fault [s]; no calm lasts as long.
_RECORDING = 150.0
# From a fault that is over to the next [s].
_CALM = (5.0, 40.0)
# How long a fault lasts [s].
_FAULT = (0.5, 3.0)
# From the end of a fault to the first estimate: longer is no recovery [s].
_RECOVERY_LIMIT = 15.0
_START_LIMIT = 120.0
# Memory is looked at so often [s], and compared from here on: a share of the whole time.
_MEMORY_INTERVAL = 5.0
_WARM_UP = 0.15
_MAX_GROWTH = 2e6
# More than two hops without an estimate are a gap [s].
_GAP = 0.12


@dataclass
class Fault:
    """Something that was done to the pipeline or its device.

    Attributes:
        kind: what.
        begin, end: when it was done, and when it was over [s].
        recovered: when the first estimate came that was made of sound after the end [s], or
            None.
    """

    kind: str
    begin: float
    end: float = np.nan
    recovered: float | None = None


@dataclass
class Record:
    """What was observed; times are those of `time.time` [s].

    Attributes:
        arrivals: time and stamp of each estimate.
        memory: time, resident memory of the pipeline and of its children [bytes].
        restarts: when another process was seen to have taken over the capture.
        faults: in order.
    """

    arrivals: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, int, int]] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def missed(self) -> list[Fault]:
        """Faults without a recovery."""
        return [fault for fault in self.faults if fault.recovered is None]

    def gaps(self) -> list[tuple[float, float, bool]]:
        """Return stamp and length of each gap [s], and whether a fault explains it."""
        stamps = np.array([stamp for _, stamp in self.arrivals])
        steps = np.diff(stamps)
        found = []
        for number in np.flatnonzero(steps > _GAP):
            first, last = stamps[number], stamps[number + 1]
            found.append((first, steps[number], self._explained(first, last)))
        return found

    def needless_restarts(self) -> int:
        """Return how many restarts of the capture no fault explains."""
        # They are told of once a second.
        return sum(not self._explained(seen - 2, seen) for seen in self.restarts)

    def _explained(self, begin: float, end: float) -> bool:
        """Return whether something was broken, or had just been, in a stretch of time."""
        return any(
            fault.begin - 1 < end and begin < (fault.recovered or np.inf) + 1
            for fault in self.faults
        )

    def growth(self) -> float:
        """Return how much the memory of the pipeline grew after the warm-up [bytes]."""
        times, memory, _ = np.array(self.memory, dtype=float).T
        share = (times - times[0]) / max(times[-1] - times[0], 1e-9)
        early = memory[(share >= _WARM_UP) & (share <= 2 * _WARM_UP)]
        late = memory[share >= 1 - _WARM_UP]
        return float(np.median(late) - np.median(early)) if len(early) else 0.0


class Soak:
    """Breaks things and waits until they work again.

    Args:
        node: listens to the estimates.
        pipeline: its process.
        card: its device.
        rng: decides what happens when.
        stopped: whether to end early.
    """

    def __init__(
        self,
        node: Node,
        pipeline: NodeProcess,
        card: VirtualUma8,
        rng: random.Random,
        stopped: Callable[[], bool],
    ):
        self._node, self._pipeline, self._card = node, pipeline, card
        self._rng, self._stopped = rng, stopped
        self.record = Record()
        self._kinds: list[str] = []
        node.create_subscription(DoaEstimateArray, 'estimates', self._on_estimates, 100)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_estimates(self, message: DoaEstimateArray) -> None:
        self.record.arrivals.append((time.time(), stamp_of(message.header) / NANOSECONDS))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {value.key: value.value for value in status.values}
            if status.hardware_id == self._node.get_namespace() and RESTARTS in values:
                new = int(values[RESTARTS]) - len(self.record.restarts)
                self.record.restarts += [time.time()] * new

    def run(self, seconds: float) -> None:
        """Soak for a time.

        Raises:
            DoaError: the pipeline ended.
        """
        self._wait(_START_LIMIT, lambda: bool(self.record.arrivals))
        if not self.record.arrivals and not self._stopped():
            raise DoaError(f'no estimate within {_START_LIMIT:.0f} s')
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stopped():
            self._wait(min(self._rng.uniform(*_CALM), end - time.monotonic()))
            if time.monotonic() + _CALM[0] + _RECOVERY_LIMIT < end and not self._stopped():
                self._break()

    def _break(self) -> None:
        """Do something bad, end it, and wait for the recovery."""
        # Each in turn, in an order that changes: none is left to chance.
        if not self._kinds:
            self._kinds = self._rng.sample(list(self._faults), len(self._faults))
        kind = self._kinds.pop()
        fault = Fault(kind, time.time())
        self.record.faults.append(fault)
        with self._faults[kind](self) as lasts:
            if lasts:
                self._wait(self._rng.uniform(*_FAULT))
        fault.end = time.time()

        def recovered():
            return bool(self.record.arrivals) and self.record.arrivals[-1][1] > fault.end

        self._wait(_RECOVERY_LIMIT, recovered)
        if recovered():
            fault.recovered = time.time()
            print(f'{kind}: back after {fault.recovered - fault.end:.2f} s', flush=True)
        elif not self._stopped():
            print(f'{kind}: NOT back after {_RECOVERY_LIMIT:g} s', flush=True)
        else:
            self.record.faults.pop()

    def _wait(self, seconds: float, done: Callable[[], bool] = lambda: False) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not done() and not self._stopped():
            if not self.record.memory or (
                time.time() > self.record.memory[-1][0] + _MEMORY_INTERVAL
            ):
                capture = sum(_memory(child) for child in self._pipeline.children())
                self.record.memory.append((time.time(), self._pipeline.memory(), capture))
            rclpy.spin_once(self._node, timeout_sec=0.1)
            if self._pipeline.status is not None:
                raise DoaError('the pipeline has ended; its message is above')

    @contextmanager
    def _server_killed(self) -> Iterator[bool]:
        self._card.kill()
        yield True
        self._card.start()

    @contextmanager
    def _device_unplugged(self) -> Iterator[bool]:
        self._card.unplug()
        yield True
        self._card.plug()

    @contextmanager
    def _capture_killed(self) -> Iterator[bool]:
        self._send_to_capture(signal.SIGKILL)
        yield False

    @contextmanager
    def _capture_stopped(self) -> Iterator[bool]:
        # Nobody lets it go on: the pipeline has to see what is wrong.
        self._send_to_capture(signal.SIGSTOP)
        yield False

    def _send_to_capture(self, number: int) -> None:
        # The one with the larger number stands by to replace it.
        for child in self._pipeline.children()[:1]:
            os.kill(child, number)

    @contextmanager
    def _pipeline_stopped(self) -> Iterator[bool]:
        self._pipeline.send(signal.SIGSTOP)
        yield True
        self._pipeline.send(signal.SIGCONT)

    # Kind: context in which it is so; it gives whether it lasts, or is a matter of a moment.
    _faults = {
        'sound server killed': _server_killed,
        'device unplugged': _device_unplugged,
        'capture process killed': _capture_killed,
        'capture process stopped': _capture_stopped,
        'pipeline stopped': _pipeline_stopped,
    }


def main() -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args()
    plot = PlotFile(arguments.plot)
    with session() as stopped:
        record = _soak(arguments, stopped)
        if record.arrivals:
            print(report(record))
            print(f'plot: {plot.write(lambda: draw(record))}')
    return 1 if record.missed or record.growth() > _MAX_GROWTH else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='doa-soak', description=__doc__)
    parser.add_argument('--minutes', type=positive, default=60.0, help='how long (%(default)s)')
    parser.add_argument('--seed', type=int, default=1, help='of the faults (%(default)s)')
    parser.add_argument(
        '--plot', type=Path, default=Path('doa_soak.png'), help='picture to write (%(default)s)'
    )
    return parser


def _soak(arguments, stopped: Callable[[], bool]) -> Record:
    # Apart from a robot that is at work on this machine.
    namespace = f'soak_{os.getpid()}'
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='doa_soak_')))
        recording = folder / 'scene.raw'
        _write_scene(recording)
        card = VirtualUma8(folder, recording)
        stack.callback(card.kill)
        os.environ.update(card.environment)
        node = rclpy.create_node('soak', namespace=namespace)
        stack.callback(node.destroy_node)
        pipeline = stack.enter_context(NodeProcess('doa_pipeline', {}, namespace))
        soak = Soak(node, pipeline, card, random.Random(arguments.seed), stopped)
        soak.run(60 * arguments.minutes)
        return soak.record


def _write_scene(path: Path) -> None:
    array = load_array(find_resource('arrays', 'uma8'))
    source = SceneSource(
        find_resource('scenes', 'demo'), array, block_duration=_BLOCK, real_time=False
    )
    scene = np.concatenate([block.samples for block in source.blocks(lambda: 0)])
    seconds = len(scene) / array.sampling_frequency
    with path.open('wb') as file:
        for _ in range(round(_RECORDING / seconds)):
            scene.astype('<i4').tofile(file)


def _memory(pid: int) -> int:
    try:
        pages = Path(f'/proc/{pid}/statm').read_text(encoding='ascii').split()[1]
    except OSError:
        return 0  # It has ended meanwhile.
    return int(pages) * os.sysconf('SC_PAGE_SIZE')


def report(record: Record) -> str:
    """Return the result in words, a Markdown table of the faults among them."""
    arrivals, gaps = record.arrivals, record.gaps()
    minutes = (arrivals[-1][0] - arrivals[0][0]) / 60
    unexplained = [length for _, length, explained in gaps if not explained]
    backwards = int((np.diff([stamp for _, stamp in arrivals]) <= 0).sum())
    lines = ['| fault | times | recovered | back after, median [s] | most [s] |',
             '| --- | --- | --- | --- | --- |']  # fmt: skip
    for kind in Soak._faults:
        faults = [fault for fault in record.faults if fault.kind == kind]
        times = [fault.recovered - fault.end for fault in faults if fault.recovered]
        cells = [f'{np.median(times):.2f}', f'{max(times):.2f}'] if times else ['', '']
        lines.append(f'| {kind} | {len(faults)} | {len(times)} | {" | ".join(cells)} |')
    lines += [
        '',
        f'{minutes:.1f} minutes, {len(arrivals)} estimates, {backwards} of them with a stamp that '
        'goes back',
        f'{len(record.faults)} faults, {len(record.missed)} without recovery',
        f'{len(record.restarts)} restarts of the capture, {record.needless_restarts()} of them '
        'without a fault',
        f'{len(gaps)} gaps in the estimates, {sum(gap[1] for gap in gaps):.1f} s together; '
        f'{len(unexplained)} of them without a fault, {sum(unexplained):.2f} s together',
        'memory of the pipeline over time [MB]: '
        + ', '.join(f'{value / 1e6:.1f}' for value in _thinned(record.memory)),
        f'memory grew by {record.growth() / 1e6:.2f} MB after the warm-up',
    ]
    return '\n'.join(lines)


def _thinned(memory: list[tuple[float, int, int]]) -> list[int]:
    """Return about a dozen of the values for the pipeline."""
    return [value for _, value, _ in memory[:: max(1, len(memory) // 12)]]


def draw(record: Record) -> 'Figure':
    """Return a picture of memory, estimates per second and faults over time."""
    from matplotlib.figure import Figure

    begin = record.arrivals[0][0]
    figure = Figure(figsize=(9, 5.5), layout='constrained')
    memory = figure.add_subplot(2, 1, 1, ylabel='resident memory [MB]')
    times, pipeline, capture = np.array(record.memory, dtype=float).T
    minutes = (times - begin) / 60
    memory.plot(minutes, pipeline / 1e6, label='pipeline')
    memory.plot(minutes, capture / 1e6, label='its processes that capture and stand by')
    memory.set_ylim(bottom=0)
    memory.legend()
    rate = figure.add_subplot(
        2, 1, 2, ylabel='estimates [1/s]', xlabel='time [min]', sharex=memory
    )
    arrivals = (np.array([arrival for arrival, _ in record.arrivals]) - begin) / 60
    counts, edges = np.histogram(arrivals, bins=np.arange(0, arrivals[-1] + 5 / 60, 5 / 60))
    rate.stairs(counts / 5, edges)
    for fault in record.faults:
        colour = 'tab:orange' if fault.recovered else 'tab:red'
        rate.axvline((fault.begin - begin) / 60, color=colour, linewidth=0.5)
    return figure
