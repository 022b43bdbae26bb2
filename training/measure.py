# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of a classifier on stored features, through the interpreter that runs it."""

from dataclasses import asdict, dataclass
import time

import numpy as np

from doa_ros.core.classifier import network_input
from doa_ros.core.decoding import decode_azimuth, decode_elevation
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.tflite import TFLiteModel

from .dataset import Dataset
from .settings import Settings


@dataclass(frozen=True)
class Measurement:
    """Errors over the voiced examples, all of them answered.

    Attributes:
        class_accuracy: share whose strongest azimuth class is the nearest one.
        within_10: share within 10 degrees of azimuth.
        azimuth_mae_deg, azimuth_median_deg, elevation_mae_deg: absolute errors [deg].
        latency_us: median time of one inference on this machine, one thread [us].
    """

    class_accuracy: float
    within_10: float
    azimuth_mae_deg: float
    azimuth_median_deg: float
    elevation_mae_deg: float
    latency_us: float

    def to_mapping(self) -> dict[str, float]:
        """Return the values that do not depend on the machine, rounded for a card."""
        values = asdict(self)
        del values['latency_us']
        return {name: round(value, 4) for name, value in values.items()}


def measure_model(
    network: TFLiteModel, outputs: tuple[str, ...], settings: Settings, data: Dataset
) -> Measurement:
    """Run a network over the voiced examples of a data set.

    Args:
        network: the model.
        outputs: what each of its outputs is.
        settings: it was made with.
        data: the examples.
    """
    voiced = data.rows(data.voiced)
    inputs = network_input(voiced.gcc.astype(np.float32))
    step = 2 * np.pi / settings.train.azimuth_classes
    hits, azimuth_errors, elevation_errors, times = [], [], [], []
    for values, azimuth, elevation in zip(inputs, voiced.azimuth, voiced.elevation, strict=True):
        start = time.perf_counter()
        result = dict(zip(outputs, network(values), strict=True))
        times.append(time.perf_counter() - start)
        nearest = round(float(azimuth) / step) % settings.train.azimuth_classes
        hits.append(int(result['azimuth'].argmax()) == nearest)
        azimuth_errors.append(abs(wrap_angle(decode_azimuth(result['azimuth'])[0] - azimuth)))
        elevation_errors.append(abs(decode_elevation(result['elevation'])[0] - elevation))
    azimuth_deg, elevation_deg = np.degrees(azimuth_errors), np.degrees(elevation_errors)
    return Measurement(
        class_accuracy=float(np.mean(hits)),
        within_10=float(np.mean(azimuth_deg <= 10)),
        azimuth_mae_deg=float(azimuth_deg.mean()),
        azimuth_median_deg=float(np.median(azimuth_deg)),
        elevation_mae_deg=float(elevation_deg.mean()),
        latency_us=float(np.median(times) * 1e6),
    )
