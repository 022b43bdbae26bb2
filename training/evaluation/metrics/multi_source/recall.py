# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recall: voiced talkers with an estimate."""

import numpy as np
from pandas import DataFrame

from ..metric import Metric, ratio_metric
from .matches import MatchedBlock


def count_found(matched: MatchedBlock) -> dict[str, float]:
    """Return how many `talkers` are voiced, and how many of them are `found`."""
    return {'talkers': len(matched.voiced), 'found': len(matched.pairs)}


def _recall_of(count: int, name: str, title: str) -> Metric:
    """Return the recall at blocks with so many voiced talkers."""

    def found(matches: DataFrame) -> np.ndarray:
        return np.where(matches['talkers'] == count, matches['found'], 0)

    def talkers(matches: DataFrame) -> np.ndarray:
        return np.where(matches['talkers'] == count, matches['talkers'], 0)

    return ratio_metric(name, title, found, talkers)


RECALL = ratio_metric(
    'recall', 'found within 15 deg', lambda m: m['found'], lambda m: m['talkers']
)
RECALL_OF_ONE = _recall_of(1, 'recall_of_one', 'found, one speaking')
RECALL_OF_TWO = _recall_of(2, 'recall_of_two', 'found, two speaking')
