# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How networks learn their outputs: the layers, targets, loss, weight and errors of each head.

What the outputs are at run time is in doa_ros/core/localization/output_heads.py, under the same
names. A new head is a class there and one here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
import math
from typing import Any, ClassVar

from keras import layers
import numpy as np

from doa_ros.core.localization.output_heads import OUTPUT_HEADS

from ..data.dataset import Dataset
from ..sections import TrainConfig


class SourceClasses:
    """The sources of labelled features as von Mises bumps on the direction classes.

    Args:
        data: the features.
        config: says which classes there are, and how wide the bumps are.

    Attributes:
        data, config: as given.
    """

    def __init__(self, data: Dataset, config: TrainConfig):
        self.data, self.config = data, config

    @cached_property
    def azimuth(self) -> np.ndarray:
        """Bump of each source, 0 without one, shape (rows, sources, azimuths), float32."""
        return self._bumps(self.data.azimuth, self.config.grid.azimuths)

    @cached_property
    def elevation(self) -> np.ndarray:
        """The same of the elevations, shape (rows, sources, elevations)."""
        return self._bumps(self.data.elevation, self.config.grid.elevations)

    @cached_property
    def heard(self) -> np.ndarray:
        """Whether any source is heard, shape (rows,)."""
        return np.any(self.data.voiced, axis=1)

    @property
    def directed(self) -> np.ndarray:
        """Which rows teach directions, shape (rows,); silence may count in the activity alone."""
        silence_too = 'activity' not in self.config.outputs or self.config.multi_source
        return self.heard | silence_too

    def _bumps(self, angles: np.ndarray, centres: np.ndarray) -> np.ndarray:
        cosine = np.cos(angles[:, :, None] - centres)
        cosine = np.where(self.data.voiced[:, :, None], np.nan_to_num(cosine, nan=-1.0), -np.inf)
        if self.config.kappa > 0:
            return np.exp(self.config.kappa * (cosine - 1)).astype(np.float32)
        nearest = cosine == cosine.max(axis=2, keepdims=True)
        return np.where(nearest & np.isfinite(cosine), 1.0, 0.0).astype(np.float32)


class TrainedHead(ABC):
    """How a network learns one of its outputs.

    Attributes:
        name: that of the head in OUTPUT_HEADS.
        weight: of its loss in the sum of all.
    """

    name: ClassVar[str]
    weight: ClassVar[float] = 1.0

    def shape(self, config: TrainConfig) -> tuple[int, ...]:
        """Return the shape of the output."""
        return OUTPUT_HEADS[self.name].shape(config.grid, multi_source=config.multi_source)

    @abstractmethod
    def activation(self, config: TrainConfig) -> str:
        """Return the activation of the last layer, by its name in Keras."""

    @abstractmethod
    def loss(self, config: TrainConfig) -> str:
        """Return the loss, by its name in Keras."""

    @abstractmethod
    def targets(self, sources: SourceClasses) -> tuple[np.ndarray, np.ndarray]:
        """Return what the network should give for labelled features, and how much that counts.

        Returns:
            Targets, shape (rows, *shape of the head), and weights, the same without the last axis;
            both float32.
        """

    def from_features(self, x: Any, config: TrainConfig) -> Any:
        """Return the output as a Keras tensor.

        Args:
            x: of the network, shape (features,).
            config: says how many classes there are.
        """
        shape = self.shape(config)
        if len(shape) == 1:
            return layers.Dense(*shape, activation=self.activation(config), name=self.name)(x)
        x = layers.Reshape(shape)(layers.Dense(math.prod(shape))(x))
        return layers.Activation(self.activation(config), name=self.name)(x)

    def from_map(self, x: Any, config: TrainConfig, units: int) -> Any | None:
        """Return the output as a Keras tensor; None where it has no place on the map.

        Args:
            x: of the network, a map over the azimuths, shape (1, azimuths, features).
            config: says how many classes there are.
            units: of a dense layer before the output.
        """
        return None

    def errors(self, values: np.ndarray, data: Dataset) -> Mapping[str, np.ndarray]:
        """Return errors to show in tables and cards, by their names; none by default.

        Args:
            values: the output, shape (rows, *shape of the head).
            data: labelled features with one voiced source per row.

        Returns:
            An error per row, shape (rows,); NaN where the truth is not known.
        """
        return {}


