# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How a command line begins and how it ends, whatever ends it.

- An error the user can act on: one sentence on stderr, status 1. Arguments that argparse refuses:
  its message, status 2.
- SIGINT and SIGTERM: the process dies by the signal, during imports too, so that a shell sees it
  and ends its loop.
- A reader that has enough, as in `| head -1`: the process dies by SIGPIPE without a word, as
  programs in C do; a shell with `pipefail` sees 141.
- Standard output that is full or closed: one sentence, status 1. Where stderr is closed, nothing
  can be said, and the status is the same.

This module imports little, as it runs before everything else.
"""

import argparse
from collections.abc import Callable
import contextlib
from importlib import import_module
import io
import math
import os
import signal
import sys
from typing import TYPE_CHECKING, TextIO

from doa_ros.core.errors import DoaError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Interrupted(Exception):  # noqa: N818
    """A signal has come, and all is cleaned up: `run` ends the process by this signal.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


def start(prog: str, module: str) -> int:
    """Import a module and run its `main()` as a command line; return the exit status."""
    return run(prog, lambda: import_module(module).main())


def doa_check() -> int:
    """Run doa-check, for `pip install`."""
    return start('doa-check', 'doa_ros.cli.check')


def doa_extract() -> int:
    """Run doa-extract, for `pip install`."""
    return start('doa-extract', 'doa_ros.cli.extract')


def doa_locate() -> int:
    """Run doa-locate, for `pip install`."""
    return start('doa-locate', 'doa_ros.cli.locate')


def run(prog: str, main: Callable[[], int]) -> int:
    """Run a command line; return the exit status, or die by a signal.

    Args:
        prog: its name, before every sentence.
        main: does the work and returns the status. Signals end the process at once while it runs,
            unless it handles them and raises `Interrupted`. May raise DoaError and OSError.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    _open_closed_streams()
    output = _StandardOutput()
    sys.stdout = output.as_text()
    status, problem, killer = 1, '', None
    try:
        status = main()
    except SystemExit as end:
        # argparse has said why, or has printed the help.
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except DoaError as error:
        problem = str(error)
    except Interrupted as interruption:
        killer = interruption.number
    except OSError as error:
        if error is not output.problem:
            problem = _sentence(error.filename, error)
    _finish(sys.stdout)
    if isinstance(output.problem, BrokenPipeError):
        killer = killer or signal.SIGPIPE
    elif output.problem is not None:
        status = status or 1
        problem = problem or _sentence('standard output', output.problem)
    if problem and not killer:
        with contextlib.suppress(OSError):
            print(f'{prog}: {problem}', file=sys.stderr)
    _finish(sys.stderr)
    if killer:
        signal.signal(killer, signal.SIG_DFL)
        os.kill(os.getpid(), killer)
        # The signal is blocked.
        return 128 + killer
    return status


def positive(text: str) -> float:
    """Return a number above 0, and below a million, as a type of argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number above 0')
    return value


def _open_closed_streams() -> None:
    """Open a substitute for each standard stream that is closed.

    Otherwise the next file that is opened takes its number, and gets what libraries print.
    """
    for name, mode in (('stdin', 'r'), ('stdout', 'w'), ('stderr', 'w')):
        if getattr(sys, name) is None:
            # Reading and writing fail as on a closed stream; but what goes to stderr is dropped.
            wrong = os.O_WRONLY if name == 'stdin' else os.O_RDONLY
            number = os.open(os.devnull, os.O_WRONLY if name == 'stderr' else wrong)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, closefd=False))


class _StandardOutput(io.FileIO):
    """Standard output that remembers its first error, whoever catches that.

    Attributes:
        problem: the first error.
    """

    def __init__(self) -> None:
        super().__init__(sys.stdout.fileno(), 'w', closefd=False)
        self.problem: OSError | None = None

    def write(self, data: 'ReadableBuffer', /) -> int:
        """Write bytes."""
        try:
            return super().write(data)
        except OSError as error:
            self.problem = self.problem or error
            raise

    def as_text(self) -> io.TextIOWrapper:
        """Return a stream like the one Python has made, but for characters it cannot show."""
        made = sys.stdout
        write_through = isinstance(made, io.TextIOWrapper) and made.write_through
        return io.TextIOWrapper(
            self if write_through else io.BufferedWriter(self),
            encoding=made.encoding,
            errors='backslashreplace',
            line_buffering=bool(made.line_buffering),
            write_through=write_through,
        )


def _sentence(where: str | bytes | None, error: OSError) -> str:
    reason = error.strerror or str(error)
    return f'{os.fsdecode(where)}: {reason}' if where else reason


def _finish(stream: TextIO) -> None:
    """Write what is left; keep Python from trying again, and from complaining, when it ends."""
    try:
        stream.flush()
    except OSError:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
