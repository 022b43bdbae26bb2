# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Scoring estimates against a known scene, frame by frame."""

from dataclasses import dataclass
import math

import numpy as np

from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import Estimate

# The direct sound counts in a block while it is this far below its strongest block at most [dB].
_ACTIVE_RANGE = 22.0
_VOICED_BLOCKS, _VOICED_OF = 4, 6
# An estimate of a sound too short for that is expected for so long after it [s].
_BRIEF_TIME = 0.2
# A frame is silent when nothing was active for this long [s].
_SILENT_TIME = 1.0


def active_blocks(direct: np.ndarray, block: int, range_db: float = _ACTIVE_RANGE) -> np.ndarray:
    """Return in which blocks a talker is heard.

    Args:
        direct: the direct sound alone at the array, shape (samples,).
        block: length of a block [samples], about 50 ms.
        range_db: how far below its strongest block a sound still counts [dB].

    Returns:
        Boolean, shape (blocks,).
    """
    blocks = direct[: len(direct) // block * block].reshape(-1, block)
    power = np.mean(np.square(blocks, dtype=float), axis=1)
    return power > max(power.max(initial=0.0) * 10 ** (-range_db / 10), 1e-20)


def voiced_frames(active: np.ndarray) -> np.ndarray:
    """Return the frames an estimate is expected in: active in 4 of the last 6 blocks."""
    return _trailing_sum(active, _VOICED_OF) >= _VOICED_BLOCKS


def brief_frames(active: np.ndarray, hop: float) -> np.ndarray:
    """Return the frames an estimate of a short sound is expected in: active within 0.2 s.

    Args:
        active: per block, shape (blocks,).
        hop: length of a block [s].
    """
    return _trailing_sum(active, max(1, round(_BRIEF_TIME / hop))) > 0


def silent_frames(active: np.ndarray, hop: float) -> np.ndarray:
    """Return the frames no estimate may come in: nothing active in the last second.

    Args:
        active: per block, shape (blocks,).
        hop: length of a block [s].
    """
    return _trailing_sum(active, max(1, round(_SILENT_TIME / hop))) == 0


def _trailing_sum(active: np.ndarray, count: int) -> np.ndarray:
    total = np.concatenate([[0], np.cumsum(active)])
    end = np.arange(1, len(total))
    return total[end] - total[np.maximum(end - count, 0)]


@dataclass(frozen=True)
class Score:
    """How well estimates match a scene. Shares are in 0..1, NaN where nothing was counted.

    Attributes:
        voiced: number of voiced frames.
        silent: number of silent frames.
        answered: share of the voiced frames with an estimate.
        within_10: share of the answered voiced frames within 10 degrees of azimuth.
        voiced_within_10: share of all voiced frames answered within 10 degrees.
        azimuth_mae_deg, elevation_mae_deg: mean absolute error over the answered voiced frames.
        silence_answered: share of the silent frames with an estimate.
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
    """Collects frames of one or more scenes."""

    def __init__(self):
        self._azimuth_errors: list[float] = []
        self._elevation_errors: list[float] = []
        self._voiced = self._silent = self._ghosts = 0

    def add(self, estimates, azimuth, elevation, *, voiced: bool, silent: bool) -> None:
        """Add a frame; only its strongest estimate counts.

        Args:
            estimates: sorted by confidence, `Estimate` or anything with its angles.
            azimuth, elevation: the true direction [rad].
            voiced, silent: as `voiced_frames` and `silent_frames` say.
        """
        self._voiced += bool(voiced)
        self._silent += bool(silent)
        if not estimates:
            return
        self._ghosts += bool(silent)
        if voiced:
            best: Estimate = estimates[0]
            self._azimuth_errors.append(abs(wrap_angle(best.azimuth - azimuth)))
            if not math.isnan(best.elevation):
                self._elevation_errors.append(abs(best.elevation - elevation))

    def score(self) -> Score:
        """Return the score of all frames so far."""
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
            silence_answered=_share(self._ghosts, self._silent),
        )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
