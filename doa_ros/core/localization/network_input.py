# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What networks take of the features of a window, at run time and in training alike."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.features.feature_type import FeatureType
from doa_ros.core.features.steered_response import response_grid


class NetworkInput(ABC):
    """The input of a network for features of one type, and so of one array.

    Attributes:
        name: in the cards and descriptions of networks.
        axes: of the input, for people.
        needs_response: whether it is made of the steered response.
        shape: of the input of a window.

    Args:
        feature_type: of the features.
        grid: the classes of the network.
    """

    name: ClassVar[str]
    axes: ClassVar[str]
    needs_response: ClassVar[bool]
    shape: tuple[int, int]

    @abstractmethod
    def __init__(self, feature_type: FeatureType, grid: DirectionGrid): ...

    @abstractmethod
    def of(self, features: np.ndarray, response: np.ndarray | None) -> np.ndarray:
        """Return the input for features.

        Args:
            features: shape (..., channels, columns).
            response: what `SteeredResponse` makes of them at the azimuths of the grid, shape (...,
                rows, azimuths); None where it is not needed.

        Returns:
            Shape (..., columns, channels), of which the last two are `shape`.
        """


class Taps(NetworkInput):
    """The features as they are; those of GCC-PHAT are delay taps of pairs."""

    name = 'taps'
    axes = 'columns, channels'
    needs_response = False

    def __init__(self, feature_type: FeatureType, grid: DirectionGrid):
        self.shape = feature_type.shape[::-1]

    def of(self, features: np.ndarray, response: np.ndarray | None = None) -> np.ndarray:
        """Return the features, columns first."""
        return np.swapaxes(features, -1, -2)


class ResponseMap(NetworkInput):
    """The steered response as a map over direction, which does not say of which array it is.

    Elevations are 10 degrees apart and reach as far down as the classes of the network. Directions
    that are no answers of the array, such as all below a flat one, are 0.
    """

    name = 'map'
    axes = 'azimuths, elevations'
    needs_response = True

    def __init__(self, feature_type: FeatureType, grid: DirectionGrid):
        elevation_min = ambiguity_of(feature_type.array).elevation_min
        rows = response_grid(grid.azimuth_count, elevation_min).elevation_count
        wanted = response_grid(grid.azimuth_count, grid.elevation_min).elevation_count
        self._below = wanted - rows
        self.shape = grid.azimuth_count, wanted

    def of(self, features: np.ndarray, response: np.ndarray | None) -> np.ndarray:
        """Return the response of the living microphones: an array without the others."""
        assert response is not None
        living = np.count_nonzero(features.any(axis=-1), axis=-1)[..., None, None]
        scale = np.float32(features.shape[-2]) / np.maximum(living, 1).astype(np.float32)
        shown = np.swapaxes(np.where(np.isfinite(response), response, 0) * scale, -1, -2)
        return np.pad(shown, [(0, 0)] * (shown.ndim - 1) + [(self._below, 0)])


NETWORK_INPUTS: dict[str, type[NetworkInput]] = {kind.name: kind for kind in (Taps, ResponseMap)}
"""All kinds of input, by their names."""