class TrainedAzimuth(TrainedHead):
    """Azimuth classes: those of a single source sum to 1; those of several are independent."""

    name = 'azimuth'

    def activation(self, config: TrainConfig) -> str:
        """Return that of independent or of exclusive classes."""
        return 'sigmoid' if config.multi_source else 'softmax'

    def loss(self, config: TrainConfig) -> str:
        """Return the cross-entropy of independent or of exclusive classes."""
        return 'binary_crossentropy' if config.multi_source else 'categorical_crossentropy'

    def targets(self, sources: SourceClasses) -> tuple[np.ndarray, np.ndarray]:
        """Return the bumps; of a single source silence is flat, of several it is 0."""
        weights = sources.directed.astype(np.float32)
        if sources.config.multi_source:
            return sources.azimuth.max(axis=1), weights
        return _shares(sources.azimuth.sum(axis=1)), weights

    def from_map(self, x: Any, config: TrainConfig, units: int) -> Any:
        """Return the columns of the map, one per class."""
        x = layers.Conv2D(1, (1, 1))(x)
        x = layers.Reshape(self.shape(config))(x)
        return layers.Activation(self.activation(config), name=self.name)(x)


class TrainedElevation(TrainedHead):
    """Elevation classes, which sum to 1; of several sources, at each azimuth class."""

    name = 'elevation'

    def activation(self, config: TrainConfig) -> str:
        """Return that of exclusive classes."""
        return 'softmax'

    def loss(self, config: TrainConfig) -> str:
        """Return the cross-entropy of exclusive classes."""
        return 'categorical_crossentropy'

    def targets(self, sources: SourceClasses) -> tuple[np.ndarray, np.ndarray]:
        """Return the bumps, of several sources that of the nearest one at each azimuth class.

        What is not known does not count, and of several sources nothing where there is none.
        """
        data = sources.data
        unknown = (data.voiced & np.isnan(data.elevation)).any(axis=1)
        known = (sources.directed & ~unknown).astype(np.float32)
        if not sources.config.multi_source:
            return _shares(sources.elevation.sum(axis=1)), known
        nearest = sources.azimuth.argmax(axis=1)[:, :, None]
        of_class = np.take_along_axis(sources.elevation, nearest, axis=1)
        return _shares(of_class), known[:, None] * sources.azimuth.max(axis=1)

    def from_map(self, x: Any, config: TrainConfig, units: int) -> Any | None:
        """Return, of several sources, those at each column of the map."""
        if not config.multi_source:
            return None
        x = layers.Conv2D(units, (1, 1), activation='relu')(x)
        x = layers.Conv2D(config.elevation_classes, (1, 1))(x)
        x = layers.Reshape(self.shape(config))(x)
        return layers.Activation(self.activation(config), name=self.name)(x)


class TrainedActivity(TrainedHead):
    """Whether there is a source at all."""

    name = 'activity'

    def activation(self, config: TrainConfig) -> str:
        """Return that of a probability."""
        return 'sigmoid'

    def loss(self, config: TrainConfig) -> str:
        """Return the cross-entropy."""
        return 'binary_crossentropy'

    def targets(self, sources: SourceClasses) -> tuple[np.ndarray, np.ndarray]:
        """Return 1 where a source is heard, and 0 in silence."""
        heard = sources.heard[:, None].astype(np.float32)
        return heard, np.ones(len(heard), np.float32)


TRAINED_HEADS: dict[str, TrainedHead] = {
    head.name: head for head in (TrainedAzimuth(), TrainedElevation(), TrainedActivity())
}
"""All heads that can be learnt, by their names."""


def trained_heads(config: TrainConfig) -> list[TrainedHead]:
    """Return the heads of the settings, in the order of the network's outputs."""
    return [TRAINED_HEADS[name] for name in config.outputs]


def losses(config: TrainConfig) -> list[str]:
    """Return the loss of each head."""
    return [head.loss(config) for head in trained_heads(config)]


def loss_weights(config: TrainConfig) -> list[float]:
    """Return the weight of each head's loss."""
    return [head.weight for head in trained_heads(config)]


def head_targets(
    data: Dataset, config: TrainConfig
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Return the targets of every head and the weights of the rows in each."""
    sources = SourceClasses(data, config)
    targets, weights = zip(*(head.targets(sources) for head in trained_heads(config)), strict=True)
    return targets, weights


def _shares(heights: np.ndarray) -> np.ndarray:
    """Return the heights of classes as shares of 1, flat where there is nothing."""
    total = heights.sum(axis=-1, keepdims=True)
    shares = heights / np.maximum(total, 1e-12)
    return np.where(total > 0, shares, np.float32(1 / heights.shape[-1])).astype(np.float32)
