# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Voiced blocks that remain unanswered, and silent ones that are answered."""

import numpy as np
from pandas import DataFrame

from ..metric import Metric, counted_where


def _unanswered(answers: DataFrame) -> np.ndarray:
    return counted_where(answers['voiced'].to_numpy(), ~answers['heard'].to_numpy())


def _silence_answered(answers: DataFrame) -> np.ndarray:
    return counted_where(answers['silent'].to_numpy(), answers['heard'].to_numpy())


UNANSWERED = Metric('unanswered', 'unanswered', _unanswered)
SILENCE_ANSWERED = Metric('silence_answered', 'silence answered', _silence_answered)
