# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How command lines end: one that does what it is told."""

import os
import signal
import subprocess
import sys

import pytest

from doa_ros import command

_PROGRAM = """
import signal, sys, time
from doa_ros.core.errors import DoaError
from doa_ros.command import Interrupted, run

def main():
{}

sys.exit(run('prog', main))
"""


def run(body, streams='', before='', **options):
    """Run a program whose main() is this, with its streams as a shell redirects them."""
    program = _PROGRAM.format('\n'.join(f'    {line}' for line in body.splitlines()))
    return subprocess.run(
        ['bash', '-c', f'{before} exec "$0" -c "$1" {streams}', sys.executable, program],
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


@pytest.fixture(params=['', '1'], ids=['buffered', 'unbuffered'])
def buffering(monkeypatch, request):
    monkeypatch.setenv('PYTHONUNBUFFERED', request.param)


def test_what_goes_well_is_left_alone():
    done = run("print('é', input())\nreturn 7", '<<< text')
    assert (done.returncode, done.stdout, done.stderr) == (7, 'é text\n', '')


def test_an_error_is_one_sentence():
    done = run("print('before')\nraise DoaError('no such thing')")
    assert (done.returncode, done.stdout, done.stderr) == (1, 'before\n', 'prog: no such thing\n')


def test_a_file_that_cannot_be_used_is_named(tmp_path):
    done = run(f'open({str(tmp_path)!r})')
    assert (done.returncode, done.stderr) == (1, f'prog: {tmp_path}: Is a directory\n')


def test_an_error_in_the_program_is_shown():
    done = run("raise RuntimeError('a fault of ours')")
    assert done.returncode == 1
    assert 'Traceback' in done.stderr and 'a fault of ours' in done.stderr


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_was_noted_ends_it_when_all_is_cleaned_up(number):
    done = run(f"print('summary')\nraise Interrupted({int(number)})")
    assert (done.returncode, done.stdout, done.stderr) == (-number, 'summary\n', '')


# Also where the parent has told it to ignore them, as a shell does with `&`.
@pytest.mark.parametrize('before', ['', 'trap "" INT TERM;'])
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once(number, before):
    body = f"import os\nprint('x')\nos.kill(os.getpid(), {int(number)})\ntime.sleep(20)"
    done = run(body, before=before)
    assert (done.returncode, done.stderr) == (-number, '')


@pytest.mark.parametrize(
    'body',
    [
        "print('x')",
        # More than is buffered.
        "for _ in range(100_000): print('x')",
        "print('x', flush=True)",
        "print('x'); sys.exit(0)",
        # As argparse and rich do.
        "try: print('x', flush=True)\nexcept OSError: sys.exit(0)",
    ],
)
@pytest.mark.usefixtures('buffering')
class TestOutput:
    @pytest.mark.parametrize(
        ('streams', 'reason'), [('>/dev/full', 'No space left'), ('>&-', 'Bad file descriptor')]
    )
    def test_that_cannot_be_written(self, body, streams, reason):
        done = run(body, streams)
        assert done.returncode == 1
        assert done.stderr.startswith(f'prog: standard output: {reason}')
        assert done.stderr.count('\n') == 1

    @pytest.mark.parametrize('streams', ['>/dev/full 2>&-', '>&- 2>&-', '>&- 2>/dev/full'])
    def test_and_nothing_can_be_said(self, body, streams):
        done = run(body, streams)
        assert (done.returncode, done.stdout, done.stderr) == (1, '', '')

    def test_that_nobody_reads(self, body):
        done = run(body, '| true; exit ${PIPESTATUS[0]}')
        assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, '')


@pytest.mark.usefixtures('buffering')
def test_an_error_where_stderr_is_closed_does_not_get_into_the_output():
    done = run("print('x')\nraise DoaError('y')", '2>&-')
    assert (done.returncode, done.stdout, done.stderr) == (1, 'x\n', '')


@pytest.mark.parametrize('closed', ['<&-', '<&- >&-', '2>&-', '<&- >&- 2>&-'])
def test_a_file_never_takes_the_number_of_a_stream(tmp_path, closed):
    path = tmp_path / 'file'
    run(f'file = open({str(path)!r}, "w")\nfile.write(str(file.fileno()))', closed)
    assert int(path.read_text()) > 2


def test_input_that_is_closed():
    done = run('sys.stdin.read()', '<&-')
    assert (done.returncode, done.stderr) == (1, 'prog: Bad file descriptor\n')


def test_what_cannot_be_encoded_is_shown_all_the_same():
    done = run("print('é \\udcff')", env=os.environ | {'PYTHONIOENCODING': 'ascii'})
    assert (done.returncode, done.stdout) == (0, '\\xe9 \\udcff\n')


@pytest.mark.parametrize('text', ['0', '-1', 'nan', 'inf', '1e6', 'long', ''])
def test_positive_refuses(text):
    with pytest.raises(command.argparse.ArgumentTypeError, match='is not a number above 0'):
        command.positive(text)
    assert command.positive('0.5') == 0.5
