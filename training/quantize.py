# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Convert a trained network to TFLite: float32 and, beside it, full int8.

Writes OUT/NAME_float32.tflite and OUT/NAME_int8.tflite, each with its card NAME_*.yaml. The int8
ranges come from a pinned set: the same examples of the train split every time.
"""

import hashlib
import os
from pathlib import Path

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import keras
import numpy as np
import tensorflow as tf
import yaml

from doa_ros.core.classifier import ModelCard, network_input
from doa_ros.core.decoding import DirectionGrid
from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.geometry import load_array
from doa_ros.core.tflite import TFLiteModel
from doa_ros.resources import find_resource

from .dataset import Dataset, load_dataset
from .measure import measure_model
from .settings import Settings, load_settings

_REPRESENTATIVE = 512
_REPRESENTATIVE_SEED = 20211


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument('--run', type=Path, required=True, help='folder made by train')
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    parser.add_argument('--name', required=True, help='name of the model')
    parser.add_argument('--out', type=Path, required=True, help='folder of the .tflite files')


def run(args):
    """Convert, write cards, print size and accuracy of both."""
    from rich.console import Console
    from rich.table import Table

    path = args.run / 'model.keras'
    if not path.is_file():
        raise ConfigError(f'{path}: no trained network; run train first')
    settings = load_settings(args.run / 'settings.yaml')
    model = keras.models.load_model(path)
    train = load_dataset(args.data, 'train', settings)
    val = load_dataset(args.data, 'val', settings)
    args.out.mkdir(parents=True, exist_ok=True)

    table = Table(title=f'{args.name}: {model.count_params():,} parameters, validation set')
    for column in ('model', 'KiB', 'within 10 deg', 'azimuth MAE', 'elevation MAE', 'latency'):
        table.add_column(column, justify='right')
    for kind in ('float32', 'int8'):
        content = to_tflite(model, representative_set(train) if kind == 'int8' else None)
        file = args.out / f'{args.name}_{kind}.tflite'
        file.write_bytes(content)
        network = TFLiteModel(file)
        outputs = output_names(network, model)
        result = measure_model(network, outputs, settings, val)
        card = make_card(settings, content, outputs)
        card.training.update(
            {
                'architecture': settings.train.architecture,
                'parameters': model.count_params(),
                'train_examples': int(np.count_nonzero(train.voiced | train.silent)),
                'validation': result.to_mapping(),
            }
        )
        text = yaml.safe_dump(card.to_mapping(), sort_keys=False, width=95)
        file.with_suffix('.yaml').write_text(text, encoding='utf-8')
        table.add_row(
            kind,
            f'{len(content) / 1024:.0f}',
            f'{result.within_10:.3f}',
            f'{result.azimuth_mae_deg:.2f} deg',
            f'{result.elevation_mae_deg:.2f} deg',
            f'{result.latency_us:.1f} us',
        )
    Console().print(table)


def representative_set(data: Dataset) -> np.ndarray:
    """Return the pinned inputs that the int8 ranges are taken from.

    Half of them are the examples with the clearest peaks: a range taken from random ones alone
    would clip the logits of a close talker in a dry room.
    """
    count = min(_REPRESENTATIVE // 2, len(data.gcc))
    clearest = np.argsort(data.gcc.max(axis=2).mean(axis=1), kind='stable')[-count:]
    random = np.random.default_rng(_REPRESENTATIVE_SEED).choice(
        len(data.gcc), count, replace=False
    )
    rows = np.union1d(clearest, random)
    return network_input(data.gcc[rows].astype(np.float32))


def to_tflite(model: keras.Model, representative: np.ndarray | None) -> bytes:
    """Return the TFLite file of a network: int8 with a representative set, else float32.

    Args:
        model: the trained network.
        representative: inputs, shape (examples, lags, pairs).
    """
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if representative is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([x[None]] for x in representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def output_names(network: TFLiteModel, model: keras.Model) -> tuple[str, ...]:
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


def make_card(settings: Settings, content: bytes, outputs) -> ModelCard:
    """Return the card of a converted network."""
    array = load_array(find_resource('arrays', settings.array))
    return ModelCard(
        array_name=array.name,
        positions=array.positions,
        sampling_frequency=array.sampling_frequency,
        features=settings.features,
        grid=DirectionGrid(settings.train.azimuth_classes, settings.train.elevation_classes),
        outputs=outputs,
        sha256=hashlib.sha256(content).hexdigest(),
        training={},
    )
