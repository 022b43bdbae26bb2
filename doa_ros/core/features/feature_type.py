# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a feature type says of itself.

The features of every type are an image of channels and columns; those of GCC-PHAT are pairs and
lags. A new type is a class in this folder, named in its __init__.py. Here louder frequencies count
more:

    class WeightedGccPhat(GccPhat):
        name = 'weighted_gcc_phat'

        def cross_spectra(self, spectra, weight):
            level = np.abs(spectra).mean(axis=0)
            return super().cross_spectra(spectra, weight * level / max(level.max(), 1e-9))

    FEATURE_TYPE = WeightedGccPhat

Training data, networks and estimates are then made of such features.
"""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import ClassVar

import numpy as np

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.spectra import BandSpectra
from doa_ros.core.geometry import MicArray
from doa_ros.core.symmetry import Symmetry


class FeatureType(ABC):
    """A feature type, for one array and one stream.

    An object may learn from the sound of its stream; the next stream has another object.

    Attributes:
        name: for people.
        array, config: as given.

    Args:
        array: the microphones.
        config: the settings.

    Raises:
        ConfigError: the settings do not fit the array.
    """

    name: ClassVar[str]

    def __init__(self, array: MicArray, config: FeatureConfig):
        self.array, self.config = array, config

    @cached_property
    def frequencies(self) -> np.ndarray:
        """Those of the bins of all spectra [Hz], shape (bins,)."""
        return BandSpectra.of_features(self.config, self.array.sampling_frequency).frequencies

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Shape of the features of a window, (channels, columns)."""

    @classmethod
    def stored_columns(cls, config: FeatureConfig, stored: FeatureConfig) -> slice:
        """Return which columns of stored features are those of other settings.

        Args:
            config: the settings asked for.
            stored: those of the stored features.

        Raises:
            ConfigError: the stored features do not hold them.
        """
        if config != stored:
            raise ConfigError(f'{cls.name} has to be stored with the settings it is used with')
        return slice(None)

    @abstractmethod
    def cross_spectra(self, spectra: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return the weighted cross-spectra of a window, which are then averaged.

        Args:
            spectra: of the microphones, 0 of dead ones, shape (microphones, bins), complex64.
            weight: of the bins, the smaller the nearer their power is to the noise floor, 0..1,
                shape (bins,), float32.

        Returns:
            Shape (pairs, bins), complex64; the next call may overwrite it.
        """

    @abstractmethod
    def features(self, cross_spectra: np.ndarray, weight: float) -> np.ndarray:
        """Return the features of averaged cross-spectra, shape (channels, columns), float32.

        Args:
            cross_spectra: sums of what the method of that name returns.
            weight: the sum of the weights of all bins in them.

        Returns:
            Values in -1..1, but for rounding.
        """

    @abstractmethod
    def steering_matrix(self, directions: np.ndarray) -> np.ndarray:
        """Return the matrix from flattened features to the steered response.

        Args:
            directions: unit vectors, shape (directions, 3).

        Returns:
            Shape (directions, channels * columns), float32.
        """

    @abstractmethod
    def turned_index(self, symmetry: Symmetry) -> np.ndarray:
        """Return the index that turns flattened features as a symmetry turns the array.

        Returns:
            Shape (channels * columns,), int: `features.ravel()[index]` are those of the turned
            source.
        """

    @abstractmethod
    def dead_values(self, microphones: np.ndarray) -> np.ndarray:
        """Return which features are 0 because microphones are dead.

        Args:
            microphones: which are, shape (rows, microphones), bool.

        Returns:
            Shape (rows, channels, columns), bool; an axis may be 1 where all are alike.
        """
