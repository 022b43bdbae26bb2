# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From a Keras network to the content of a TFLite file, in one of several number formats."""

from collections.abc import Iterable
from contextlib import redirect_stdout
from io import StringIO
import warnings

import keras
import numpy as np
import tensorflow as tf

from doa_ros.core.errors import ModelError
from doa_ros.core.localization.tflite import TFLiteModel

from ..data.dataset import Dataset, Shards
from ..data.inputs import Inputs

KINDS = ('float32', 'float16', 'dynamic', 'int8', 'qat')
INTEGER_KINDS = ('int8', 'qat')

_REPRESENTATIVE = 512
_REPRESENTATIVE_SEED = 20211


def representative_set(shards: Shards, inputs: Inputs) -> np.ndarray:
    """Return the pinned inputs that the int8 ranges are taken from.

    Half of them are the examples with the clearest peaks: a range taken from random ones alone
    would clip the logits of a close talker in a dry room.

    Args:
        shards: the examples.
        inputs: what the network is given of them.

    Returns:
        Shape (examples, *shape of an input), float32.
    """
    rng = np.random.default_rng(_REPRESENTATIVE_SEED)
    kept: list[Dataset] = []
    keys: list[np.ndarray] = []
    half = _REPRESENTATIVE // 2
    for shard in shards:
        kept.append(shard)
        keys.append(np.stack([-inputs.clarity(shard), rng.random(len(shard))], axis=1))
        pool, order = Dataset.concatenate(kept), np.concatenate(keys)
        chosen = np.unique(np.argsort(order, axis=0, kind='stable')[:half])
        kept, keys = [pool.select(chosen)], [order[chosen]]
    return inputs.of(kept[0])


def to_tflite(model: keras.Model, kind: str, representative: np.ndarray | None = None) -> bytes:
    """Return the TFLite file of a network.

    Args:
        model: the trained network; for qat, by `train_to_be_rounded`.
        kind: one of KINDS.
        representative: inputs, one after the other; the integer kinds need them.
    """
    # With a batch of one, the file needs no operators that find out its size.
    inputs = keras.Input(batch_shape=(1, *model.input_shape[1:]))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(inputs, model(inputs)))
    if kind != 'float32':
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == 'float16':
        converter.target_spec.supported_types = [tf.float16]
    if kind in INTEGER_KINDS:
        converter.inference_input_type = converter.inference_output_type = tf.int8
        if representative is None:
            raise ValueError(f'{kind} needs representative inputs')
        converter.representative_dataset = lambda: ([x[None]] for x in representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        # Keras prints the addresses of what it exports; the converter warns that it was told no
        # ranges, which come from the representative set.
        warnings.filterwarnings('ignore', 'Statistics for quantized inputs')
        return converter.convert()


def output_names(network: TFLiteModel, model, heads: Iterable[str]) -> tuple[str, ...]:
    """Return what each TFLite output is: the converter orders them as it likes.

    Args:
        network: the converted network.
        model: the network it was made of.
        heads: what the outputs of `model` are.

    Raises:
        ModelError: an output matches none of the network's.
    """
    probe = np.random.default_rng(0).uniform(-0.3, 0.3, (8, *network.input_shape))
    probe = probe.astype(np.float32)
    expected = [
        np.asarray(output).reshape(len(probe), -1) for output in model(probe, training=False)
    ]
    converted = list(zip(*(network(x) for x in probe), strict=True))
    names = []
    for output in converted:
        errors = [
            (float(np.abs(values - output).max()), name)
            for name, values in zip(heads, expected, strict=True)
            if values.shape == np.shape(output)
        ]
        names += [name for _, name in sorted(errors)[:1]]
    if len(names) < len(converted) or set(names) != set(heads):
        raise ModelError('the outputs of the converted network cannot be told apart')
    return tuple(names)
