# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends the command lines, and the nodes they have started, at any time."""

from importlib.util import find_spec
import os
from pathlib import Path
import signal
import subprocess
import time

import pytest

if find_spec('rclpy') is None:
    pytest.skip('ROS is not set up: source env.sh', allow_module_level=True)


# While it imports, while the nodes start, while they run.
@pytest.mark.parametrize('delay', [0.0, 2.0, 7.0])
@pytest.mark.parametrize('name', ['doa-demo', 'doa-benchmark-cpu'])
def test_sigint_twice(name, delay, tmp_path):
    environment = os.environ | {
        'ROS_DOMAIN_ID': str(1 + os.getpid() % 100),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'MARK': str(tmp_path),
    }
    process = subprocess.Popen(
        [name],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_until_it_catches_sigterm(process)
    time.sleep(delay)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.03)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert 'Traceback' not in errors
    assert not _left_over(f'MARK={tmp_path}')


def _wait_until_it_catches_sigterm(process):
    # Before, Python itself has not started yet.
    end = time.monotonic() + 20
    while not _caught(process) >> (signal.SIGTERM - 1) & 1:
        assert time.monotonic() < end
        time.sleep(0.01)


def _caught(process):
    status = Path('/proc', str(process.pid), 'status').read_text()
    return int(status.split('SigCgt:')[1].split()[0], 16)


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
