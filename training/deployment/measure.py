# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of a classifier on stored features, through the interpreter that runs it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.classifier import network_input
from doa_ros.core.localization.decoding import decode_azimuth, decode_elevation, elevation_classes
from doa_ros.core.localization.tflite import TFLiteModel

from ..data.dataset import Dataset
from ..settings import TrainConfig


@dataclass(frozen=True)
class Measurement:
    """Errors over the voiced examples with a single source, all of them answered.

    Attributes:
        class_accuracy: share whose strongest azimuth class is the nearest one.
        within_10: share within 10 degrees of azimuth.
        azimuth_mae_deg, azimuth_median_deg, elevation_mae_deg: absolute errors [deg].
        strongest: the strongest azimuth class of each example, shape (examples,).
    """

    class_accuracy: float
    within_10: float
    azimuth_mae_deg: float
    azimuth_median_deg: float
    elevation_mae_deg: float
    strongest: np.ndarray

    def to_mapping(self) -> dict[str, float]:
        """Return the errors, rounded for a card."""
        values = asdict(self)
        return {name: round(value, 4) for name, value in values.items() if name != 'strongest'}


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
    strongest, nearest, azimuth_deg, elevation_deg = [], [], [], []
    for shard in shards:
        data = shard.rows(shard.single)
        if len(data) == 0:
            continue
        results = [network(values) for values in network_input(data.gcc.astype(np.float32))]
        probabilities = dict(zip(outputs, zip(*results, strict=True), strict=True))
        shape = config.heads['elevation']
        elevations = [values.reshape(shape) for values in probabilities['elevation']]
        strongest += [int(values.argmax()) for values in probabilities['azimuth']]
        azimuths, _ = true_directions(data)
        nearest += [round(float(a) / step) % config.azimuth_classes for a in azimuths]
        errors = errors_deg(probabilities['azimuth'], elevations, data, config.grid.elevation_min)
        azimuth_deg.append(errors[0])
        elevation_deg.append(errors[1])
    azimuth_deg, elevation_deg = np.concatenate(azimuth_deg), np.concatenate(elevation_deg)
    return Measurement(
        class_accuracy=float(np.mean(np.equal(strongest, nearest))),
        within_10=float(np.mean(azimuth_deg <= 10)),
        azimuth_mae_deg=float(azimuth_deg.mean()),
        azimuth_median_deg=float(np.median(azimuth_deg)),
        elevation_mae_deg=float(np.nanmean(elevation_deg)),
        strongest=np.array(strongest),
    )


def agreement(measurement: Measurement, exact: Measurement) -> float:
    """Return the share of the examples in which both have the same strongest azimuth class."""
    return float(np.mean(measurement.strongest == exact.strongest))


def true_directions(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return azimuth and elevation [rad] of the one voiced source of each row, shape (rows,)."""
    source = data.voiced.argmax(axis=1)[:, None]
    azimuth, elevation = (
        np.take_along_axis(angles, source, axis=1)[:, 0]
        for angles in (data.azimuth, data.elevation)
    )
    return azimuth, elevation


def errors_deg(
    azimuth, elevation, data: Dataset, elevation_min: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far decoded directions are off.

    Args:
        azimuth, elevation: probabilities of the classes, per row as in `Spectrum`.
        data: the examples, each with one voiced source.
        elevation_min: that of the first elevation class [rad].

    Returns:
        Absolute errors of azimuth and elevation [deg], shape (rows,) each; NaN where the
        elevation is not known.
    """
    true_azimuth, true_elevation = true_directions(data)
    azimuths = np.array([decode_azimuth(values)[0] for values in azimuth])
    elevations = np.array(
        [
            decode_elevation(elevation_classes(values, angle), elevation_min)[0]
            for values, angle in zip(elevation, azimuths, strict=True)
        ]
    )
    return (
        np.degrees(np.abs(wrap_angle(azimuths - true_azimuth))),
        np.degrees(np.abs(elevations - true_elevation)),
    )
