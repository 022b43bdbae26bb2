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

import tensorflow_model_optimization as tfmot
import tf_keras

from .examples.batches import Batches
from .networks import compress
from .networks.legacy import fit_legacy
from .settings import Settings

# Share of the steps after which the zeros are all there, and how often they grow until then.
_RAMP, _TURNS = 0.75, 50


def add_arguments(parser):
    """Declare the command line."""
    compress.add_arguments(parser)
    parser.add_argument(
        '--sparsity',
        type=float,
        action='append',
        help='share of zeros; may be given several times; default: 0.5 and 0.8',
    )


def run(args):
    """Prune the network of a run."""
    variants = {
        f'{100 * sparsity:g}': {'sparsity': sparsity} for sparsity in args.sparsity or (0.5, 0.8)
    }
    compress.make_variants(args, 'prune', variants, prune)


def prune(
    legacy: tf_keras.Model,
    settings: Settings,
    train: Batches,
    val: Batches,
    callbacks: tuple[tf_keras.callbacks.Callback, ...] = (),
) -> tf_keras.Model:
    """Return the network with `settings.prune.sparsity` zeros in every kernel."""
    config = settings.prune
    last = int(_RAMP * config.epochs * len(train))
    every = max(1, last // _TURNS)
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=config.sparsity,
        begin_step=0,
        end_step=last // every * every,
        frequency=every,
    )

    wrapped = compress.wrap_layers(
        legacy, lambda layer: tfmot.sparsity.keras.prune_low_magnitude(layer, schedule)
    )
    fit_legacy(
        wrapped,
        settings.train,
        train,
        val,
        epochs=config.epochs,
        learning_rate=config.learning_rate,
        callbacks=(tfmot.sparsity.keras.UpdatePruningStep(), *callbacks),
    )
    return tfmot.sparsity.keras.strip_pruning(wrapped)
