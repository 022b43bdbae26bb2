# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import errno
import os
import signal
import subprocess
import sys
from types import ModuleType

import pytest

from doa_ros.core.errors import DoaError
from doa_ros.resources import config_directory
from training.__main__ import main
from training.verbs import VERBS, run_verb


@pytest.mark.parametrize('verb', VERBS)
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        run_verb(verb, ['--help'])
    assert stop.value.code == 0
    assert f'doa-train {verb}' in capsys.readouterr().out


def test_a_new_verb_is_a_module_and_a_line(monkeypatch, capsys):
    verb = ModuleType('training.greet', 'Greet somebody.')
    verb.add_arguments = lambda parser: parser.add_argument('--name', required=True)
    verb.run = lambda args: print(f'hello {args.name}')
    monkeypatch.setitem(sys.modules, 'training.greet', verb)
    monkeypatch.setitem(VERBS, 'greet', 'greet')
    monkeypatch.setattr(sys, 'argv', ['doa-train', 'greet', '--name', 'you'])
    assert not main()
    assert capsys.readouterr().out == 'hello you\n'
    with pytest.raises(SystemExit):
        run_verb('greet', ['--help'])
    assert 'Greet somebody.' in capsys.readouterr().out


def test_a_verb_that_has_another_name_now_is_refused_with_it(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['doa-train', 'follow', '--model', 'x'])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert 'follow is called train_filter now' in capsys.readouterr().err


def test_bad_arguments_end_with_one_sentence():
    done = subprocess.run(
        [sys.executable, '-m', 'training', 'evaluate', '--array', 'no_such_array'],
        cwd=config_directory().parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert 'no array named' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize(
    'error, message',
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 'OUT: No space left on device; what'),
        (OSError(errno.EACCES, 'no', 'some/file'), 'some/file: no; what is finished stays'),
        (OSError('problem writing'), 'OUT: problem writing; is the disk full'),
    ],
)
def test_a_folder_that_cannot_be_written_is_named(error, message, monkeypatch):
    def fail(args):
        raise error

    monkeypatch.setattr('training.simulate.run', fail)
    with pytest.raises(DoaError, match=message):
        run_verb('simulate', ['--out', 'OUT'])


@pytest.mark.parametrize('arguments', ['--help', 'check_study --help'])
@pytest.mark.parametrize(
    ('streams', 'status', 'message'),
    [
        ('>/dev/full', 1, 'doa-train: standard output: No space left on device\n'),
        ('>&-', 1, 'doa-train: standard output: Bad file descriptor\n'),
        ('>&- 2>&-', 1, ''),
        ('| true; exit ${PIPESTATUS[0]}', 128 + signal.SIGPIPE, ''),
    ],
)
def test_output_that_cannot_be_written(arguments, streams, status, message):
    done = subprocess.run(
        ['bash', '-c', f'"$0" -m training {arguments} {streams}', sys.executable],
        cwd=config_directory().parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, message)
