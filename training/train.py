# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Train a network on simulated data.

Writes OUT/model.keras (the best epoch), settings.yaml, history.csv and curves.png. Run again after
an interruption, it goes on from the last epoch.
"""

import argparse
from pathlib import Path

import keras

from .fitting.batches import both_splits
from .fitting.loop import fit
from .models.architectures import find_architecture, inputs_of
from .models.blocks import build
from .settings import Settings, find_settings


def train(settings: Settings, *, data: Path, out: Path) -> None:
    """Train the network of the settings.

    Args:
        settings: of the network and of its training.
        data: folder made by simulate.
        out: folder of the result.

    Raises:
        ConfigError: the data was made for other settings.
        DivergedError: a loss is not finite.
    """
    network = find_architecture(settings.train.architecture)
    inputs = inputs_of(settings)
    keras.utils.set_random_seed(settings.train.seed)
    model = build(network, inputs.shape, settings.train)
    model.summary()
    fit(model, settings, *both_splits(data, settings, inputs), out)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--settings', default='uma8_reference', help='name or path')
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    parser.add_argument('--out', type=Path, required=True, help='folder of the result')


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    train(find_settings(args.settings), data=args.data, out=args.out)
