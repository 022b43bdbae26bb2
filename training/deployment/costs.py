# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a model costs: parameters, size, compressed size and latency; and what its features do."""

from dataclasses import dataclass
from pathlib import Path
import time
import zlib

import numpy as np

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.model_card import ModelCard, load_card
from doa_ros.core.localization.tflite import TFLiteModel

_RUNS, _WARM_UP = 1000, 50
# Of audio [s], of which the first is not counted.
_SECONDS = 11


@dataclass(frozen=True)
class Cost:
    """Of a .tflite file.

    Attributes:
        parameters: as its card says; None where it does not.
        size, compressed_size: of the file, and of the file compressed by zlib [bytes].
        latency: median time of an inference, one thread, with Python around it [s].
    """

    parameters: int | None
    size: int
    compressed_size: int
    latency: float


def measure_cost(model: Path) -> Cost:
    """Return what a .tflite file, with its card beside it, costs on this machine.

    Raises:
        ModelError: it is not usable.
    """
    card = load_card(model)
    return cost_of(model.read_bytes(), card)


def cost_of(content: bytes, card: ModelCard) -> Cost:
    """Return what the content of a .tflite file costs on this machine.

    Raises:
        ModelError: it is not usable.
    """
    return Cost(
        parameters=card.training.get('parameters'),
        size=len(content),
        compressed_size=compressed_size(content),
        latency=latency(TFLiteModel(content)),
    )


def compressed_size(content: bytes) -> int:
    """Return how many bytes are left of a file under zlib at its best."""
    return len(zlib.compress(content, 9))


def latency(network: TFLiteModel) -> float:
    """Return the median time of one inference [s]."""
    values = np.random.default_rng(0).uniform(-0.3, 0.3, network.input_shape).astype(np.float32)
    times = []
    for _ in range(_WARM_UP + _RUNS):
        start = time.perf_counter()
        network(values)
        times.append(time.perf_counter() - start)
    return float(np.median(times[_WARM_UP:]))


def feature_cost(array: MicArray, config: FeatureConfig) -> float:
    """Return the CPU time of the features per second of audio, pushed hop by hop."""
    hop = round(config.hop * array.sampling_frequency)
    shape = round(_SECONDS / config.hop), hop, len(array.positions)
    blocks = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    extractor = FeatureExtractor(array, config)
    settled = round(1 / config.hop)
    for number, block in enumerate(blocks):
        if number == settled:
            start = time.process_time()
        extractor.push(number * hop, block)
    return (time.process_time() - start) / (config.hop * (len(blocks) - settled))
