# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Standard deviations that come with the answers, and how many errors lie within them.

Of the errors of a normal distribution, 68 % lie within one standard deviation.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from pandas import DataFrame

from ..metric import Metric, counted_where
from ..statistics import median
from .angular_error import azimuth_error, elevation_error
from .answers import is_answered


def _covered(
    answers: DataFrame, error: Callable[[DataFrame], np.ndarray], stddev: str
) -> np.ndarray:
    stated = answers[stddev].to_numpy()
    # A method that states no deviation has 0 or NaN.
    return counted_where(is_answered(answers) & (stated > 0), error(answers) <= stated)


def _stated_deg(answers: DataFrame, stddev: str) -> np.ndarray:
    return counted_where(is_answered(answers), np.degrees(answers[stddev].to_numpy()))


AZIMUTH_COVERED = Metric(
    'azimuth_covered',
    'azimuth within its standard deviation',
    partial(_covered, error=azimuth_error, stddev='azimuth_stddev'),
)
ELEVATION_COVERED = Metric(
    'elevation_covered',
    'elevation within its standard deviation',
    partial(_covered, error=elevation_error, stddev='elevation_stddev'),
)
AZIMUTH_STDDEV_MEDIAN = Metric(
    'azimuth_stddev_median_deg',
    'median standard deviation of the azimuth [deg]',
    partial(_stated_deg, stddev='azimuth_stddev'),
    median,
)
ELEVATION_STDDEV_MEDIAN = Metric(
    'elevation_stddev_median_deg',
    'median standard deviation of the elevation [deg]',
    partial(_stated_deg, stddev='elevation_stddev'),
    median,
)
