# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network converted to TFLite with its card: measured in memory, saved where it is wanted."""

from dataclasses import dataclass
import hashlib
from pathlib import Path

import keras

from doa_ros.core.files import write_whole
from doa_ros.core.localization.model_card import ModelCard, save_card
from doa_ros.core.localization.tflite import TFLiteModel
from doa_ros.core.localization.trained_array import TrainedArray

from ..data.dataset import Shards
from ..data.inputs import Inputs
from ..models.architectures import describe_architecture, find_architecture
from ..models.kernels import kernel_facts
from ..settings import Settings
from ..tables import Row
from .conversion import output_names
from .costs import cost_of
from .measure import Measurement, azimuth_difference_deg, measure_model


@dataclass(frozen=True)
class ConvertedModel:
    """A converted network.

    Attributes:
        content: of the .tflite file.
        card: of the network.
        measurement: through the interpreter that runs it.
    """

    content: bytes
    card: ModelCard
    measurement: Measurement

    def save(self, file: Path) -> None:
        """Write the .tflite file and its card."""
        write_whole(file, self.content)
        save_card(self.card, file)

    def row(self, exact: Measurement) -> Row:
        """Return what a table says of it: its accuracy and its cost.

        Args:
            exact: of the float32 model of the same network.
        """
        cost = cost_of(self.content, self.card)
        measurement = self.measurement
        return {
            'within 10 deg': round(measurement.within_10, 3),
            'azimuth MAE [deg]': round(measurement.azimuth_mae_deg, 2),
            'elevation MAE [deg]': round(measurement.elevation_mae_deg, 2),
            'azimuth from float32 [deg]': round(azimuth_difference_deg(measurement, exact), 2),
            'parameters': cost.parameters,
            'file [KiB]': round(cost.size / 1024, 1),
            'compressed [KiB]': round(cost.compressed_size / 1024, 1),
            'latency [us]': round(cost.latency * 1e6, 1),
        }


def converted_model(
    content: bytes,
    model: keras.Model,
    settings: Settings,
    val: Shards,
    inputs: Inputs,
    kind: str,
    exact: Measurement | None,
) -> ConvertedModel:
    """Measure a converted network through the interpreter, and write its card in memory.

    Args:
        content: of the .tflite file.
        model: the Keras network it was made of.
        settings: of the model.
        val: what it is measured on.
        inputs: what the network is given of it.
        kind: number format, for the card.
        exact: the measurement of the float32 model; None if this is it.

    Raises:
        ModelError: the content is not usable, or its outputs cannot be told apart.
    """
    network = TFLiteModel(content)
    outputs = output_names(network, model, settings.train.heads)
    measurement = measure_model(network, outputs, settings.train, val, inputs)
    architecture = describe_architecture(settings.train.architecture)
    difference = azimuth_difference_deg(measurement, exact or measurement)
    # Training to be rounded gives the kernels other weights than the network's.
    facts = {} if kind == 'qat' else kernel_facts(model)
    card = ModelCard(
        array=None if settings.any_array else TrainedArray.of(settings.load_array()),
        features=settings.features,
        grid=settings.train.grid,
        outputs=outputs,
        sha256=hashlib.sha256(content).hexdigest(),
        multi_source=settings.train.multi_source,
        input=find_architecture(settings.train.architecture).input,
        training={
            'architecture': architecture,
            'parameters': model.count_params(),
            'kind': kind,
            **facts,
            'validation': measurement.to_mapping(),
            'median_azimuth_difference_to_float32_deg': round(difference, 4),
            'simulate': settings.simulate.to_mapping(),
            'train': {**settings.train.to_mapping(), 'architecture': architecture},
        },
    )
    return ConvertedModel(content, card, measurement)
