# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How well a method finds one source: all metrics, and their figures."""

import numpy as np
from pandas import DataFrame

from ..metric import summarise
from .accuracy import ANSWERED_WITHIN_10, CLASS_ACCURACY, WITHIN_5, WITHIN_10, WITHIN_15
from .angular_error import (
    ANSWERED_AZIMUTH_MAE,
    ANSWERED_ELEVATION_MAE,
    AZIMUTH_MAE,
    AZIMUTH_MEDIAN,
    ELEVATION_MAE,
    GREAT_CIRCLE_MEAN,
    GREAT_CIRCLE_MEDIAN,
)
from .answer_rate import SILENCE_ANSWERED, UNANSWERED
from .binning import BINNINGS
from .calibration import CALIBRATION_ERROR
from .stated_deviations import (
    AZIMUTH_COVERED,
    AZIMUTH_STDDEV_MEDIAN,
    ELEVATION_COVERED,
    ELEVATION_STDDEV_MEDIAN,
)

# In the order of the tables.
METRICS = (
    CLASS_ACCURACY,
    AZIMUTH_MAE,
    AZIMUTH_MEDIAN,
    WITHIN_5,
    WITHIN_10,
    WITHIN_15,
    ELEVATION_MAE,
    GREAT_CIRCLE_MEAN,
    GREAT_CIRCLE_MEDIAN,
    UNANSWERED,
    ANSWERED_AZIMUTH_MAE,
    ANSWERED_ELEVATION_MAE,
    ANSWERED_WITHIN_10,
    SILENCE_ANSWERED,
    CALIBRATION_ERROR,
    AZIMUTH_COVERED,
    ELEVATION_COVERED,
    AZIMUTH_STDDEV_MEDIAN,
    ELEVATION_STDDEV_MEDIAN,
)


def results_of(answers: DataFrame) -> DataFrame:
    """Return the figures of each method by condition, over all of them, and by each binning.

    Args:
        answers: of `collect_answers`.

    Returns:
        Columns `method` and `condition`, empty where all are taken together; `binning` and `label`
        of a class of answers, empty where all are taken together; the numbers of `voiced` and
        `silent` blocks and of `rooms`; and those of `summarise`.
    """
    rows = []
    for method, mine in answers.groupby('method', sort=False):
        for condition, here in mine.groupby('condition', sort=False):
            rows.append(_result(here, method, condition))
        rows.append(_result(mine, method))
        for binning in BINNINGS:
            index = binning.index(mine)
            for number, label in enumerate(binning.labels):
                if np.any(index == number):
                    rows.append(_result(mine[index == number], method, '', binning.name, label))
    return DataFrame(rows)


def _result(
    answers: DataFrame, method: str, condition: str = '', binning: str = '', label: str = ''
) -> dict[str, str | int | float]:
    return {
        'method': method,
        'condition': condition,
        'binning': binning,
        'label': label,
        'voiced': int(answers['voiced'].sum()),
        'silent': int(answers['silent'].sum()),
        'rooms': answers['room'].nunique(),
        **summarise(answers, METRICS),
    }
