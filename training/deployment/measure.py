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
from ..sections import TrainConfig


@dataclass(frozen=True)
class Measurement:
    """Errors over the voiced examples with a single source, all of them answered.

    Attributes:
        class_accuracy: share whose strongest azimuth class is the nearest one.
        within_10: share within 10 degrees of azimuth.
        azimuth_mae_deg, azimuth_median_deg, elevation_mae_deg: absolute errors [deg].
        azimuths: the decoded azimuth of each example [rad], shape (examples,).
    """

    class_accuracy: float
    within_10: float
    azimuth_mae_deg: float
    azimuth_median_deg: float
    elevation_mae_deg: float
    azimuths: np.ndarray

    def to_mapping(self) -> dict[str, float]:
        """Return the errors, rounded for a card."""
        values = asdict(self)
        return {name: round(value, 4) for name, value in values.items() if name != 'azimuths'}


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
    decoded, errors, right = [], [], []
    for shard in shards:
        data = shard.select(shard.single)
        if len(data) == 0:
            continue
        results = [network(values) for values in network_input(data.features.astype(np.float32))]
        by_head = dict(zip(outputs, map(np.stack, zip(*results, strict=True)), strict=True))
        azimuth = by_head['azimuth']
        elevation = by_head['elevation'].reshape(len(data), *config.heads['elevation'])
        true_azimuths = true_directions(data)[0].astype(float)
        nearest = np.rint(true_azimuths / step).astype(int) % config.azimuth_classes
        right.append(azimuth.argmax(axis=1) == nearest)
        directions = decoded_directions(azimuth, elevation, config.grid.elevation_min)
        decoded.append(directions[0])
        errors.append(errors_deg(*directions, data))
    azimuth_deg, elevation_deg = (np.concatenate(angle) for angle in zip(*errors, strict=True))
    return Measurement(
        class_accuracy=float(np.mean(np.concatenate(right))),
        within_10=float(np.mean(azimuth_deg <= 10)),
        azimuth_mae_deg=float(azimuth_deg.mean()),
        azimuth_median_deg=float(np.median(azimuth_deg)),
        elevation_mae_deg=float(np.nanmean(elevation_deg)),
        azimuths=np.concatenate(decoded),
    )


def azimuth_difference_deg(measurement: Measurement, exact: Measurement) -> float:
    """Return the median difference of the decoded azimuths of the same examples [deg]."""
    difference = wrap_angle(measurement.azimuths - exact.azimuths)
    return float(np.degrees(np.median(np.abs(difference))))


def true_directions(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return azimuth and elevation [rad] of the one voiced source of each row, shape (rows,)."""
    source = data.voiced.argmax(axis=1)[:, None]
    azimuth, elevation = (
        np.take_along_axis(angles, source, axis=1)[:, 0]
        for angles in (data.azimuth, data.elevation)
    )
    return azimuth, elevation


def decoded_directions(
    azimuth: np.ndarray, elevation: np.ndarray, elevation_min: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the direction that each row of class probabilities is decoded to.

    Args:
        azimuth, elevation: probabilities of the classes, per row as in `Spectrum`.
        elevation_min: that of the first elevation class [rad].

    Returns:
        Azimuth and elevation [rad], shape (rows,) each.
    """
    azimuths = [decode_azimuth(values)[0] for values in azimuth]
    elevations = [
        decode_elevation(elevation_classes(values, angle), elevation_min)[0]
        for values, angle in zip(elevation, azimuths, strict=True)
    ]
    return np.array(azimuths), np.array(elevations)


def errors_deg(
    azimuths: np.ndarray, elevations: np.ndarray, data: Dataset
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far decoded directions are off.

    Args:
        azimuths, elevations: the directions [rad], shape (rows,).
        data: the examples, each with one voiced source.

    Returns:
        Absolute errors of azimuth and elevation [deg], shape (rows,) each; NaN where the
        elevation is not known.
    """
    true_azimuths, true_elevations = true_directions(data)
    return (
        np.degrees(np.abs(wrap_angle(azimuths - true_azimuths))),
        np.degrees(np.abs(elevations - true_elevations)),
    )
