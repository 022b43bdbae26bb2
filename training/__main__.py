# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Command line: `python -m training VERB` in a checkout, `doa-train VERB` once installed."""

import argparse
import signal
import sys

from doa_ros.command import Interrupted, run
from doa_ros.core.errors import DoaError

from . import LEFT_OUT
from .extras import missing
from .interrupts import interruptible
from .verbs import VERBS, run_verb, verb_name


def command_line() -> int:
    """Run one verb and end as command lines do; return the exit status."""
    return run('doa-train', main)


def main() -> int:
    """Run one verb; return the exit status.

    Raises:
        Interrupted: by Ctrl-C, and what was begun is cleaned up.
    """
    parser = argparse.ArgumentParser(prog='doa-train', description=__doc__)
    parser.add_argument('verb', type=verb_name, choices=VERBS)
    parser.add_argument('arguments', nargs=argparse.REMAINDER, help='see doa-train VERB --help')
    chosen = parser.parse_args()
    if LEFT_OUT:
        print(
            'doa-train: Keras runs on TensorFlow with float32 and channels last; what does not '
            f'count: {", ".join(LEFT_OUT)}',
            file=sys.stderr,
        )
    try:
        with interruptible():
            run_verb(chosen.verb, chosen.arguments)
    except ModuleNotFoundError as error:
        print(f'doa-train {chosen.verb}: {missing(error)}', file=sys.stderr)
        return 1
    except DoaError as error:
        print(f'doa-train {chosen.verb}: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f'\ndoa-train {chosen.verb}: interrupted; run it again to go on', file=sys.stderr)
        raise Interrupted(signal.SIGINT) from None
    return 0


if __name__ == '__main__':
    sys.exit(command_line())
