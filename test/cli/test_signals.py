# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Signals end the command lines, and the nodes they have started, at any time."""

from importlib.util import find_spec
import os
from pathlib import Path
import signal
import subprocess
import time

import numpy as np
import pytest
import soundfile

if find_spec('rclpy') is None:
    pytest.skip('ROS is not set up: source env.sh', allow_module_level=True)

from doa_ros.audio.capture import virtual_device

# With what each runs for long enough.
_LONG = {
    'doa-locate': ['-'],
    'doa-check': ['--file', 'long.flac', 'long.flac', 'long.flac'],
    'audio_capture': ['--list-devices'],
    'doa-demo': [],
    'doa-benchmark-cpu': [],
    'doa-soak': [],
}
_APPS = ['doa-demo', 'doa-benchmark-cpu', 'doa-soak']
# How long their imports take, at least [s].
_IMPORTS = 0.3


@pytest.fixture
def launch(tmp_path):
    """Return a function that starts a command line in a folder of its own."""
    soundfile.write(tmp_path / 'long.flac', np.zeros((48000 * 60, 8), np.int16), 48000)
    started = []

    def start(name):
        started.append(
            subprocess.Popen(
                [name, *_LONG[name]],
                cwd=tmp_path,
                env=os.environ | {'MARK': str(tmp_path)},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('name', list(_LONG))
def test_a_signal_during_the_imports(launch, rng, name, number):
    for _ in range(2):
        process = launch(name)
        _wait_for_the_script(process)
        time.sleep(rng.uniform(0, _IMPORTS))
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (-number, '')


# While nodes start, and while they run.
@pytest.mark.parametrize(
    ('number', 'delay'),
    [
        (signal.SIGINT, 5.0),
        (signal.SIGTERM, 1.0),
        pytest.param(signal.SIGINT, 1.0, marks=pytest.mark.nightly),
        pytest.param(signal.SIGTERM, 5.0, marks=pytest.mark.nightly),
    ],
)
@pytest.mark.parametrize('name', _APPS)
def test_twice(launch, rng, name, number, delay, tmp_path):
    if name == 'doa-soak' and not virtual_device.is_available():
        pytest.skip(virtual_device.NEEDED)
    process = launch(name)
    _wait_for_the_script(process)
    time.sleep(delay + rng.uniform(-0.5, 0.5))
    for _ in range(2):
        process.send_signal(number)
        time.sleep(0.03)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == -number, errors
    assert 'Traceback' not in errors
    assert not _left_over(f'MARK={tmp_path}')


def _wait_for_the_script(process):
    """Wait until Python runs it: before, what ends Python is not ours."""
    end = time.monotonic() + 20
    python_caught, since = False, None
    while True:
        status = Path('/proc', str(process.pid), 'status').read_text()
        ignored, caught = (
            int(status.split(f'{name}:')[1].split()[0], 16) for name in ('SigIgn', 'SigCgt')
        )
        catches = caught >> (signal.SIGINT - 1) & 1
        # Python ignores SIGPIPE as it starts, and catches SIGINT until the script has its way. A
        # busy machine may show nothing of the time in between.
        python_caught |= catches
        if ignored >> (signal.SIGPIPE - 1) & 1 and not catches:
            since = since or time.monotonic()
            if python_caught or time.monotonic() > since + 0.2:
                return
        assert time.monotonic() < end
        time.sleep(0.001)


def _left_over(mark):
    """Return the processes that have inherited a mark in their environment."""
    found = []
    for folder in os.scandir('/proc'):
        try:
            with open(f'/proc/{int(folder.name)}/environ', 'rb') as file:
                if mark.encode() in file.read().split(b'\0'):
                    found.append(folder.name)
        except (ValueError, OSError):
            continue
    return found
