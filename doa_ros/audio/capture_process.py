# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A process that captures, as its parent sees it."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading

from doa_ros.audio.capture_wire import CapturedBlock, CaptureSettings, Kind, Note, read
from doa_ros.audio.latest_queue import LatestQueue
from doa_ros.core.errors import AudioError

_MODULE = 'doa_ros.audio.portaudio'
# What hangs in a driver cannot be killed; it is left behind after this time [s].
_KILL_SECONDS = 1.0
_LIST_SECONDS = 20.0


class CaptureProcess:
    """Starts the process and takes what it sends.

    Args:
        settings: what it shall capture.
        capacity: messages that are kept until somebody takes them.
    """

    def __init__(self, settings: CaptureSettings, capacity: int):
        self._messages: LatestQueue[Note | CapturedBlock] = LatestQueue(capacity)
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
        threading.Thread(target=self._receive, name='capture', daemon=True).start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def queued(self) -> int:
        """Messages that wait to be taken."""
        return len(self._messages)

    @property
    def dropped(self) -> int:
        """Messages dropped because nobody took them."""
        return self._messages.dropped

    def start(self) -> None:
        """Let the stream begin that has been opened."""
        # Where it has ended, a message says so.
        with contextlib.suppress(OSError):
            self._process.stdin.write(b'\n')

    def next(self, timeout: float) -> Note | CapturedBlock | None:
        """Return what it has sent, or None where nothing came within `timeout` seconds.

        The last message is always a `FAILED`.
        """
        return self._messages.get(timeout)

    def _receive(self) -> None:
        output = io.BufferedReader(self._process.stdout)
        while True:
            message = read(output)
            if message is None:
                message = Note(Kind.FAILED, self._epitaph())
            self._messages.put(message)
            if isinstance(message, Note) and message.kind == Kind.FAILED:
                return

    def _epitaph(self) -> str:
        status = self._process.wait()
        if status < 0:
            return f'the process that captures was ended by {signal.Signals(-status).name}'
        return f'the process that captures ended with status {status}'

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_KILL_SECONDS)


def list_devices() -> str:
    """Return a line per input device: number, name, ALSA name, channels.

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
    if answer is None or answer.kind != Kind.LISTING:
        raise AudioError(answer.text if answer else 'PortAudio does not list its devices')
    return answer.text


def _command() -> list[str]:
    return [sys.executable, '-P', '-m', _MODULE]


def _environment() -> dict[str, str]:
    # It finds what this process finds.
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {**os.environ, 'PYTHONPATH': path}
