# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of a classifier on stored features, through the interpreter that runs it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
import time

import numpy as np

from doa_ros.core.classifier import network_input
from doa_ros.core.decoding import decode_azimuth, decode_elevation
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.tflite import TFLiteModel

from .dataset import Dataset
from .settings import TrainConfig


@dataclass(frozen=True)
class Measurement:
    """Errors over the voiced examples with a single source, all of them answered.

    Attributes:
        class_accuracy: share whose strongest azimuth class is the nearest one.
        within_10: share within 10 degrees of azimuth.
        azimuth_mae_deg, azimuth_median_deg, elevation_mae_deg: absolute errors [deg].
        latency_us: median time of one inference on this machine, one thread [us].
        strongest: the strongest azimuth class of each example, shape (examples,).
    """

    class_accuracy: float
    within_10: float
    azimuth_mae_deg: float
    azimuth_median_deg: float
    elevation_mae_deg: float
    latency_us: float
    strongest: np.ndarray

    def to_mapping(self) -> dict[str, float]:
        """Return the values that do not depend on the machine, rounded for a card."""
        values = asdict(self)
        return {
            name: round(value, 4)
            for name, value in values.items()
            if name not in ('latency_us', 'strongest')
        }


def measure_model(
    network: TFLiteModel, outputs: tuple[str, ...], config: TrainConfig, shards: Iterable[Dataset]
) -> Measurement:
    """Run a network over the voiced examples with a single source.

    Args:
        network: the model.
        outputs: what each of its outputs is.
        config: says how many classes there are.
        shards: the examples.
    """
    step = 2 * np.pi / config.azimuth_classes
    strongest, nearest, azimuth_errors, elevation_errors, times = [], [], [], [], []
    for shard in shards:
        data = shard.rows(shard.single)
        source = data.voiced.argmax(axis=1)[:, None]
        azimuths = np.take_along_axis(data.azimuth, source, axis=1)[:, 0]
        elevations = np.take_along_axis(data.elevation, source, axis=1)[:, 0]
        inputs = network_input(data.gcc.astype(np.float32))
        for values, azimuth, elevation in zip(inputs, azimuths, elevations, strict=True):
            start = time.perf_counter()
            result = dict(zip(outputs, network(values), strict=True))
            times.append(time.perf_counter() - start)
            strongest.append(int(result['azimuth'].argmax()))
            nearest.append(round(float(azimuth) / step) % config.azimuth_classes)
            azimuth_errors.append(abs(wrap_angle(decode_azimuth(result['azimuth'])[0] - azimuth)))
            elevation_errors.append(abs(decode_elevation(result['elevation'])[0] - elevation))
    azimuth_deg, elevation_deg = np.degrees(azimuth_errors), np.degrees(elevation_errors)
    return Measurement(
        class_accuracy=float(np.mean(np.equal(strongest, nearest))),
        within_10=float(np.mean(azimuth_deg <= 10)),
        azimuth_mae_deg=float(azimuth_deg.mean()),
        azimuth_median_deg=float(np.median(azimuth_deg)),
        elevation_mae_deg=float(np.nanmean(elevation_deg)),
        latency_us=float(np.median(times) * 1e6),
        strongest=np.array(strongest),
    )
