# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The verbs of the command line: each is the module of the same name."""

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
