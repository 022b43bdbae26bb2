# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C that gets through, whatever runs at that moment."""

from collections.abc import Iterator
from contextlib import contextmanager
import signal
import sys

# An interruption that got lost is repeated after this time [s].
_AGAIN = 2.0


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end a block of the main thread, always by KeyboardInterrupt.

    Python raises it wherever it is. Where that is a callback of the garbage collector, of which
    TensorFlow has many, it is printed and forgotten; libraries turn it into errors of their own.
    So it is raised again until the block ends, and nothing else leaves the block then. Once it
    has, another Ctrl-C ends the process at once.
    """
    interrupted = False

    def interrupt(*_: object) -> None:
        nonlocal interrupted
        interrupted = True
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        raise KeyboardInterrupt

    def report(unraisable: 'sys.UnraisableHookArgs') -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            hook(unraisable)

    hook, sys.unraisablehook = sys.unraisablehook, report
    handlers = {n: signal.signal(n, interrupt) for n in (signal.SIGINT, signal.SIGALRM)}
    try:
        yield
    except BaseException:
        if not interrupted:
            raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if interrupted:
            handlers[signal.SIGINT] = signal.SIG_DFL
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook
    if interrupted:
        raise KeyboardInterrupt
