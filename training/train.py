# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Train a network on simulated data.

Writes OUT/model.keras (the best epoch), OUT/history.csv, OUT/curves.png and OUT/settings.yaml.
Silent
examples have flat targets, so that the network says by itself when it hears nothing. Run again
after an interruption, it goes on from the last epoch.
"""

import csv
import os
from pathlib import Path
import shutil

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import keras
import numpy as np

from doa_ros.core.classifier import network_input
from doa_ros.core.decoding import DirectionGrid
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.resources import find_resource

from .architectures import ARCHITECTURES
from .dataset import Dataset, azimuth_targets, elevation_targets, load_dataset
from .settings import Settings, TrainConfig, load_settings
from .symmetry import gather_index, symmetries


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument('--settings', default='uma8_reference', help='name or path')
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    parser.add_argument('--out', type=Path, required=True, help='folder of the result')


def run(args):
    """Train the network of the settings."""
    settings_path = find_resource('training', args.settings)
    settings = load_settings(settings_path)
    config = settings.train
    if config.architecture not in ARCHITECTURES:
        known = ', '.join(ARCHITECTURES)
        raise ConfigError(f'no architecture named {config.architecture!r} (known: {known})')
    array = load_array(find_resource('arrays', settings.array))
    keras.utils.set_random_seed(config.seed)
    model = ARCHITECTURES[config.architecture](
        settings.features.lag_count,
        len(array.pairs),
        config.azimuth_classes,
        config.elevation_classes,
        config.dropout,
    )
    model.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        loss=['categorical_crossentropy', 'categorical_crossentropy'],
    )
    model.summary()
    train = Batches(load_dataset(args.data, 'train', settings), array, settings, shuffle=True)
    val = Batches(load_dataset(args.data, 'val', settings), array, settings, shuffle=False)
    args.out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(settings_path, args.out / 'settings.yaml')
    history = args.out / 'history.csv'
    resumes = (args.out / 'backup').exists() and history.exists()
    # The best network so far is kept until a better one comes, also across an interruption.
    losses = [float(row['val_loss']) for row in _rows(history)] if resumes else []
    best = min(losses, default=None)
    model.fit(
        train,
        validation_data=val,
        epochs=config.epochs,
        callbacks=[
            keras.callbacks.BackupAndRestore(args.out / 'backup'),
            keras.callbacks.ModelCheckpoint(
                args.out / 'model.keras', save_best_only=True, initial_value_threshold=best
            ),
            keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=max(1, config.patience // 2)),
            keras.callbacks.EarlyStopping(patience=config.patience),
            keras.callbacks.CSVLogger(history, append=resumes),
        ],
    )
    _draw_curves(history, args.out / 'curves.png')


class Batches(keras.utils.PyDataset):
    """Examples with targets; shuffled ones are turned by a random symmetry of the array."""

    def __init__(self, data: Dataset, array: MicArray, settings: Settings, *, shuffle: bool):
        super().__init__()
        self._data = data.rows(data.voiced | data.silent)
        self._config: TrainConfig = settings.train
        self._grid = DirectionGrid(
            settings.train.azimuth_classes, settings.train.elevation_classes
        )
        self._symmetries = symmetries(array)
        self._index = np.stack(
            [gather_index(array, s, settings.features.lag_count) for s in self._symmetries]
        )
        self._rng = np.random.default_rng(settings.train.seed) if shuffle else None
        self._order = np.arange(len(self._data.azimuth))
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self._order) // self._config.batch)

    def on_epoch_end(self):
        """Shuffle."""
        if self._rng is not None:
            self._rng.shuffle(self._order)

    def __getitem__(self, number: int):
        rows = self._order[number * self._config.batch : (number + 1) * self._config.batch]
        data = self._data.rows(rows)
        gcc, azimuth = data.gcc.astype(np.float32), data.azimuth
        if self._rng is not None:
            gcc, azimuth = self._turn(gcc, azimuth)
        flat = data.silent[:, None]
        targets = (
            azimuth_targets(azimuth, self._grid, self._config.kappa),
            elevation_targets(data.elevation, self._grid, self._config.kappa),
        )
        return network_input(gcc), tuple(np.where(flat, 1 / t.shape[1], t) for t in targets)

    def _turn(self, gcc: np.ndarray, azimuth: np.ndarray):
        chosen = self._rng.integers(len(self._symmetries), size=len(gcc))
        turned = np.take_along_axis(gcc.reshape(len(gcc), -1), self._index[chosen], axis=1)
        azimuths = np.array(
            [self._symmetries[s].azimuth(a) for s, a in zip(chosen, azimuth, strict=True)]
        )
        return turned.reshape(gcc.shape), azimuths


def _draw_curves(history: Path, path: Path):
    from matplotlib.figure import Figure

    rows = _rows(history)
    figure = Figure(figsize=(7, 4), layout='constrained')
    axes = figure.add_subplot(xlabel='epoch', ylabel='cross-entropy')
    epochs = [int(row['epoch']) + 1 for row in rows]
    for column, label in (('loss', 'train'), ('val_loss', 'validation')):
        axes.plot(epochs, [float(row[column]) for row in rows], label=label)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def _rows(history: Path) -> list[dict[str, str]]:
    with history.open(encoding='utf-8') as file:
        return list(csv.DictReader(file))
