# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The output heads of networks: what each is called, its shape, and what it becomes.

A new head is a class here and one in training/models/heads.py. Here a source's distance, learnt
for a single source::

    class Distance(SourceAttribute):
        name = 'distance'

        def shape(self, grid, *, multi_source):
            return (1,)

        def decode(self, values, azimuth):
            return float(values[0])

    OUTPUT_HEADS['distance'] = Distance()

Every estimate of such a network then has `attributes['distance']`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from doa_ros.core.directions import DirectionGrid


class OutputHead(ABC):
    """An output of a network.

    Attributes:
        name: in model cards and settings; also the field of a spectrum that it fills.
    """

    name: ClassVar[str]

    @abstractmethod
    def shape(self, grid: DirectionGrid, *, multi_source: bool) -> tuple[int, ...]:
        """Return the shape of its values.

        Args:
            grid: the direction classes.
            multi_source: whether the network finds several sources at once.
        """


class Azimuth(OutputHead):
    """The probabilities of the azimuth classes."""

    name = 'azimuth'

    def shape(self, grid: DirectionGrid, *, multi_source: bool) -> tuple[int, ...]:
        """Return (azimuths,)."""
        return (grid.azimuth_count,)


class Elevation(OutputHead):
    """The probabilities of the elevation classes; of several sources, at each azimuth class."""

    name = 'elevation'

    def shape(self, grid: DirectionGrid, *, multi_source: bool) -> tuple[int, ...]:
        """Return (elevations,), or (azimuths, elevations) of several sources."""
        elevations = (grid.elevation_count,)
        return (grid.azimuth_count, *elevations) if multi_source else elevations


class Activity(OutputHead):
    """The probability of there being a source at all."""

    name = 'activity'

    def shape(self, grid: DirectionGrid, *, multi_source: bool) -> tuple[int, ...]:
        """Return (1,)."""
        return (1,)


class SourceAttribute(OutputHead):
    """Anything else about a source; it fills `attributes` of a spectrum and of its estimates.

    Of several sources, its shape begins with the azimuth classes.
    """

    @abstractmethod
    def decode(self, values: np.ndarray, azimuth: float) -> float:
        """Return the attribute of a source.

        Args:
            values: the output of the network, in the shape of the head.
            azimuth: of the source [rad].
        """


OUTPUT_HEADS: dict[str, OutputHead] = {
    head.name: head for head in (Azimuth(), Elevation(), Activity())
}
"""All heads by their names, in the order of a network's outputs."""


def head_shapes(
    names: Iterable[str], grid: DirectionGrid, *, multi_source: bool
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of heads by their names.

    Args:
        names: all of OUTPUT_HEADS.
        grid: the direction classes.
        multi_source: whether the network finds several sources at once.
    """
    return {name: OUTPUT_HEADS[name].shape(grid, multi_source=multi_source) for name in names}
