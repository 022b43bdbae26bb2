# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Command lines in this process: one of its own takes a second to import what it needs."""

import signal
import subprocess
import sys
import tempfile

import pytest

from doa_ros import command


@pytest.fixture(scope='session')
def call():
    """Return a function that runs a tool as its process does, but for what C libraries print.

    Signals, closed streams and the memory that is needed want a process of their own.
    """

    def run(tool, *arguments, encoding='utf-8'):
        streams = [
            tempfile.TemporaryFile('w+', encoding=encoding, errors='backslashreplace')
            for _ in range(2)
        ]
        arguments = [f'doa-{tool}', *map(str, arguments)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, 'argv', arguments)
            patch.setattr(sys, 'stdout', streams[0])
            patch.setattr(sys, 'stderr', streams[1])
            # The handlers are those of pytest.
            patch.setattr(signal, 'signal', lambda *_: None)
            status = command.start(f'doa-{tool}', f'doa_ros.cli.{tool}')
        texts = []
        for stream in streams:
            with stream:
                stream.seek(0)
                texts.append(stream.read())
        return subprocess.CompletedProcess(arguments, status, *texts)

    return run
