# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of a classifier on stored features, through the interpreter that runs it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import decode_azimuth
from doa_ros.core.localization.spectrum import spectrum_type
from doa_ros.core.localization.tflite import TFLiteModel

from ..data.dataset import Dataset
from ..data.inputs import Inputs
from ..models.heads import trained_heads
from ..sections import TrainConfig


@dataclass(frozen=True)
class Measurement:
    """Errors over the voiced examples with a single source, all of them answered.

    Attributes:
        class_accuracy: share whose strongest azimuth class is the nearest one.
        within_10: share within 10 degrees of azimuth.
        azimuth_mae_deg, azimuth_median_deg, elevation_mae_deg: absolute errors [deg].
        azimuths: the decoded azimuth of each example [rad], shape (examples,).
        further: means of what `TrainedHead.errors` gives, by its name.
    """

    class_accuracy: float
    within_10: float
    azimuth_mae_deg: float
    azimuth_median_deg: float
    elevation_mae_deg: float
    azimuths: np.ndarray
    further: dict[str, float] = field(default_factory=dict)

    def to_mapping(self) -> dict[str, float]:
        """Return the errors, rounded for a card."""
        own = {name: value for name, value in asdict(self).items() if isinstance(value, float)}
        return {name: round(value, 4) for name, value in {**own, **self.further}.items()}


def measure_model(
    network: TFLiteModel,
    outputs: tuple[str, ...],
    config: TrainConfig,
    shards: Iterable[Dataset],
    inputs: Inputs,
) -> Measurement:
    """Run a network over the voiced examples with a single source.

    Args:
        network: the model.
        outputs: what each of its outputs is.
        config: says how many classes there are.
        shards: the examples.
        inputs: what the network is given of them.
    """
    step = 2 * np.pi / config.azimuth_classes
    decoded, errors, right, further = [], [], [], []
    for shard in shards:
        data = shard.select(shard.single)
        if len(data) == 0:
            continue
        results = [network(values) for values in inputs.of(data)]
        by_head = {
            name: np.stack(values).reshape(len(data), *config.heads[name])
            for name, values in zip(outputs, zip(*results, strict=True), strict=True)
        }
        true_azimuths = true_directions(data)[0].astype(float)
        nearest = np.rint(true_azimuths / step).astype(int) % config.azimuth_classes
        right.append(by_head['azimuth'].argmax(axis=1) == nearest)
        directions = decoded_directions(by_head, config)
        decoded.append(directions[0])
        errors.append(errors_deg(*directions, data))
        further.append(
            {
                name: error
                for head in trained_heads(config)
                for name, error in head.errors(by_head[head.name], data).items()
            }
        )
    azimuth_deg, elevation_deg = (np.concatenate(angle) for angle in zip(*errors, strict=True))
    return Measurement(
        class_accuracy=float(np.mean(np.concatenate(right))),
        within_10=float(np.mean(azimuth_deg <= 10)),
        azimuth_mae_deg=float(azimuth_deg.mean()),
        azimuth_median_deg=float(np.median(azimuth_deg)),
        elevation_mae_deg=float(np.nanmean(elevation_deg)),
        azimuths=np.concatenate(decoded),
        further={
            name: float(np.nanmean(np.concatenate([part[name] for part in further])))
            for name in further[0]
        },
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
    outputs: Mapping[str, np.ndarray], config: TrainConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Return the direction that each row of the outputs of a network is decoded to.

    Args:
        outputs: by the names of their heads, in their shapes after the axis of the rows.
        config: says which classes there are.

    Returns:
        Azimuth and elevation [rad], shape (rows,) each.
    """
    kind = spectrum_type(config.multi_source)
    found = []
    for azimuth, elevation in zip(outputs['azimuth'], outputs['elevation'], strict=True):
        spectrum = kind(azimuth, elevation, elevation_min=config.grid.elevation_min)
        strongest, *_ = decode_azimuth(azimuth)
        found.append((strongest, spectrum.elevation_at(strongest)[0]))
    azimuths, elevations = np.array(found).T
    return azimuths, elevations


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
