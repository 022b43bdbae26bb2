# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A process ends with the launch that started it, and only then."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from doa_ros.nodes.parent import LAUNCH_PID

pytestmark = pytest.mark.skipif(not sys.platform.startswith('linux'), reason='needs prctl(2)')

_NODE = f"""
import os, sys, time
from doa_ros.nodes.parent import end_with_launch
end_with_launch()
print(os.getpid(), '{LAUNCH_PID}' in os.environ, flush=True)
time.sleep(60)
"""
# Starts the node as a launch does, with the process id that it is told.
_LAUNCH = f"""
import os, subprocess, sys
launch = sys.argv[1] or str(os.getpid())
os.environ['{LAUNCH_PID}'] = launch
sys.exit(subprocess.call([sys.executable, '-c', sys.argv[2]]))
"""


def _start(launch):
    """Return the running launch and the process id of its node."""
    process = subprocess.Popen(
        [sys.executable, '-c', _LAUNCH, launch, _NODE], stdout=subprocess.PIPE, text=True
    )
    pid, inherited = process.stdout.readline().split()
    # Its own children are not to end with the launch.
    assert inherited == 'False'
    return process, int(pid)


def _ended(process):
    """Return whether the node, which holds the pipe, ends soon after its launch."""
    process.kill()
    process.wait()
    reader = threading.Thread(target=process.stdout.read, daemon=True)
    reader.start()
    reader.join(3)
    return not reader.is_alive()


def test_ends_with_its_launch():
    process, _ = _start('')
    assert _ended(process)


@pytest.mark.parametrize('launch', ['0', str(os.getpid())], ids=['shell', 'debugger'])
def test_outlives_what_is_no_launch_or_not_its_parent(launch):
    process, node = _start(launch)
    assert not _ended(process)
    os.kill(node, signal.SIGKILL)


def test_ends_where_its_launch_has_gone_before():
    gone = subprocess.Popen(['true'])
    gone.wait()
    process = subprocess.run(
        [sys.executable, '-c', _NODE], env=os.environ | {LAUNCH_PID: str(gone.pid)}, timeout=30
    )
    assert process.returncode == -signal.SIGTERM
