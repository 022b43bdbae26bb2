# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks on several processes."""

import operator
import os
import subprocess
import sys

import pytest

from doa_ros.core.errors import DoaError
from doa_ros.resources import config_directory
from training.parallel import run_tasks

TASKS = [(k, 10) for k in range(20)]


@pytest.mark.parametrize('jobs', [1, 2])
def test_all_tasks_are_done_once(jobs):
    assert sorted(run_tasks(operator.mul, TASKS, jobs=jobs)) == [10 * k for k in range(20)]


def test_what_a_task_raises_arrives():
    with pytest.raises(ZeroDivisionError):
        list(run_tasks(operator.truediv, [(1, 1), (1, 0)], jobs=2))


def test_a_dead_process_is_an_error():
    with pytest.raises(DoaError, match='worker process died'):
        list(run_tasks(os._exit, [(1,), (1,)], jobs=2))


def test_processes_end_with_a_main_process_that_is_killed():
    script = (
        'import os\n'
        'from training.parallel import run_tasks\n'
        'for _ in run_tasks(os.getpid, [()] * 9, jobs=2):\n'
        '    os.kill(os.getpid(), 9)\n'
    )
    # Waits for all who could still write to its output.
    done = subprocess.run(
        [sys.executable, '-c', script],
        cwd=config_directory().parent,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -9


def test_numerical_libraries_get_one_thread(monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', '7')
    assert set(run_tasks(os.getenv, [('OMP_NUM_THREADS',)] * 2, jobs=2)) == {'1'}
    assert os.environ['OMP_NUM_THREADS'] == '7'


@pytest.mark.parametrize('address', ['tcp://127.0.0.1:1', 'nonsense://'])
def test_no_scheduler_is_an_error(monkeypatch, address):
    monkeypatch.setattr('training.parallel._TIMEOUT', 1)
    with pytest.raises(DoaError, match='no dask scheduler'):
        list(run_tasks(operator.mul, TASKS, jobs=1, scheduler=address))
