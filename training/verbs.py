# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The verbs of the command line: each is the module of the same name.

A verb's module holds, from the inside out:

    def train(settings: Settings, *, data: Path, out: Path) -> None
        The verb itself, a typed function of the same name (but for `all`, which Python has): it
        knows nothing of command lines, so that other verbs call it as any function does.
    def add_arguments(parser: argparse.ArgumentParser) -> None
        What the command line takes.
    def run(args: argparse.Namespace) -> None
        A few lines that call the verb with what the command line says.

Its docstring is what `doa-train VERB --help` shows. A new verb is such a file, and its place in
the list below.
"""

import argparse
from importlib import import_module

from doa_ros.core.errors import DoaError

# In the order of a model's making.
_MODULES = (
    'simulate',
    'search',
    'train',
    'finetune',
    'experiments.finetune_study',
    'prune',
    'cluster',
    'quantize',
    'train_filter',
    'calibrate',
    'evaluate',
    'all',
    'experiments.check_study',
)
VERBS = {module.rpartition('.')[2]: module for module in _MODULES}
# What verbs were called before.
_RENAMED = {'follow': 'train_filter'}


def verb_name(name: str) -> str:
    """Return the name of a verb as the command line gives it.

    Raises:
        argparse.ArgumentTypeError: the verb has another name today.
    """
    if name in _RENAMED:
        raise argparse.ArgumentTypeError(f'{name} is called {_RENAMED[name]} now')
    return name


def run_verb(name: str, arguments: list[str]) -> None:
    """Run a verb with its command line arguments.

    Raises:
        DoaError: the verb cannot do what it was asked for.
        ModuleNotFoundError: a package it needs is not installed.
    """
    # Imported on demand: TensorFlow takes seconds.
    verb = import_module(f'.{VERBS[name]}', __package__)
    parser = argparse.ArgumentParser(
        prog=f'doa-train {name}',
        description=verb.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_arguments(parser)
    args = parser.parse_args(arguments)
    try:
        verb.run(args)
    except BrokenPipeError:
        raise  # The reader of the output has enough.
    except OSError as error:
        # Such as a full disk, of which the error does not say where it is.
        where = error.filename or getattr(args, 'out', None) or getattr(args, 'report', None)
        reason = error.strerror or f'{error}; is the disk full?'
        raise DoaError(
            f'{where or name}: {reason}; what is finished stays, run {name} again to go on'
        ) from None
