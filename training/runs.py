# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a trained network.

It holds model.keras (the best epoch), settings.yaml, history.csv and curves.png. Every verb that
makes a network leaves such a folder, and every one that needs a network takes it.
"""

from pathlib import Path
from zipfile import BadZipFile

import keras

from doa_ros.core.errors import ConfigError

from .settings import Settings, load_settings


def is_finished(folder: Path) -> bool:
    """Return whether a folder holds a run whose fit has come to its end."""
    # The last thing that a fit leaves.
    return (folder / 'curves.png').exists()


def load_run(folder: Path) -> tuple[keras.Model, Settings]:
    """Return the network of a run and its settings.

    Raises:
        ConfigError: there is none, or it is of an earlier version.
    """
    path = folder / 'model.keras'
    if not path.is_file():
        raise ConfigError(f'{path}: no trained network; run train first')
    settings = load_settings(folder / 'settings.yaml')
    try:
        model = keras.models.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ConfigError(f'{path}: cannot be read ({error})') from None
    if any(layer.name == 'steering' for layer in model.layers):
        raise ConfigError(
            f'{path}: was trained by an earlier version, whose networks held the steering matrix; '
            'train it again'
        )
    return model, settings


def save_network(model: keras.Model, folder: Path) -> None:
    """Write the network of a run: the file is whole, or it is not there."""
    model.save(folder / 'partial.keras')
    (folder / 'partial.keras').replace(folder / 'model.keras')
