# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a model costs: parameters, size, compressed size and latency.

And what its features cost, and the separation of tracks.
"""

from collections.abc import Callable
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
from doa_ros.core.separation.config import SeparationConfig
from doa_ros.core.separation.separator import SourceSeparator
from doa_ros.core.tracking.track import Track

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
    extractor = FeatureExtractor(array, config)
    return _cost_per_second(array, config.hop, extractor.push)


def separation_cost(array: MicArray, tracks: int) -> float:
    """Return the CPU time of the separation of some tracks per second of audio."""
    separator = SourceSeparator(array, SeparationConfig(hold_time=60.0))
    separator.update(0, [steady_track(k + 1, float(k), 0.0) for k in range(tracks)])
    return _cost_per_second(array, FeatureConfig.hop, separator.push)


def steady_track(number: int, azimuth: float, elevation: float) -> Track:
    """Return a confirmed track that is known exactly, and does not move.

    Args:
        number: its id.
        azimuth, elevation: [rad].
    """
    return Track(
        id=number,
        azimuth=azimuth,
        elevation=elevation,
        azimuth_rate=0.0,
        elevation_rate=0.0,
        azimuth_stddev=0.0,
        elevation_stddev=0.0,
        azimuth_rate_stddev=0.0,
        elevation_rate_stddev=0.0,
        confidence=1.0,
        age=0.0,
        confirmed=True,
        predicted=False,
    )


def _cost_per_second(
    array: MicArray, hop: float, push: Callable[[int, np.ndarray], object]
) -> float:
    """Return the CPU time of pushing noise hop by hop [s], per second of it."""
    samples = round(hop * array.sampling_frequency)
    shape = round(_SECONDS / hop), samples, len(array.positions)
    blocks = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    settled = round(1 / hop)
    for number, block in enumerate(blocks):
        if number == settled:
            start = time.process_time()
        push(number * samples, block)
    return (time.process_time() - start) / (hop * (len(blocks) - settled))
