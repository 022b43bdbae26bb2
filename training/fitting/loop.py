# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fitting a network, and going on where that was interrupted."""

import json
import math
from pathlib import Path

import keras

from doa_ros.core.errors import DoaError

from ..models.heads import loss_weights, losses
from ..sections import TrainConfig
from ..settings import Settings
from .batches import Batches
from .history import draw_curves, earlier_losses


class DivergedError(DoaError):
    """A network does not learn: its loss is not finite."""


def compile_heads(
    model: keras.Model,
    rate: float | keras.optimizers.schedules.LearningRateSchedule,
    config: TrainConfig,
) -> None:
    """Compile a network with the losses of its heads.

    Args:
        model: the network.
        rate: learning rate of Adam.
        config: says which heads there are.
    """
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=losses(config),
        loss_weights=loss_weights(config),
    )


def fit(
    model: keras.Model,
    settings: Settings,
    train: Batches,
    val: Batches,
    out: Path,
) -> None:
    """Fit a network and leave its run in a folder; go on where an earlier fit was interrupted.

    Args:
        model: the network, not compiled.
        settings: of the model; `train` says how.
        train, val: the examples.
        out: the folder; made where it does not exist.

    Raises:
        DivergedError: a loss is not finite.
    """
    config = settings.train
    # Falls to 0 over all epochs, whenever training is interrupted and goes on.
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * len(train))
    compile_heads(model, rate, config)
    out.mkdir(parents=True, exist_ok=True)
    settings.save(out / 'settings.yaml')
    stopping = keras.callbacks.EarlyStopping(patience=config.patience)
    fit_compiled(
        model,
        train.stream(),
        val.stream(),
        out / 'model.keras',
        config.epochs,
        (stopping,),
    )


def fit_compiled(
    model: keras.Model,
    train,
    val,
    file: Path,
    epochs: int,
    callbacks: tuple[keras.callbacks.Callback, ...] = (),
    *,
    steps: int | None = None,
) -> None:
    """Fit a compiled network; go on where an earlier fit was interrupted.

    Args:
        model: the network.
        train, val: batches as Keras takes them.
        file: of the best epoch; history.csv and curves.png come beside it.
        epochs: most passes over the data.
        callbacks: further ones.
        steps: batches of a pass; None for as many as there are.

    Raises:
        DivergedError: a loss is not finite.
    """
    out = file.parent
    partial, history = out / 'partial.keras', out / 'history.csv'
    # Of an interruption in the middle of writing it.
    partial.unlink(missing_ok=True)
    # The best network so far is kept until a better one comes, also across an interruption.
    earlier = earlier_losses(out)

    def rename_best(*_):
        if partial.exists():
            partial.replace(file)

    model.fit(
        train,
        steps_per_epoch=steps,
        validation_data=val,
        epochs=epochs,
        shuffle=False,
        callbacks=[
            # First: nothing is stored of an epoch that went wrong.
            keras.callbacks.LambdaCallback(on_epoch_end=check_finite),
            keras.callbacks.ModelCheckpoint(
                partial,
                save_best_only=True,
                initial_value_threshold=min(earlier, default=None),
            ),
            # The file is whole or it is not there.
            keras.callbacks.LambdaCallback(on_epoch_end=rename_best),
            keras.callbacks.CSVLogger(history, append=bool(earlier)),
            *callbacks,
            # Last: an epoch that was interrupted above is done again.
            backup(out / 'backup'),
        ],
    )
    draw_curves(history, out / 'curves.png')


def fit_on(
    model: keras.Model,
    config: TrainConfig,
    train: Batches,
    val: Batches,
    *,
    epochs: int,
    learning_rate: float,
    callbacks: tuple[keras.callbacks.Callback, ...] = (),
) -> None:
    """Fit a trained network for a few more epochs; the last one counts.

    Args:
        model: the network, not compiled.
        config: its heads.
        train, val: the examples.
        epochs: passes over the data.
        learning_rate: of Adam.
        callbacks: for each batch or epoch.

    Raises:
        DivergedError: a loss is not finite.
    """
    compile_heads(model, learning_rate, config)
    finite = keras.callbacks.LambdaCallback(on_epoch_end=check_finite)
    model.fit(
        train.stream(),
        validation_data=val.stream(),
        epochs=epochs,
        shuffle=False,
        callbacks=[finite, *callbacks],
    )


def check_finite(epoch: int, logs: dict[str, float]) -> None:
    """Stop a fit, at the end of an epoch, whose losses are no longer finite.

    Raises:
        DivergedError: one of them is not.
    """
    wrong = [
        f'{name} {value}'
        for name, value in logs.items()
        if name.endswith('loss') and not math.isfinite(value)
    ]
    if wrong:
        raise DivergedError(
            f'training has diverged in epoch {epoch + 1} ({", ".join(wrong)}); set a smaller '
            'learning_rate and begin anew in another folder'
        )


def backup(folder: Path, *, keep: bool = False) -> keras.callbacks.BackupAndRestore:
    """Return what lets a fit go on where it was interrupted.

    Args:
        folder: of the states of the last two epochs; where the latest has been cut by a full disk
            or a crash, the one before counts.
        keep: whether they stay when all is done.
    """
    try:
        json.loads((folder / 'training_metadata.json').read_text(encoding='utf-8'))
    except (OSError, ValueError):
        for path in folder.glob('*.bkp'):
            path.replace(path.with_suffix(''))
    return keras.callbacks.BackupAndRestore(
        folder, double_checkpoint=True, delete_checkpoint=not keep
    )
