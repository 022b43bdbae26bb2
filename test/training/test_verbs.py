# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The verbs of the command line, and that their page names them."""

import argparse
import ast
import errno
from importlib import import_module
import inspect
import os
import re
import signal
import subprocess
import sys
from typing import get_type_hints

import pytest

from doa_ros.core.errors import DoaError
from doa_ros.resources import config_directory
import training
from training.__main__ import main
from training.verbs import VERBS, run_verb

TRAINING = config_directory().parent / 'training'
PAGE = (TRAINING.parent / 'docs' / 'training.md').read_text(encoding='utf-8')


@pytest.mark.parametrize('verb', VERBS)
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        run_verb(verb, ['--help'])
    assert stop.value.code == 0
    assert f'doa-train {verb}' in capsys.readouterr().out


def _verb(name):
    """Return the module of a verb, and its function."""
    module = import_module(f'training.{VERBS[name]}')
    return module, getattr(module, {'all': 'make_model'}.get(name, name))


@pytest.mark.parametrize('name', VERBS)
def test_every_verb_is_a_typed_function_that_knows_nothing_of_command_lines(name):
    module, function = _verb(name)
    assert function.__module__ == module.__name__ and function.__doc__
    types = get_type_hints(function)
    assert types.keys() == {*inspect.signature(function).parameters, 'return'}
    assert argparse.Namespace not in types.values()


def test_argparse_stays_at_the_edge():
    def takes(node, kind):
        arguments = [*node.args.args, *node.args.kwonlyargs]
        return any(kind in ast.dump(a.annotation) for a in arguments if a.annotation)

    for path in TRAINING.rglob('*.py'):
        tree = ast.parse(path.read_text(encoding='utf-8'))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for kind, name in (('Namespace', 'run'), ('ArgumentParser', 'add_arguments')):
            assert {f.name for f in functions if takes(f, kind)} <= {name}, path


def test_the_page_lists_every_verb():
    table = PAGE.partition('## The verbs')[2].partition('\n\nVerbs that')[0]
    first_cells = re.findall(r'^\| (`.*?`) \| ', table, re.MULTILINE)
    named = [name for cell in first_cells for name in re.findall(r'`(\w+)`', cell)]
    assert sorted(named) == sorted(VERBS)


def test_a_new_verb_is_a_module_and_a_line(monkeypatch, capsys, tmp_path):
    (tmp_path / 'greet.py').write_text(
        """\"\"\"Greet somebody.\"\"\"
from .tables import show_table


def greet(name: str) -> None:
    show_table([{'greeting': f'hello {name}'}], 'Greetings')


def add_arguments(parser):
    parser.add_argument('--name', required=True)


def run(args):
    greet(args.name)
""",
        encoding='utf-8',
    )
    monkeypatch.setattr(training, '__path__', [*training.__path__, str(tmp_path)])
    monkeypatch.setitem(VERBS, 'greet', 'greet')
    monkeypatch.setattr(sys, 'argv', ['doa-train', 'greet', '--name', 'you'])
    assert not main()
    assert 'hello you' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run_verb('greet', ['--help'])
    assert 'Greet somebody.' in capsys.readouterr().out
    del sys.modules['training.greet']


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
