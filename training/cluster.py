# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Let the weights of a trained network share a few values, so that its file compresses better.

The values of each kernel are found by k-means and trained on (S. Han, H. Mao and W. Dally, "Deep
compression: compressing deep neural networks with pruning, trained quantization and Huffman
coding", ICLR 2016). Biases, what is not trained, and kernels with fewer weights than that keep
all their values.

Writes OUT/CLUSTERS, a folder as that of train, for each number of clusters, and cluster.csv,
cluster.md and cluster.png, the accuracy against the compressed size. Run again after an
interruption, it goes on with the number it was at.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from .compression import compress
from .compression.projections import WeightSharing
from .sections import ClusterConfig
from .settings import Settings, find_settings

_COUNTS = (16, 32)


def cluster(
    run: Path,
    *,
    data: Path,
    out: Path,
    counts: Sequence[int] = _COUNTS,
    config: ClusterConfig | None = None,
) -> None:
    """Cluster the weights of the network of a run, once for each number of clusters.

    Args:
        run: folder made by train.
        data: folder made by simulate.
        out: folder of the results.
        counts: most values of a kernel.
        config: replaces that of the run's settings.

    Raises:
        ConfigError: there is no network or no data, or a setting is not usable.
    """
    variants = {str(clusters): {'clusters': clusters} for clusters in counts}
    compress.make_variants(run, 'cluster', variants, projection, data=data, out=out, config=config)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    compress.add_arguments(parser)
    parser.add_argument(
        '--clusters',
        type=int,
        action='append',
        help='values of a kernel, 2 or more; may be given several times; default: 16 and 32',
    )


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    cluster(
        args.run,
        data=args.data,
        out=args.out,
        counts=args.clusters or _COUNTS,
        config=find_settings(args.settings).cluster if args.settings else None,
    )


def projection(settings: Settings, steps: int) -> WeightSharing:
    """Return what lets weights share as few values as the settings ask for."""
    return WeightSharing(settings.cluster.clusters, settings.train.seed)
