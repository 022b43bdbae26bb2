# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How well estimates match the known directions of a simulated scene."""

from collections.abc import Sequence
from dataclasses import dataclass
import math

import numpy as np

from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import Estimate


@dataclass(frozen=True)
class Score:
    """How well estimates match a scene. Shares are in 0..1, NaN where nothing was counted.

    Attributes:
        voiced: number of voiced blocks.
        silent: number of silent blocks.
        answered: share of the voiced blocks with an estimate.
        within_10: share of the answered voiced blocks within 10 degrees of azimuth.
        voiced_within_10: share of all voiced blocks answered within 10 degrees.
        azimuth_mae_deg, elevation_mae_deg: mean absolute error over the answered voiced blocks.
        silence_answered: share of the silent blocks with an estimate.
    """

    voiced: int
    silent: int
    answered: float
    within_10: float
    voiced_within_10: float
    azimuth_mae_deg: float
    elevation_mae_deg: float
    silence_answered: float


class Scorer:
    """Collects the blocks of one or more scenes."""

    def __init__(self) -> None:
        self._azimuth_errors: list[float] = []
        self._elevation_errors: list[float] = []
        self._voiced = self._silent = self._silence_answered = 0

    def add(
        self,
        estimates: Sequence[Estimate],
        azimuth: float,
        elevation: float,
        *,
        voiced: bool,
        silent: bool,
    ) -> None:
        """Add a block; only its strongest estimate counts.

        Args:
            estimates: sorted by confidence.
            azimuth, elevation: the true direction [rad].
            voiced, silent: as `labels.voiced_blocks` and `labels.silent_blocks` say.
        """
        self._voiced += bool(voiced)
        self._silent += bool(silent)
        if not estimates:
            return
        self._silence_answered += bool(silent)
        if voiced:
            best = estimates[0]
            self._azimuth_errors.append(abs(wrap_angle(best.azimuth - azimuth)))
            if not math.isnan(best.elevation):
                self._elevation_errors.append(abs(best.elevation - elevation))

    def score(self) -> Score:
        """Return the score of all blocks so far."""
        errors = np.degrees(self._azimuth_errors)
        near = int(np.count_nonzero(errors <= 10))
        return Score(
            voiced=self._voiced,
            silent=self._silent,
            answered=_share(len(errors), self._voiced),
            within_10=_share(near, len(errors)),
            voiced_within_10=_share(near, self._voiced),
            azimuth_mae_deg=_mean(errors),
            elevation_mae_deg=_mean(np.degrees(self._elevation_errors)),
            silence_answered=_share(self._silence_answered, self._silent),
        )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
