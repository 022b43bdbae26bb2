# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Make the smallest weights of a trained network zero, so that its file compresses better.

The zeros grow while the network is trained on (M. Zhu and S. Gupta, "To prune, or not to prune:
exploring the efficacy of pruning for model compression", 2017, arXiv:1710.01878). Biases and what
is not trained keep all their values.

Writes OUT/PERCENT, a folder as that of train, for each sparsity, and prune.csv, prune.md and
prune.png, the accuracy against the compressed size. Run again after an interruption, it goes on
with the sparsity it was at.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from .compression import compress
from .compression.projections import Pruning
from .sections import PruneConfig
from .settings import Settings, find_settings

_SPARSITIES = (0.5, 0.8)


def prune(
    run: Path,
    *,
    data: Path,
    out: Path,
    sparsities: Sequence[float] = _SPARSITIES,
    config: PruneConfig | None = None,
) -> None:
    """Prune the network of a run, once for each sparsity.

    Args:
        run: folder made by train.
        data: folder made by simulate.
        out: folder of the results.
        sparsities: shares of zeros.
        config: replaces that of the run's settings.

    Raises:
        ConfigError: there is no network or no data, or a setting is not usable.
    """
    variants = {f'{100 * sparsity:g}': {'sparsity': sparsity} for sparsity in sparsities}
    compress.make_variants(run, 'prune', variants, projection, data=data, out=out, config=config)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    compress.add_arguments(parser)
    parser.add_argument(
        '--sparsity',
        type=float,
        action='append',
        help='share of zeros; may be given several times; default: 0.5 and 0.8',
    )


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    prune(
        args.run,
        data=args.data,
        out=args.out,
        sparsities=args.sparsity or _SPARSITIES,
        config=find_settings(args.settings).prune if args.settings else None,
    )


def projection(settings: Settings, steps: int) -> Pruning:
    """Return what makes the zeros that the settings ask for."""
    return Pruning(settings.prune.sparsity, steps)
