# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Classes of answers by SNR, reverberation, distance, elevation and number of talkers."""

from dataclasses import dataclass
import math

import numpy as np
from pandas import DataFrame

# Values in [rad] or in float32 may lie a rounding error below an edge.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Binning:
    """Classes of answers that figures are looked at over.

    Attributes:
        name: a column of the answers.
        title: for people, with the unit.
        edges: of the classes, in the unit of the title; the lower edge belongs to its class.
        scale: the unit of the column over that of the title.
    """

    name: str
    title: str
    edges: tuple[float, ...]
    scale: float = 1.0

    def index(self, answers: DataFrame) -> np.ndarray:
        """Return the class of each row, -1 where it lies in none."""
        values = answers[self.name].to_numpy() / self.scale
        found = np.searchsorted(self.edges, values + _ROUNDING, side='right') - 1
        inside = (found >= 0) & (found < len(self.edges) - 1) & ~np.isnan(values)
        return np.where(inside, found, -1)

    @property
    def labels(self) -> list[str]:
        """Names of the classes."""
        return [_label(low, high) for low, high in zip(self.edges, self.edges[1:], strict=False)]


def _label(low: float, high: float) -> str:
    if math.isinf(low):
        return f'< {high:g}'
    return f'>= {low:g}' if math.isinf(high) else f'{low:g}..{high:g}'


BINNINGS = (
    Binning('snr', 'SNR [dB]', (-math.inf, 0, 5, 10, 15, 20, 25, math.inf)),
    Binning('rt60', 'RT60 [s]', (0, 0.2, 0.4, 0.6, 0.8, math.inf)),
    Binning('distance', 'distance [m]', (0, 1, 2, 3, math.inf)),
    Binning(
        'elevation',
        'elevation [deg]',
        (-math.inf, 0, 15, 30, 45, 60, 75, math.inf),
        math.pi / 180,
    ),
    Binning('sources', 'talkers', (1, 2, 3, math.inf)),
)
