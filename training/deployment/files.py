# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A .tflite file with its card: how it is written, measured, and shown in a table."""

import hashlib
from pathlib import Path

import keras

from doa_ros.core.localization.model_card import ModelCard, save_card
from doa_ros.core.localization.tflite import TFLiteModel

from ..compression.kernels import kernel_facts
from ..data.dataset import Shards
from ..models.architectures import describe_architecture
from ..settings import Settings
from ..tables import Row
from .conversion import output_names
from .costs import measure_cost
from .measure import Measurement, agreement, measure_model


def write_model(
    file: Path,
    content: bytes,
    model: keras.Model,
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
    outputs = output_names(network, model, settings.train.heads)
    measurement = measure_model(network, outputs, settings.train, val)
    array = settings.load_array()
    architecture = describe_architecture(settings.train.architecture)
    # Training to be rounded gives the kernels other weights than the network's.
    facts = {} if kind == 'qat' else kernel_facts(model)
    card = ModelCard(
        array_name=array.name,
        positions=array.positions,
        sampling_frequency=array.sampling_frequency,
        features=settings.features,
        grid=settings.train.grid,
        outputs=outputs,
        sha256=hashlib.sha256(content).hexdigest(),
        multilabel=settings.train.multi_source,
        training={
            'architecture': architecture,
            'parameters': model.count_params(),
            'kind': kind,
            **facts,
            'validation': measurement.to_mapping(),
            'agreement_with_float32': round(agreement(measurement, exact or measurement), 4),
            'simulate': settings.simulate.to_mapping(),
            'train': {**settings.train.to_mapping(), 'architecture': architecture},
        },
    )
    save_card(card, file)
    return measurement


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
