# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Methods of others, to be compared with ours on the same blocks.

To add one, write its class in a file of its own and add a line to a list below.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from doa_ros.core.geometry import MicArray

from ..method import DirectionMethod, TrackingMethod, UnavailableError
from .esprit import Esprit
from .odas import Odas, OdasTracks
from .pyroom import Pyroom

_Made = TypeVar('_Made')

# Made of an array, for one source.
_SINGLE_SOURCE: Sequence[Callable[[MicArray], DirectionMethod]] = (
    partial(Pyroom, 'SRP-PHAT'),
    partial(Pyroom, 'MUSIC'),
    partial(Pyroom, 'NormMUSIC'),
    Esprit,
    Odas,
)
# Made of an array and the number of sources, for several sources at a time.
_MULTI_SOURCE: Sequence[Callable[[MicArray, int], DirectionMethod]] = (
    partial(Pyroom, 'NormMUSIC'),
    partial(Pyroom, 'SRP-PHAT'),
    lambda array, sources: Odas(array),
)
# Made of an array, for talkers who walk.
_TRACKING: Sequence[Callable[[MicArray], TrackingMethod]] = (OdasTracks,)


def single_source_baselines(array: MicArray) -> tuple[list[DirectionMethod], list[str]]:
    """Return the methods that work with an array, and a sentence for each that does not."""
    return _available([partial(make, array) for make in _SINGLE_SOURCE])


def multi_source_baselines(
    array: MicArray, sources: int
) -> tuple[list[DirectionMethod], list[str]]:
    """Return the methods that find so many sources: see `single_source_baselines`."""
    return _available([partial(make, array, sources) for make in _MULTI_SOURCE])


def tracking_baselines(array: MicArray) -> tuple[list[TrackingMethod], list[str]]:
    """Return the methods that track talkers: see `single_source_baselines`."""
    return _available([partial(make, array) for make in _TRACKING])


def _available(makers: Sequence[Callable[[], _Made]]) -> tuple[list[_Made], list[str]]:
    methods, left_out = [], []
    for make in makers:
        try:
            methods.append(make())
        except UnavailableError as error:
            left_out.append(str(error))
    return methods, left_out
