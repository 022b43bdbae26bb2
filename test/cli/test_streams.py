# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The installed command lines where their output cannot be written, or nobody reads it."""

from importlib.util import find_spec
import signal
import subprocess

import pytest

if find_spec('rclpy') is None:
    pytest.skip('ROS is not set up: source env.sh', allow_module_level=True)

# What each prints at once.
_COMMANDS = [
    'doa-locate --help',
    'doa-check --help',
    'doa-check --list-devices',
    'doa-demo --help',
    'doa-benchmark-cpu --help',
    'doa-soak --help',
    'audio_capture --list-devices',
]
_UNREAD = '| true; exit ${PIPESTATUS[0]}'
# All end by the same code, which has tests of its own: for most, one way shows that they use it.
_EACH_WAY = {'doa-check --help', 'audio_capture --list-devices'}


def _ways(streams):
    """Return a test for each command and each of the ways its streams are redirected."""
    return [
        pytest.param(
            command,
            *way,
            id=f'{way[0]}-{command}',
            marks=() if way == streams[0] or command in _EACH_WAY else pytest.mark.nightly,
        )
        for command in _COMMANDS
        for way in streams
    ]


def run(command, streams):
    return subprocess.run(
        ['bash', '-c', f'{command} {streams}'],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ('command', 'streams', 'status', 'reason'),
    _ways(
        [
            ('>/dev/full', 1, 'standard output: No space left on device'),
            ('>&-', 1, 'standard output: Bad file descriptor'),
            ('>&- 2>&-', 1, None),
            (_UNREAD, 128 + signal.SIGPIPE, None),
        ]
    ),
)
def test_what_is_printed_at_once(command, streams, status, reason):
    done = run(command, streams)
    said = f'{command.split()[0]}: {reason}\n' if reason else ''
    assert (done.returncode, done.stdout, done.stderr) == (status, '', said)


@pytest.mark.parametrize('command', _COMMANDS)
def test_without_stderr_all_is_printed(command):
    done = run(command, '2>&-')
    assert done.returncode == 0
    assert done.stdout


@pytest.mark.parametrize(
    ('streams', 'status'), [('>/dev/full', 1), (_UNREAD, 128 + signal.SIGPIPE)]
)
def test_the_nodes_of_the_demo_end_with_it(tmp_path, streams, status):
    # Nodes that stay would hold stderr, and this would wait for them.
    done = run(f'cd {tmp_path}; doa-demo --method srp_phat', streams)
    assert done.returncode == status
    assert 'Traceback' not in done.stderr
