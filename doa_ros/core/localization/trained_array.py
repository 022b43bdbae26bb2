# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The array that a network was trained for, as its card says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from doa_ros.core.config import require_keys
from doa_ros.core.errors import ModelError
from doa_ros.core.geometry import MicArray

# What settings and cards say in the place of an array.
ANY_ARRAY = 'any'


@dataclass(frozen=True)
class TrainedArray:
    """An array as a card describes it.

    Attributes:
        name: of the array.
        positions: microphone positions in the board's own frame [m], shape (microphones, 3).
        sampling_frequency: [Hz].

    Raises:
        ModelError: they are no positions.
    """

    name: str
    positions: np.ndarray
    sampling_frequency: int

    def __post_init__(self) -> None:
        if self.positions.shape[1:] != (3,) or not np.isfinite(self.positions).all():
            raise ModelError('positions must be x, y, z of each microphone')

    @classmethod
    def of(cls, array: MicArray) -> Self:
        """Return what a card says of an array."""
        return cls(array.name, array.positions, array.sampling_frequency)

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any], where: str) -> Self:
        """Return what a section of a card holds.

        Raises:
            ConfigError: an unknown or missing key; the message starts with `where`.
            ModelError, TypeError, ValueError: a value is not usable.
        """
        require_keys(content, where, required={'name', 'sampling_frequency', 'positions'})
        return cls(
            str(content['name']),
            np.array(content['positions'], dtype=float),
            int(content['sampling_frequency']),
        )

    def to_mapping(self) -> dict[str, Any]:
        """Return the content of the section."""
        return {
            'name': self.name,
            'sampling_frequency': self.sampling_frequency,
            'positions': np.round(self.positions, 6).tolist(),
        }
