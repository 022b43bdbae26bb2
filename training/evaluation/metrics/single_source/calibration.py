# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How well confidences tell how often a method is right.

The expected calibration error is that of M. Naeini, G. Cooper and M. Hauskrecht, "Obtaining well
calibrated probabilities using Bayesian binning", AAAI 2015, over ten equal bins.
"""

import numpy as np
from pandas import DataFrame

from ..metric import Metric
from .accuracy import within

_BINS = 10


def confidence_and_hit(answers: DataFrame) -> np.ndarray:
    """Return confidences and whether a source is within 10 degrees, shape (rows, 2).

    In silence no source is; NaN where neither silence nor a guess is.
    """
    hit = np.where(answers['silent'], 0.0, within(answers, 10))
    return np.stack([answers['confidence'].to_numpy(), hit], axis=1)


def reliability(answers: DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how often a method is right beside how often it says so.

    Args:
        answers: of one method.

    Returns:
        Per bin of confidence its mean confidence, the share of the voiced and silent blocks with a
        source within 10 degrees, and the number of blocks; NaN in empty bins.
    """
    values = confidence_and_hit(answers)
    confidence, hit = values[~np.isnan(values).any(axis=1)].T
    bins = _bin(confidence)
    number = np.bincount(bins, minlength=_BINS)
    with np.errstate(invalid='ignore'):
        mean = np.bincount(bins, confidence, _BINS) / number
        right = np.bincount(bins, hit, _BINS) / number
    return mean, right, number


def _bin(confidence: np.ndarray) -> np.ndarray:
    """Return which of the bins each confidence lies in."""
    return np.minimum((confidence * _BINS).astype(int), _BINS - 1)


def _expected_error(values: np.ndarray, rooms: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the expected calibration error of pairs (confidence, hit)."""
    confidence, hit = values.T
    excess = np.zeros((weights.shape[1], _BINS))
    np.add.at(excess, (rooms, _bin(confidence)), confidence - hit)
    numbers = np.bincount(rooms, minlength=weights.shape[1])
    with np.errstate(invalid='ignore'):
        return np.abs(weights @ excess).sum(axis=1) / (weights @ numbers)


CALIBRATION_ERROR = Metric(
    'calibration_error', 'calibration error', confidence_and_hit, _expected_error
)
