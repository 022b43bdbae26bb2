# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Convert a trained network to TFLite, in the number formats asked for, and measure each.

Writes OUT/NAME_KIND.tflite with its card NAME_KIND.yaml, OUT/NAME_representative.npy, and a table
as NAME_models.csv and NAME_models.md.

  float32, float16    weights of that precision
  dynamic             int8 weights, float32 activations
  int8                int8 throughout; the ranges come from a pinned set, the same examples of
                      the train split every time
  qat                 the same after quantisation-aware training
"""

from contextlib import redirect_stdout
import hashlib
from io import StringIO
from pathlib import Path
import re
import warnings

import keras
import numpy as np
import tensorflow as tf
import tf_keras
import yaml

from doa_ros.core.classifier import ModelCard, network_input
from doa_ros.core.decoding import DirectionGrid
from doa_ros.core.errors import ModelError
from doa_ros.core.tflite import TFLiteModel

from .examples.batches import both_splits
from .examples.dataset import Dataset, Shards, concatenate
from .networks.architectures import describe_architecture
from .networks.legacy import fit_legacy, to_legacy
from .runs import load_run
from .scores import edgetpu, openvino_check
from .scores.measure import Measurement, measure_model
from .scores.variants import measure_cost
from .settings import Settings, with_section
from .tables import Row, show_table

KINDS = ('float32', 'float16', 'dynamic', 'int8', 'qat')
_INTEGER_KINDS = ('int8', 'qat')

# Least share of the inputs in which OpenVINO and the interpreter must have the same strongest
# class; they round differently.
_OPENVINO_AGREEMENT = 0.95

_REPRESENTATIVE = 512
_REPRESENTATIVE_SEED = 20211

# How tensorflow-model-optimization names the ranges of activations, and how much of a range stays
# in each batch.
_ACTIVATION_RANGE = re.compile(r'(activation|output)_(min|max):')
_RANGE_DECAY = 0.999


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument('--run', type=Path, required=True, help='folder made by train')
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    parser.add_argument('--name', required=True, help='name of the model')
    parser.add_argument('--out', type=Path, required=True, help='folder of the .tflite files')
    parser.add_argument(
        '--kind', action='append', choices=KINDS, help='may be given several times; default: all'
    )
    parser.add_argument(
        '--edgetpu',
        action='store_true',
        help='check the int8 models against what the Edge TPU compiler requires',
    )
    parser.add_argument(
        '--openvino',
        action='store_true',
        help='check that every model loads in OpenVINO and agrees with the interpreter',
    )
    parser.add_argument(
        '--settings', help='name or path of settings whose quantize section replaces the run\'s'
    )


def run(args):
    """Convert, write cards, print size, accuracy and latency of each.

    Raises:
        ModelError: a model does not pass the checks that were asked for; all are written.
    """
    model, settings = load_run(args.run)
    settings = with_section(settings, 'quantize', args.settings)
    train, val = (Shards(args.data, split, settings) for split in ('train', 'val'))
    representative = representative_set(train)
    args.out.mkdir(parents=True, exist_ok=True)
    np.save(args.out / f'{args.name}_representative.npy', representative)
    # float32 comes first, whether it is kept or not: the others are compared with it.
    asked = args.kind or list(KINDS)
    exact = None
    rows, faults = [], []
    for kind in dict.fromkeys(['float32', *asked]):
        file = args.out / f'{args.name}_{kind}.tflite'
        network = model
        if kind == 'qat':
            network = train_to_be_rounded(model, settings, args.data, representative)
        content = to_tflite(network, kind, representative)
        measurement = write_model(file, content, model, settings, val, kind, exact)
        exact = exact or measurement
        if kind in asked:
            row = {'format': kind, **model_row(file, measurement, exact)}
            if args.edgetpu:
                found = edgetpu_faults(file) if kind in _INTEGER_KINDS else None
                row['Edge TPU'] = '-' if found is None else 'no' if found else 'yes'
                faults += found or []
            if args.openvino:
                found = openvino_faults(file, representative)
                row['OpenVINO'] = 'no' if found else 'yes'
                faults += found
            rows.append(row)
        else:
            file.unlink()
            file.with_suffix('.yaml').unlink()
    show_table(rows, f'{args.name}: validation set', args.out / f'{args.name}_models')
    if faults:
        raise ModelError('the models are written, but:\n' + '\n'.join(faults))


def edgetpu_faults(file: Path) -> list[str]:
    """Return what of a model the Edge TPU compiler does not take."""
    return [f'{file.name} for the Edge TPU: {problem}' for problem in edgetpu.problems(file)]


def openvino_faults(file: Path, inputs: np.ndarray) -> list[str]:
    """Return why a model cannot be used with OpenVINO; `inputs` are what both runtimes compute."""
    try:
        agreement = openvino_check.compare(file, inputs).agreement
    except ModelError as error:
        return [str(error)]
    if agreement >= _OPENVINO_AGREEMENT:
        return []
    return [f'{file.name}: OpenVINO gives the same class in {100 * agreement:.1f} % only']


def model_row(file: Path, measurement: Measurement, exact: Measurement) -> Row:
    """Return what a table says of a .tflite file: its accuracy and its cost.

    Args:
        file: with its card beside it.
        measurement: of the model.
        exact: of the float32 model of the same network.
    """
    cost = measure_cost(file)
    return {
        'within 10 deg': round(measurement.within_10, 3),
        'azimuth MAE [deg]': round(measurement.azimuth_mae_deg, 2),
        'elevation MAE [deg]': round(measurement.elevation_mae_deg, 2),
        'same class as float32': round(agreement(measurement, exact), 3),
        'parameters': cost.parameters,
        'file [KiB]': round(cost.size / 1024, 1),
        'compressed [KiB]': round(cost.compressed_size / 1024, 1),
        'latency [us]': round(cost.latency * 1e6, 1),
    }


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
    architecture = describe_architecture(settings.train.architecture)
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
            'architecture': architecture,
            'parameters': model.count_params(),
            'kind': kind,
            'validation': measurement.to_mapping(),
            'agreement_with_float32': round(agreement(measurement, exact or measurement), 4),
            'simulate': settings.simulate.to_mapping(),
            'train': {**settings.train.to_mapping(), 'architecture': architecture},
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


def to_tflite(
    model: keras.Model | tf_keras.Model, kind: str, representative: np.ndarray
) -> bytes:
    """Return the TFLite file of a network.

    Args:
        model: the trained network; for qat, made by `train_to_be_rounded`.
        kind: one of KINDS.
        representative: inputs, shape (examples, lags, pairs); only int8 looks at them.
    """
    library = tf_keras if isinstance(model, tf_keras.Model) else keras
    # With a batch of one, the file needs no operators that find out its size.
    inputs = library.Input(batch_shape=(1, *model.input_shape[1:]))
    converter = tf.lite.TFLiteConverter.from_keras_model(library.Model(inputs, model(inputs)))
    if kind != 'float32':
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == 'float16':
        converter.target_spec.supported_types = [tf.float16]
    if kind in _INTEGER_KINDS:
        converter.inference_input_type = converter.inference_output_type = tf.int8
    if kind == 'int8':
        converter.representative_dataset = lambda: ([x[None]] for x in representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        # Keras prints the addresses of what it exports; the converter warns that it was told no
        # ranges, which come from the representative set or the network itself.
        warnings.filterwarnings('ignore', 'Statistics for quantized inputs')
        return converter.convert()


def train_to_be_rounded(
    model: keras.Model, settings: Settings, data: Path, representative: np.ndarray
) -> tf_keras.Model:
    """Return the network trained on while its weights and activations are rounded to 8 bits.

    B. Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", CVPR 2018.

    Args:
        model: the trained network.
        settings: of the model; `quantize` says how.
        data: folder made by simulate.
        representative: inputs, shape (examples, lags, pairs), that the first ranges come from.
    """
    import tensorflow_model_optimization as tfmot

    keras.utils.set_random_seed(settings.train.seed)
    rounded = tfmot.quantization.keras.quantize_model(to_legacy(model))
    # The toolkit trains every kernel, also a fixed one.
    for layer in rounded.layers:
        if not layer.trainable:
            layer._non_trainable_weights.extend(layer._trainable_weights)
            layer._trainable_weights.clear()
    _find_ranges(rounded, representative)
    fit_legacy(
        rounded,
        settings.train,
        *both_splits(data, settings),
        epochs=settings.quantize.epochs,
        learning_rate=settings.quantize.learning_rate,
    )
    return rounded


def _find_ranges(rounded: tf_keras.Model, inputs: np.ndarray) -> None:
    """Set the ranges of all activations to those on some inputs.

    They begin at +-6 and follow the data over thousands of batches: a few epochs of features that
    stay below 1 would end with ranges far too wide.
    """
    ranges = [w for w in rounded.weights if _ACTIVATION_RANGE.search(w.name)]
    # The first pass rounds to the wide ranges, the second one to nearly the right ones.
    for _ in range(2):
        before = [w.numpy() for w in ranges]
        rounded(inputs, training=True)
        for weight, old in zip(ranges, before, strict=True):
            weight.assign(old + (weight.numpy() - old) / (1 - _RANGE_DECAY))


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
        errors = {
            name: np.abs(values - output).max()
            for name, values in zip(('azimuth', 'elevation'), expected, strict=True)
            if values.shape == np.shape(output)
        }
        names.append(min(errors, key=errors.get, default=None))
    if set(names) != {'azimuth', 'elevation'}:
        raise ModelError('the outputs of the converted network cannot be told apart')
    return tuple(names)
