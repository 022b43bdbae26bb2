# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What networks are given of labelled features."""

from abc import ABC, abstractmethod
from dataclasses import replace
import math

import numpy as np

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.errors import ConfigError
from doa_ros.core.features import feature_type_of
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.steered_response import SteeredResponse, response_grid
from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.core.localization.network_input import NETWORK_INPUTS, ResponseMap
from doa_ros.core.localization.trained_array import ANY_ARRAY
from doa_ros.core.symmetry import symmetries

from ..sections import TrainConfig
from ..settings import Settings
from .dataset import Dataset

MAP_GRID = response_grid(SteeredResponse.grid.azimuth_count, -math.pi / 2)
"""The directions of maps of any array."""

# Where microphones are dead, the same may be drawn twice: one or two are.
_MOST_DEAD = 2


class Inputs(ABC):
    """What a network is given of the rows of a data set.

    Attributes:
        shape: of the input of a row.
    """

    shape: tuple[int, int]

    @abstractmethod
    def of(self, data: Dataset) -> np.ndarray:
        """Return the inputs, shape (rows, *shape), float32."""

    def clarity(self, data: Dataset) -> np.ndarray:
        """Return how clear the peaks of the rows are, shape (rows,)."""
        return data.features.max(axis=2).mean(axis=1, dtype=np.float32)

    @abstractmethod
    def varied(self, data: Dataset, rng: np.random.Generator) -> tuple[np.ndarray, Dataset]:
        """Return inputs of what might be heard as well, and the rows with its labels.

        Args:
            data: the rows.
            rng: chooses what is changed in each.
        """


class ArrayInputs(Inputs):
    """Those of features of one array.

    They are varied by the symmetries of the array and by dead microphones, as the settings say.

    Args:
        array: the microphones.
        features: the settings of its features.
        config: of the training.
        kind: what the network takes, a name of NETWORK_INPUTS.
    """

    def __init__(self, array: MicArray, features: FeatureConfig, config: TrainConfig, kind: str):
        self._feature_type = feature_type_of(array, features)
        self._input = NETWORK_INPUTS[kind](self._feature_type, config.grid)
        self._steered: SteeredResponse | None = None
        if self._input.needs_response:
            self._steered = SteeredResponse(self._feature_type, config.azimuth_classes)
        self.shape = self._input.shape
        self._dead_microphones = config.dead_microphones
        self._symmetries = symmetries(array)[: None if config.symmetries else 1]
        self._index = np.stack([self._feature_type.turned_index(s) for s in self._symmetries])
        self._ambiguity = ambiguity_of(array)

    def of(self, data: Dataset) -> np.ndarray:
        """Return the inputs, shape (rows, *shape), float32."""
        return self._of(data.features.astype(np.float32))

    def _of(self, features: np.ndarray) -> np.ndarray:
        response = None if self._steered is None else self._steered.response(features)
        return self._input.of(features, response)

    def varied(self, data: Dataset, rng: np.random.Generator) -> tuple[np.ndarray, Dataset]:
        """Return inputs of what might be heard as well, and the rows with its labels."""
        features = data.features.astype(np.float32)
        if len(self._symmetries) > 1:
            chosen = rng.integers(len(self._symmetries), size=len(features))
            flat = np.take_along_axis(
                features.reshape(len(features), -1), self._index[chosen], axis=1
            )
            features = flat.reshape(features.shape)
            sign = np.array([-1.0 if s.mirrored else 1.0 for s in self._symmetries])[chosen]
            turn = np.array([s.rotation for s in self._symmetries])[chosen]
            azimuth, elevation = self._ambiguity.fold(
                data.azimuth * sign[:, None] + turn[:, None], data.elevation
            )
            data = replace(data, azimuth=azimuth, elevation=elevation)
        if self._dead_microphones:
            features *= ~self._feature_type.dead_values(self._dead(len(features), rng))
        return self._of(features), data

    def _dead(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return which microphones are dead in some of the rows, shape (rows, microphones)."""
        count = len(self._feature_type.array.positions)
        dead = np.zeros((rows, count), dtype=bool)
        some = rng.random(rows) < self._dead_microphones
        for _ in range(_MOST_DEAD):
            dead[np.arange(rows), rng.integers(count, size=rows)] |= some
        return dead


class StoredMaps(Inputs):
    """Those of a data set of maps, each of another array.

    They are varied by turning them about the vertical and by mirroring: that is the same scene,
    heard by a turned or mirrored array.

    Args:
        config: of the training.

    Raises:
        ConfigError: its classes are not those of the maps.
    """

    def __init__(self, config: TrainConfig):
        if (config.azimuth_classes, config.grid.elevation_min) != (
            MAP_GRID.azimuth_count,
            MAP_GRID.elevation_min,
        ):
            raise ConfigError(
                f'with array {ANY_ARRAY}, azimuth_classes has to be {MAP_GRID.azimuth_count} and '
                'elevation_min_deg -90'
            )
        if config.dead_microphones:
            raise ConfigError(
                f'with array {ANY_ARRAY}, dead_microphones has to be 0: an array without some of '
                'its microphones is another one'
            )
        self.shape = MAP_GRID.azimuth_count, MAP_GRID.elevation_count
        self._turned = config.symmetries

    def of(self, data: Dataset) -> np.ndarray:
        """Return the maps, shape (rows, *shape), float32."""
        return data.features.astype(np.float32)

    def clarity(self, data: Dataset) -> np.ndarray:
        """Return how high the peaks of the maps are, shape (rows,)."""
        return data.features.max(axis=(1, 2))

    def varied(self, data: Dataset, rng: np.random.Generator) -> tuple[np.ndarray, Dataset]:
        """Return maps of what might be heard as well, and the rows with its labels."""
        maps = self.of(data)
        if not self._turned:
            return maps, data
        count, _ = self.shape
        turns = rng.integers(count, size=(len(maps), 1))
        signs = rng.choice([-1, 1], size=(len(maps), 1))
        sources = signs * (np.arange(count) - turns) % count
        maps = np.take_along_axis(maps, sources[:, :, None], axis=1)
        azimuth = wrap_angle(signs * data.azimuth + turns * MAP_GRID.azimuth_step)
        return maps, replace(data, azimuth=azimuth)


def as_maps(data: Dataset, array: MicArray, features: FeatureConfig) -> Dataset:
    """Return features of an array as the maps that a data set of any arrays holds.

    Args:
        data: the features.
        array: the microphones.
        features: their settings.
    """
    config = TrainConfig(
        azimuth_classes=MAP_GRID.azimuth_count,
        elevation_min_deg=math.degrees(MAP_GRID.elevation_min),
        symmetries=False,
    )
    maps = ArrayInputs(array, features, config, ResponseMap.name).of(data)
    return replace(data, features=maps.astype(np.float16))


def inputs_for(settings: Settings, kind: str) -> Inputs:
    """Return what a network of these settings is given.

    Args:
        settings: of the model.
        kind: what the network takes, a name of NETWORK_INPUTS.

    Raises:
        ConfigError: the array is not usable, or the settings do not suit networks for any array.
    """
    if not settings.any_array:
        return ArrayInputs(settings.load_array(), settings.features, settings.train, kind)
    if kind != ResponseMap.name:
        raise ConfigError(
            f'with array {ANY_ARRAY}, the architecture has to take input {ResponseMap.name}, '
            f'not {kind}'
        )
    return StoredMaps(settings.train)
