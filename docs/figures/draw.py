#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Draw the figures of docs/concepts.md: `make figures`."""

import argparse
from importlib import import_module
from pathlib import Path
import sys

FIGURES = ('gcc_phat', 'averaging', 'flat_array', 'hexagon')


def main() -> int:
    """Draw some figures, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', metavar='NAME', help=f'of {", ".join(FIGURES)}')
    parser.add_argument('--out', type=Path, default=Path(__file__).resolve().parent)
    arguments = parser.parse_args()
    for name in arguments.names or FIGURES:
        path = arguments.out / f'{name}.png'
        import_module(name).draw().savefig(path, dpi=90, pil_kwargs={'optimize': True})
        print(path)
    return 0


if __name__ == '__main__':
    sys.exit(main())
