# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Convert a trained network to TFLite, in the number formats asked for, and measure each.

Writes OUT/NAME_KIND.tflite with its card NAME_KIND.yaml, OUT/NAME_representative.npy and a table.

  float32, float16    weights of that precision
  dynamic             int8 weights, float32 activations
  int8                int8 throughout; the ranges come from a pinned set, the same examples of
                      the train split every time
  qat                 the same after quantisation-aware training
"""

import hashlib
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import yaml

from doa_ros.core.classifier import ModelCard, network_input
from doa_ros.core.decoding import DirectionGrid
from doa_ros.core.errors import ModelError
from doa_ros.core.tflite import TFLiteModel

from .dataset import Dataset, Shards, concatenate
from .measure import Measurement, measure_model
from .runs import load_run
from .settings import Settings

KINDS = ('float32', 'float16', 'dynamic', 'int8')

_REPRESENTATIVE = 512
_REPRESENTATIVE_SEED = 20211


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument('--run', type=Path, required=True, help='folder made by train')
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    parser.add_argument('--name', required=True, help='name of the model')
    parser.add_argument('--out', type=Path, required=True, help='folder of the .tflite files')
    parser.add_argument(
        '--kind', action='append', choices=KINDS, help='may be given several times; default: all'
    )


def run(args):
    """Convert, write cards, print size, accuracy and latency of each."""
    from rich.console import Console
    from rich.table import Table

    model, settings = load_run(args.run)
    train, val = (Shards(args.data, split, settings) for split in ('train', 'val'))
    representative = representative_set(train)
    args.out.mkdir(parents=True, exist_ok=True)
    np.save(args.out / f'{args.name}_representative.npy', representative)
    # float32 comes first, whether it is kept or not: the others are compared with it.
    asked = args.kind or list(KINDS)
    exact = None
    table = Table(title=f'{args.name}: {model.count_params():,} parameters, validation set')
    for column in _COLUMNS:
        table.add_column(column, justify='right')
    for kind in dict.fromkeys(['float32', *asked]):
        file = args.out / f'{args.name}_{kind}.tflite'
        measurement = write_model(
            file, to_tflite(model, kind, representative), model, settings, val, kind, exact
        )
        exact = exact or measurement
        if kind in asked:
            table.add_row(kind, *_cells(file, measurement, exact))
        else:
            file.unlink()
            file.with_suffix('.yaml').unlink()
    Console(width=110).print(table)


_COLUMNS = (
    'model',
    'KiB',
    'within 10 deg',
    'azimuth MAE',
    'elevation MAE',
    'same class as float32',
    'latency',
)


def _cells(file: Path, measurement: Measurement, exact: Measurement) -> tuple[str, ...]:
    return (
        f'{file.stat().st_size / 1024:.0f}',
        f'{measurement.within_10:.3f}',
        f'{measurement.azimuth_mae_deg:.2f} deg',
        f'{measurement.elevation_mae_deg:.2f} deg',
        f'{agreement(measurement, exact):.3f}',
        f'{measurement.latency_us:.1f} us',
    )


def agreement(measurement: Measurement, exact: Measurement) -> float:
    """Return the share of the examples in which both have the same strongest azimuth class."""
    return float(np.mean(measurement.strongest == exact.strongest))


def write_model(
    file: Path,
    content: bytes,
    model,
    settings: Settings,
    val: Shards,
    kind: str,
    exact: Measurement | None,
) -> Measurement:
    """Write a .tflite file and its card, and measure it through the interpreter.

    Args:
        file: where to.
        content: of the file.
        model: the Keras network it was made of.
        settings: of the model.
        val: what it is measured on.
        kind: number format, for the card.
        exact: the measurement of the float32 model; None if this is it.
    """
    file.write_bytes(content)
    network = TFLiteModel(file)
    outputs = output_names(network, model)
    measurement = measure_model(network, outputs, settings.train, val)
    array = settings.load_array()
    card = ModelCard(
        array_name=array.name,
        positions=array.positions,
        sampling_frequency=array.sampling_frequency,
        features=settings.features,
        grid=DirectionGrid(settings.train.azimuth_classes, settings.train.elevation_classes),
        outputs=outputs,
        sha256=hashlib.sha256(content).hexdigest(),
        multilabel=settings.train.multilabel,
        training={
            'architecture': settings.train.architecture,
            'parameters': model.count_params(),
            'kind': kind,
            'validation': measurement.to_mapping(),
            'agreement_with_float32': round(agreement(measurement, exact or measurement), 4),
            'simulate': settings.simulate.to_mapping(),
            'train': settings.train.to_mapping(),
        },
    )
    text = yaml.safe_dump(card.to_mapping(), sort_keys=False, width=95)
    file.with_suffix('.yaml').write_text(text, encoding='utf-8')
    return measurement


def representative_set(shards: Shards) -> np.ndarray:
    """Return the pinned inputs that the int8 ranges are taken from, shape (examples, lags, pairs).

    Half of them are the examples with the clearest peaks: a range taken from random ones alone
    would clip the logits of a close talker in a dry room.
    """
    rng = np.random.default_rng(_REPRESENTATIVE_SEED)
    kept: list[Dataset] = []
    keys: list[np.ndarray] = []
    half = _REPRESENTATIVE // 2
    for shard in shards:
        clarity = shard.gcc.max(axis=2).mean(axis=1, dtype=np.float32)
        kept.append(shard)
        keys.append(np.stack([-clarity, rng.random(len(shard))], axis=1))
        pool, order = concatenate(kept), np.concatenate(keys)
        chosen = np.unique(np.argsort(order, axis=0, kind='stable')[:half])
        kept, keys = [pool.rows(chosen)], [order[chosen]]
    return network_input(kept[0].gcc.astype(np.float32))


def to_tflite(model: keras.Model, kind: str, representative: np.ndarray) -> bytes:
    """Return the TFLite file of a network.

    Args:
        model: the trained network.
        kind: one of KINDS.
        representative: inputs, shape (examples, lags, pairs); only int8 looks at them.
    """
    # With a batch of one, the file needs no operators that find out its size.
    inputs = keras.Input(batch_shape=(1, *model.input_shape[1:]))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(inputs, model(inputs)))
    if kind != 'float32':
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == 'float16':
        converter.target_spec.supported_types = [tf.float16]
    if kind == 'int8':
        converter.representative_dataset = lambda: ([x[None]] for x in representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def output_names(network: TFLiteModel, model) -> tuple[str, ...]:
    """Return what each TFLite output is: the converter orders them as it likes.

    Raises:
        ModelError: an output matches none of the network's.
    """
    probe = np.random.default_rng(0).uniform(-0.3, 0.3, (8, *network.input_shape))
    probe = probe.astype(np.float32)
    expected = [np.asarray(output) for output in model(probe, training=False)]
    converted = list(zip(*(network(x) for x in probe), strict=True))
    names = []
    for output in converted:
        fitting = [
            name
            for name, values in zip(('azimuth', 'elevation'), expected, strict=True)
            if values.shape == np.shape(output) and np.abs(values - output).max() < 0.1
        ]
        if len(fitting) != 1:
            raise ModelError('the outputs of the converted network cannot be told apart')
        names += fitting
    return tuple(names)
