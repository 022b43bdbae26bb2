# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Running tasks on the cores of this machine or on those of a cluster.

Results come in the order they are ready; only a few are under way at a time, so that memory does
not grow with the number of tasks.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
import multiprocessing
import os
import signal
from threading import Thread
from typing import TypeVar

from doa_ros.core.errors import DoaError

# Numerical libraries must not start threads of their own: every core has a process already.
_ONE_THREAD = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')
_PER_CORE = 2
# Of this machine.
CORES = os.cpu_count() or 1
# How long to wait for a cluster [s].
_TIMEOUT = 10

T = TypeVar('T')


def run_tasks(
    function: Callable[..., T],
    tasks: Sequence[tuple],
    *,
    jobs: int,
    scheduler: str | None = None,
) -> Iterator[T]:
    """Yield the results of a function for all tasks.

    Args:
        function: importable by name; called as function(*task).
        tasks: its arguments; they and the results travel between processes.
        jobs: processes on this machine; 1 works in this process.
        scheduler: address of a dask scheduler, to use its workers instead.

    Raises:
        DoaError: raised by the function; the cluster cannot be reached; a worker died.
    """
    if scheduler:
        yield from _on_cluster(function, tasks, scheduler)
    elif jobs == 1 or len(tasks) <= 1:
        for task in tasks:
            yield function(*task)
    else:
        yield from _on_cores(function, tasks, min(jobs, len(tasks)))


def _on_cores(function: Callable[..., T], tasks: Sequence[tuple], jobs: int) -> Iterator[T]:
    waiting = iter(tasks)
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, '1'))
    pool = ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context('spawn'), initializer=_die_with_parent
    )
    running: set[Future[T]] = set()
    try:
        while True:
            for task in waiting:
                running.add(pool.submit(function, *task))
                if len(running) >= _PER_CORE * jobs:
                    break
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            while done:
                yield done.pop().result()
    except BrokenProcessPool:
        raise DoaError(
            'a worker process died, perhaps for want of memory; run it again to go on, with '
            'fewer --jobs'
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _die_with_parent() -> None:
    # When interrupted, at once and without a traceback: the main process says what is to be said.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Where that one is killed, its pool would wait for tasks for ever.
    Thread(target=_exit_after_parent, daemon=True).start()


def _exit_after_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _on_cluster(function: Callable[..., T], tasks: Sequence[tuple], address: str) -> Iterator[T]:
    from distributed import Client, KilledWorker, as_completed

    waiting = iter(tasks)
    try:
        client = Client(address, timeout=_TIMEOUT)
    except (OSError, TimeoutError, ValueError) as error:
        raise DoaError(f'no dask scheduler answers at {address} ({error})') from None
    with client:
        running = as_completed()
        try:
            while True:
                for task in waiting:
                    running.add(client.submit(function, *task, pure=False))
                    if running.count() >= _PER_CORE * max(1, sum(client.nthreads().values())):
                        break
                if not running.count():
                    break
                # Workers that come and go are dask's business: it runs again what was lost.
                yield next(running).result()
        except KilledWorker as error:
            raise DoaError(f'{address}: workers died again and again ({error})') from None
