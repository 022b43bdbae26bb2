# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The process that captures, seen from the node that starts it; `worker` is its program."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading

from doa_ros.audio.capture.latest_queue import LatestQueue
from doa_ros.audio.capture.protocol import CapturedBlock, CaptureSettings, Kind, Note, read
from doa_ros.core.errors import AudioError

_MODULE = 'doa_ros.audio.capture.worker'
# How long it may take from one message to the next, by the kind of the first [s]: a cold disk at
# the start, PortAudio when it looks for devices and opens one, a pause before it looks again, and
# then the process says at short intervals that it lives. It is the process that notices when the
# device falls silent.
_LIMITS = {
    None: 10.0,
    Kind.READY: 3.0,
    Kind.WAITING: 6.0,
    Kind.WARNING: 3.0,
    Kind.OPENED: 3.0,
    Kind.ALIVE: 0.4,
    Kind.BLOCK: 0.4,
}
_HANGS = (
    'the process that captures hangs (no answer for {:g} s); if that happens again, disconnect '
    'the device and connect it again'
)
# Silence is counted in intervals of this length [s], not on the clock: a computer that stands
# still for a while is no fault of the process.
_INTERVAL = 0.05
# What hangs in a driver cannot be killed; it is left behind after this time [s].
_KILL_SECONDS = 1.0
_LIST_SECONDS = 20.0


class CaptureProcess:
    """Starts the process, takes what it sends and notices when it hangs.

    The process loads its libraries and waits for `open`, so that one can stand by to replace
    another.

    Args:
        settings: what it shall capture.
        capacity: messages that are kept until `next` takes them; the oldest are dropped.
    """

    def __init__(self, settings: CaptureSettings, capacity: int):
        self._messages: LatestQueue[Note | CapturedBlock] = LatestQueue(capacity)
        # How many messages came, and the kind of the last.
        self._count = 0
        self._last: Kind | None = None
        # A session of its own: Ctrl-C in a terminal is for the parent, which then ends it.
        # Nothing but Python's own messages would help; ALSA and PortAudio write a lot.
        self._process = subprocess.Popen(
            [*_command(), 'capture', settings.to_json()],
            env=_environment(),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        # Both are pipes.
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input = self._process.stdin
        self._output = open(self._process.stdout.fileno(), 'rb', closefd=False)
        threading.Thread(target=self._receive, name='capture', daemon=True).start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    @property
    def queued(self) -> int:
        """Messages that wait to be taken."""
        return len(self._messages)

    @property
    def dropped(self) -> int:
        """Messages dropped because nobody took them."""
        return self._messages.dropped

    def open(self) -> None:
        """Let it open the device, and try again until that works."""
        self._go_on()

    def start(self) -> None:
        """Start the stream of the device that it has opened."""
        self._go_on()

    def _go_on(self) -> None:
        # Where it has ended, a message says so; and `kill` may come from another thread.
        with contextlib.suppress(OSError, ValueError):
            self._input.write(b'\n')

    def next(self) -> Note | CapturedBlock:
        """Return the next message after `open`: WAITING, WARNING, OPENED, a block, or FAILED.

        Where none comes in time, the process hangs, and the message is FAILED.
        """
        silence = 0
        while silence < (limit := _LIMITS[self._last]) / _INTERVAL:
            count = self._count
            if message := self._messages.get(_INTERVAL):
                return message
            silence = silence + 1 if self._count == count else 0
        return Note(Kind.FAILED, _HANGS.format(limit))

    def _receive(self) -> None:
        while True:
            message = read(self._output)
            if message is None:
                message = Note(Kind.FAILED, self._end_reason())
            kind = Kind.BLOCK if isinstance(message, CapturedBlock) else message.kind
            if kind not in (Kind.READY, Kind.ALIVE):
                self._messages.put(message)
            if kind == Kind.FAILED:
                return
            self._count, self._last = self._count + 1, kind

    def _end_reason(self) -> str:
        status = self._process.wait()
        if status < 0:
            return f'the process that captures was ended by {signal.Signals(-status).name}'
        return f'the process that captures ended with status {status}'

    def kill(self) -> None:
        """End it at once, whatever it does; from any thread."""
        self._process.kill()
        self._input.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_KILL_SECONDS)


def list_devices() -> str:
    """Return a line per input device: number, name, ALSA name, USB port, channels.

    Raises:
        AudioError: PortAudio is not usable.
    """
    try:
        done = subprocess.run(
            [*_command(), 'list'], env=_environment(), capture_output=True, timeout=_LIST_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise AudioError('PortAudio hangs while it looks for devices') from None
    answer = read(io.BytesIO(done.stdout))
    if not isinstance(answer, Note):
        raise AudioError('PortAudio does not list its devices')
    if answer.kind != Kind.LISTING:
        raise AudioError(answer.text)
    return answer.text


def _command() -> list[str]:
    return [sys.executable, '-P', '-m', _MODULE]


def _environment() -> dict[str, str]:
    # It finds what this process finds.
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {**os.environ, 'PYTHONPATH': path}
