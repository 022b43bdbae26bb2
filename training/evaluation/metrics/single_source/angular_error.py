# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Errors of azimuth, elevation and direction."""

import numpy as np
from pandas import DataFrame

from doa_ros.core.geometry import unit_vector, wrap_angle

from ..metric import Metric, counted_where
from ..statistics import median
from .answers import is_answered, is_guessed


def azimuth_error(answers: DataFrame) -> np.ndarray:
    """Return absolute errors [rad], NaN without a guess."""
    return np.abs(wrap_angle((answers['answer_azimuth'] - answers['azimuth']).to_numpy()))


def elevation_error(answers: DataFrame) -> np.ndarray:
    """Return absolute errors [rad], NaN without a guess or without elevation."""
    return (answers['answer_elevation'] - answers['elevation']).abs().to_numpy()


def great_circle(
    azimuth: np.ndarray,
    elevation: np.ndarray,
    other_azimuth: np.ndarray,
    other_elevation: np.ndarray,
) -> np.ndarray:
    """Return the angles between directions [rad], element by element."""
    first = unit_vector(azimuth, elevation)
    second = unit_vector(other_azimuth, other_elevation)
    # Unlike the arc cosine of their product, the chord is exact for small angles, too.
    chord = np.linalg.norm(first - second, axis=-1)
    return 2 * np.arcsin(np.minimum(chord / 2, 1))


def _guessed_azimuth(answers: DataFrame) -> np.ndarray:
    return counted_where(is_guessed(answers), np.degrees(azimuth_error(answers)))


def _guessed_elevation(answers: DataFrame) -> np.ndarray:
    return counted_where(is_guessed(answers), np.degrees(elevation_error(answers)))


def _guessed_direction(answers: DataFrame) -> np.ndarray:
    names = ('answer_azimuth', 'answer_elevation', 'azimuth', 'elevation')
    error = great_circle(*(answers[name].to_numpy() for name in names))
    return counted_where(is_guessed(answers), np.degrees(error))


def _answered_azimuth(answers: DataFrame) -> np.ndarray:
    return counted_where(is_answered(answers), np.degrees(azimuth_error(answers)))


def _answered_elevation(answers: DataFrame) -> np.ndarray:
    return counted_where(is_answered(answers), np.degrees(elevation_error(answers)))


AZIMUTH_MAE = Metric('azimuth_mae_deg', 'azimuth MAE [deg]', _guessed_azimuth)
AZIMUTH_MEDIAN = Metric('azimuth_median_deg', 'azimuth median [deg]', _guessed_azimuth, median)
ELEVATION_MAE = Metric('elevation_mae_deg', 'elevation MAE [deg]', _guessed_elevation)
GREAT_CIRCLE_MEAN = Metric('great_circle_mean_deg', 'great circle mean [deg]', _guessed_direction)
GREAT_CIRCLE_MEDIAN = Metric(
    'great_circle_median_deg', 'great circle median [deg]', _guessed_direction, median
)
ANSWERED_AZIMUTH_MAE = Metric(
    'answered_azimuth_mae_deg', 'azimuth MAE of the answers [deg]', _answered_azimuth
)
ANSWERED_ELEVATION_MAE = Metric(
    'answered_elevation_mae_deg', 'elevation MAE of the answers [deg]', _answered_elevation
)
