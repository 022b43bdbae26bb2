# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Source filters: they join the spectra of successive windows.

There are three: none, the HMM filter of a single source and the recurrent filter of several.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.spectrum import Spectrum, WindowSpectra


@dataclass(frozen=True)
class Localization:
    """What is found up to one window.

    Attributes:
        estimates: the directions of sources, sorted by confidence, highest first.
        spectrum: the probabilities of directions.
        detections: directions that may be sources, in the same order, for a tracker to sort
            out. Without the recurrent filter they are those of this window alone; with it, all
            its peaks.
    """

    estimates: tuple[Estimate, ...]
    spectrum: Spectrum
    detections: tuple[Estimate, ...] = ()

    def changed(self, change: Callable[[Estimate], Estimate]) -> 'Localization':
        """Return it with all directions changed, those of the estimates and of the detections."""
        return replace(
            self,
            estimates=tuple(map(change, self.estimates)),
            detections=tuple(map(change, self.detections)),
        )


class SourceFilter(Protocol):
    """Joins what successive windows of one stream show of the sources."""

    def reset(self) -> None:
        """Begin another stream."""

    def update(self, window: WindowSpectra) -> Localization:
        """Take in a window and return what is found up to it."""


class NoFilter:
    """Returns the directions of each window alone."""

    def reset(self) -> None:
        """Begin another stream."""

    def update(self, window: WindowSpectra) -> Localization:
        """Return the directions of a window alone."""
        return Localization(window.estimates, window.whole, tuple(window.detections()))
