# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the sensitivity trades: unanswered voices for false answers."""

from dataclasses import dataclass

import numpy as np
from pandas import DataFrame

from doa_ros.core.localization.localizer import LocalizerConfig

from .calibration import confidence_and_hit

_SENSITIVITIES = np.linspace(0, 1, 101)
# Those that reports name.
SHOWN_SENSITIVITIES = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])


@dataclass(frozen=True)
class TradeOff:
    """Shares by sensitivity; NaN where the method has no confidence.

    Attributes:
        sensitivity: the settings, shape (settings,).
        unanswered: share of the voiced blocks that remain unanswered, shape (settings,).
        false: share of the voiced and silent blocks with a false answer, where no source is within
            10 degrees, shape (settings,).
        silence: share of the silent blocks that are answered, shape (settings,).
    """

    sensitivity: np.ndarray
    unanswered: np.ndarray
    false: np.ndarray
    silence: np.ndarray


def trade_off(answers: DataFrame, sensitivity: np.ndarray = _SENSITIVITIES) -> TradeOff:
    """Return what the sensitivity trades for what.

    Args:
        answers: of one method.
        sensitivity: of LocalizerConfig, shape (settings,).
    """
    values = confidence_and_hit(answers)
    counted = ~np.isnan(values).any(axis=1)
    confidence, hit = values[counted].T
    voiced, silent = (answers[name].to_numpy()[counted] for name in ('voiced', 'silent'))
    power = float(answers['sensitivity_power'].iloc[0])
    least = [LocalizerConfig(sensitivity=float(s)).least_confidence(power) for s in sensitivity]
    given = confidence >= np.array(least)[:, None]
    with np.errstate(invalid='ignore'):
        unanswered = (~given & voiced).sum(axis=1) / np.float64(voiced.sum())
        false = (given & (hit == 0)).sum(axis=1) / np.float64(len(hit))
        silence = (given & silent).sum(axis=1) / np.float64(silent.sum())
    return TradeOff(sensitivity, unanswered, false, silence)
