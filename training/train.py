# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Train a network on simulated data.

Writes OUT/model.keras (the best epoch), settings.yaml, history.csv and curves.png. Run again after
an interruption, it goes on from the last epoch.
"""

from pathlib import Path

import keras

from doa_ros.resources import find_resource

from .data.batches import both_splits
from .models.architectures import find_architecture
from .runs import fit
from .settings import load_settings


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument('--settings', default='uma8_reference', help='name or path')
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    parser.add_argument('--out', type=Path, required=True, help='folder of the result')


def run(args):
    """Train the network of the settings."""
    settings = load_settings(find_resource('training', args.settings))
    architecture = find_architecture(settings.train.architecture)
    array = settings.load_array()
    keras.utils.set_random_seed(settings.train.seed)
    model = architecture(array, settings.features, settings.train)
    model.summary()
    train, val = both_splits(args.data, settings)
    fit(model, settings, train, val, args.out)
