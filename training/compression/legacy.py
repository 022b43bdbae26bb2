# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The same network in Keras 2 (tf_keras), all that tensorflow-model-optimization knows."""

import inspect
from typing import Any

import keras
import tf_keras

from doa_ros.core.errors import ModelError

from ..data.batches import Batches
from ..fitting.loop import check_finite, losses
from ..sections import TrainConfig


def to_legacy(model: keras.Model) -> tf_keras.Model:
    """Return a functional Keras 3 network in tf_keras: the same layers, names and weights.

    Raises:
        ModelError: tf_keras has no such layer, or the network is not functional.
    """
    config = model.get_config()
    if 'output_layers' not in config:
        raise ModelError(f'network {model.name!r} is not functional: it has no graph of layers')
    tensors: dict[tuple, Any] = {}
    for entry in config['layers']:
        name = entry['name']
        if entry['class_name'] == 'InputLayer':
            shape = entry['config']['batch_shape'][1:]
            tensors[name, 0, 0] = tf_keras.Input(shape, name=name)
            continue
        layer = _legacy_layer(entry['class_name'], name, entry['config'])
        for node, call in enumerate(entry['inbound_nodes']):
            # Each pass says anew whether it is for training.
            keywords = {k: v for k, v in call['kwargs'].items() if k != 'training'}
            tensors[name, node, 0] = layer(
                *_resolved(call['args'], tensors), **_resolved(keywords, tensors)
            )
        layer.set_weights(model.get_layer(name).get_weights())
    inputs, outputs = (
        [tensors[tuple(key)] for key in _as_list_of_keys(config[side])]
        for side in ('input_layers', 'output_layers')
    )
    return tf_keras.Model(inputs, outputs, name=model.name)


def _legacy_layer(class_name: str, name: str, config: dict) -> tf_keras.layers.Layer:
    layer_class = getattr(tf_keras.layers, class_name, None)
    if layer_class is None:
        raise ModelError(
            f'layer {name!r} is a {class_name}, which tf_keras does not have: this network can '
            'be neither pruned, clustered nor trained for quantisation'
        )
    # The weights are set: it does not matter how they were initialised.
    known = {key for key in inspect.signature(layer_class).parameters if 'initializer' not in key}
    arguments = {key: value for key, value in config.items() if key in known}
    return layer_class(**{**arguments, 'name': name, 'trainable': config['trainable']})


def _resolved(value, tensors: dict[tuple, Any]):
    """Return the arguments of a layer's call, tensors in the place of what stands for them."""
    if isinstance(value, (list, tuple)):
        return [_resolved(part, tensors) for part in value]
    if isinstance(value, dict) and value.get('class_name') == '__keras_tensor__':
        return tensors[tuple(value['config']['keras_history'])]
    if isinstance(value, dict):
        return {key: _resolved(part, tensors) for key, part in value.items()}
    return value


def _as_list_of_keys(keys: list) -> list:
    """Return the keys of several tensors; a single one is stored without a list around it."""
    return keys if isinstance(keys[0], list) else [keys]


def from_legacy(legacy: tf_keras.Model, model: keras.Model) -> keras.Model:
    """Return a copy of the Keras 3 network with the weights of its tf_keras form."""
    copy = keras.models.clone_model(model)
    for layer in copy.layers:
        layer.set_weights(legacy.get_layer(layer.name).get_weights())
    return copy


def fit_legacy(
    legacy: tf_keras.Model,
    config: TrainConfig,
    train: Batches,
    val: Batches,
    *,
    epochs: int,
    learning_rate: float,
    callbacks: tuple[tf_keras.callbacks.Callback, ...] = (),
) -> None:
    """Fit a tf_keras network for a few epochs; the last one counts.

    Args:
        legacy: the network, not compiled.
        config: its heads.
        train, val: the examples.
        epochs: passes over the data.
        learning_rate: of Adam.
        callbacks: for each batch or epoch.

    Raises:
        DivergedError: a loss is not finite.
    """
    legacy.compile(
        optimizer=tf_keras.optimizers.Adam(learning_rate), loss=losses(config), weighted_metrics=[]
    )
    finite = tf_keras.callbacks.LambdaCallback(on_epoch_end=check_finite)
    legacy.fit(
        train.stream(),
        validation_data=val.stream(),
        epochs=epochs,
        callbacks=[finite, *callbacks],
    )
