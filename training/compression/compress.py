# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What `prune` and `cluster` share: variants of a network as run folders, and their table."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import tf_keras

from ..data.batches import both_splits
from ..data.dataset import Shards
from ..deployment.conversion import representative_set, to_tflite
from ..deployment.converted_model import converted_model
from ..fitting.history import draw_curves
from ..runs import load_run, save_network
from ..sections import ClusterConfig, PruneConfig
from ..settings import Settings
from ..tables import Row, show_table
from .kernels import kernel_facts, kernels
from .legacy import fit_legacy, from_legacy, to_legacy

_KINDS = ('float32', 'int8')


@dataclass(frozen=True)
class Method:
    """How a network becomes smaller while it is trained on.

    Attributes:
        wrap: from the network, the settings of the verb and the number of steps to the network
            that is trained.
        strip: from that one to the smaller network.
        callbacks: what the training needs.
    """

    wrap: Callable[[tf_keras.Model, PruneConfig | ClusterConfig, int], tf_keras.Model]
    strip: Callable[[tf_keras.Model], tf_keras.Model]
    callbacks: tuple[type[tf_keras.callbacks.Callback], ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the common part of the command lines."""
    parser.add_argument('--run', type=Path, required=True, help='folder made by train')
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    parser.add_argument('--out', type=Path, required=True, help='folder of the results')
    parser.add_argument(
        '--settings', help='name or path of settings with another section of this verb'
    )


def make_variants(
    run: Path,
    verb: str,
    variants: dict[str, dict],
    method: Method,
    *,
    data: Path,
    out: Path,
    config: PruneConfig | ClusterConfig | None,
) -> None:
    """Make smaller variants of a trained network, each a run folder, and compare them.

    Variants that are there already, of the same network and settings, are not made again.

    Args:
        run: folder of the trained network.
        verb: also the section of the settings, and the name of the table and the plot.
        variants: the folder of each variant in `out`, and its settings of the verb.
        method: makes a variant.
        data: folder made by simulate.
        out: folder of the results.
        config: replaces that of the run's settings.
    """
    model, settings = load_run(run)
    networks = {'as trained': (model, settings)}
    if config is not None:
        settings = replace(settings, **{verb: config})
    for name, values in variants.items():
        folder = out / name
        section = replace(getattr(settings, verb), **values)
        changed = replace(settings, **{verb: section})
        if not _is_made(folder, changed, run):
            print(f'{folder}:')
            _make(model, changed, verb, method, data, folder)
        label = ', '.join(f'{key} {value}' for key, value in values.items())
        networks[label] = load_run(folder)
    rows = _rows(networks, data)
    show_table(rows, f'{verb}: validation set', out / verb)
    _draw(rows, out / f'{verb}.png')


def _is_made(out: Path, settings: Settings, run: Path) -> bool:
    model = out / 'model.keras'
    if not model.is_file() or model.stat().st_mtime < (run / 'model.keras').stat().st_mtime:
        return False
    return load_run(out)[1] == settings


def _make(
    model: keras.Model, settings: Settings, verb: str, method: Method, data: Path, out: Path
) -> None:
    config = getattr(settings, verb)
    keras.utils.set_random_seed(settings.train.seed)
    train, val = both_splits(data, settings)
    out.mkdir(parents=True, exist_ok=True)
    history = out / 'history.csv'
    wrapped = method.wrap(to_legacy(model), config, config.epochs * len(train))
    callbacks = [callback() for callback in method.callbacks]
    fit_legacy(
        wrapped,
        settings.train,
        train,
        val,
        epochs=config.epochs,
        learning_rate=config.learning_rate,
        callbacks=(*callbacks, tf_keras.callbacks.CSVLogger(history)),
    )
    draw_curves(history, out / 'curves.png')
    settings.save(out / 'settings.yaml')
    # The network comes last: where it is, the variant is finished.
    save_network(from_legacy(method.strip(wrapped), model), out)


def wrap_layers(
    legacy: tf_keras.Model, wrap: Callable[[tf_keras.layers.Layer], tf_keras.layers.Layer]
) -> tf_keras.Model:
    """Return the network with every layer wrapped that has kernels."""
    return tf_keras.models.clone_model(
        legacy, clone_function=lambda layer: wrap(layer) if kernels(layer) else layer
    )


def _rows(networks: dict[str, tuple[keras.Model, Settings]], data: Path) -> list[Row]:
    rows: list[Row] = []
    for name, (model, settings) in networks.items():
        val = Shards(data, 'val', settings)
        representative = representative_set(Shards(data, 'train', settings))
        facts = {name.replace('_', ' '): fact for name, fact in kernel_facts(model).items()}
        exact = None
        for kind in _KINDS:
            content = to_tflite(model, kind, representative)
            converted = converted_model(content, model, settings, val, kind, exact)
            exact = exact or converted.measurement
            rows.append({'network': name, **facts, 'format': kind, **converted.row(exact)})
    return rows


def _draw(rows: list[Row], path: Path) -> None:
    """Plot the accuracy of each network over its compressed size."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout='constrained')
    axes = figure.add_subplot(
        xlabel='compressed size [KiB]', ylabel='share within 10 deg of azimuth'
    )
    for kind in _KINDS:
        chosen = [row for row in rows if row['format'] == kind]
        places = [(row['compressed [KiB]'], row['within 10 deg']) for row in chosen]
        axes.plot(*zip(*places, strict=True), 'o', label=kind)
        for row, place in zip(chosen, places, strict=True):
            axes.annotate(row['network'], place, (4, 4), textcoords='offset points', fontsize=8)
    # Room for the name of the rightmost one.
    axes.set_xlim(0, 1.2 * max(row['compressed [KiB]'] for row in rows))
    axes.margins(y=0.15)
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
