# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Shares of guesses and answers near the true azimuth."""

from functools import partial
import math

import numpy as np
from pandas import DataFrame

from ..metric import Metric, counted_where
from .angular_error import azimuth_error
from .answers import is_guessed

# Errors may be larger than the limit by a rounding error [rad].
_ROUNDING = 1e-12


def nearest_class(azimuth: np.ndarray, classes: int | np.ndarray) -> np.ndarray:
    """Return the number of the azimuth class that each angle [rad] lies in."""
    return np.round(np.asarray(azimuth) * classes / (2 * np.pi)).astype(int) % classes


def within(answers: DataFrame, limit_deg: float) -> np.ndarray:
    """Return 1 where a guess is near the true azimuth, 0 where not, NaN without a guess."""
    near = azimuth_error(answers) <= math.radians(limit_deg) + _ROUNDING
    return counted_where(is_guessed(answers), near)


def _right_class(answers: DataFrame) -> np.ndarray:
    right = np.full(len(answers), np.nan)
    counted = is_guessed(answers)
    guessed = answers[counted]
    classes = guessed['azimuth_classes'].to_numpy()
    right[counted] = nearest_class(guessed['answer_azimuth'], classes) == nearest_class(
        guessed['azimuth'], classes
    )
    return right


def _answered_within_10(answers: DataFrame) -> np.ndarray:
    return counted_where(answers['heard'].to_numpy(), within(answers, 10))


CLASS_ACCURACY = Metric('class_accuracy', 'right class', _right_class)
WITHIN_5 = Metric('within_5', 'within 5 deg', partial(within, limit_deg=5))
WITHIN_10 = Metric('within_10', 'within 10 deg', partial(within, limit_deg=10))
WITHIN_15 = Metric('within_15', 'within 15 deg', partial(within, limit_deg=15))
ANSWERED_WITHIN_10 = Metric('answered_within_10', 'answers within 10 deg', _answered_within_10)
