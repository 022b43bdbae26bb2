# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a soak does to the pipeline: one fault after the other, each until it has recovered."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
import os
import random
import signal
import time

from diagnostic_msgs.msg import DiagnosticArray
import rclpy

from doa_ros.audio.capture.status import RESTARTS
from doa_ros.audio.capture.virtual_device import VirtualUma8
from doa_ros.cli.node_process import NodeProcess
from doa_ros.cli.session import Session
from doa_ros.cli.soak_log import InjectedFault, SoakLog
from doa_ros.core.errors import DoaError
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaEstimateArray

# The time from the end of a fault to the next fault [s].
CALM = (5.0, 40.0)
# How long a fault lasts [s].
_FAULT = (0.5, 3.0)
# A pipeline has recovered from a fault if an estimate comes within this time of its end [s].
RECOVERY_LIMIT = 15.0
_START_LIMIT = 120.0
# The time between two looks at the memory [s].
_MEMORY_INTERVAL = 5.0


class Soak:
    """Injects faults, and waits after each until the pipeline has recovered.

    Args:
        ros: listens to the pipeline, and says whether to end early.
        pipeline: its process.
        card: its device.
        rng: decides what happens when.

    Attributes:
        log: what was observed.
    """

    def __init__(self, ros: Session, pipeline: NodeProcess, card: VirtualUma8, rng: random.Random):
        self._node, self._stopped = ros.node, ros.stopped
        self._pipeline, self._card, self._rng = pipeline, card, rng
        self.log = SoakLog()
        self._kinds: list[str] = []
        self._node.create_subscription(DoaEstimateArray, 'estimates', self._on_estimates, 100)
        self._node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_estimates(self, message: DoaEstimateArray) -> None:
        self.log.arrivals.append((time.time(), stamp_of(message.header) / NANOSECONDS))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {value.key: value.value for value in status.values}
            if status.hardware_id == self._node.get_namespace() and RESTARTS in values:
                new = int(values[RESTARTS]) - len(self.log.restarts)
                self.log.restarts += [time.time()] * new

    def run(self, seconds: float) -> None:
        """Soak for a time.

        Raises:
            DoaError: the pipeline ended.
        """
        self._wait(_START_LIMIT, lambda: bool(self.log.arrivals))
        if not self.log.arrivals and not self._stopped():
            raise DoaError(f'no estimate within {_START_LIMIT:.0f} s')
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stopped():
            self._wait(min(self._rng.uniform(*CALM), end - time.monotonic()))
            if time.monotonic() + CALM[0] + RECOVERY_LIMIT < end and not self._stopped():
                self._break()

    def _break(self) -> None:
        """Do something bad, end it, and wait for the recovery."""
        # Each kind comes once in a round; the order of a round is random.
        if not self._kinds:
            self._kinds = self._rng.sample(list(self._faults), len(self._faults))
        kind = self._kinds.pop()
        fault = InjectedFault(kind, time.time())
        self.log.faults.append(fault)
        with self._faults[kind](self) as lasts:
            if lasts:
                self._wait(self._rng.uniform(*_FAULT))
        fault.end = time.time()

        def recovered() -> bool:
            return bool(self.log.arrivals) and self.log.arrivals[-1][1] > fault.end

        self._wait(RECOVERY_LIMIT, recovered)
        if recovered():
            fault.recovered = time.time()
            print(f'{kind}: back after {fault.recovered - fault.end:.2f} s', flush=True)
        elif not self._stopped():
            print(f'{kind}: NOT back after {RECOVERY_LIMIT:g} s', flush=True)
        else:
            self.log.faults.pop()

    def _wait(self, seconds: float, done: Callable[[], bool] = lambda: False) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not done() and not self._stopped():
            if not self.log.memory or (time.time() > self.log.memory[-1][0] + _MEMORY_INTERVAL):
                memory, capture = self._pipeline.memory(), self._pipeline.children_memory()
                self.log.memory.append((time.time(), memory, capture))
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
        # Nothing lets it go on: the pipeline has to notice.
        self._send_to_capture(signal.SIGSTOP)
        yield False

    def _send_to_capture(self, number: int) -> None:
        # The other process, with the larger number, stands by to replace it.
        for child in self._pipeline.children()[:1]:
            os.kill(child, number)

    @contextmanager
    def _pipeline_stopped(self) -> Iterator[bool]:
        self._pipeline.send(signal.SIGSTOP)
        yield True
        self._pipeline.send(signal.SIGCONT)

    # For each kind, a context in which the fault is there. It says whether the fault has a
    # duration, or is done in a moment.
    _faults: Mapping[str, Callable[['Soak'], AbstractContextManager[bool]]] = {
        'sound server killed': _server_killed,
        'device unplugged': _device_unplugged,
        'capture process killed': _capture_killed,
        'capture process stopped': _capture_stopped,
        'pipeline stopped': _pipeline_stopped,
    }


KINDS = tuple(Soak._faults)
"""The kinds of faults."""
