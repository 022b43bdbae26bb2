# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How probable a source is at each azimuth, judged by the height of a steered response."""

import math

import numpy as np
from scipy import special
from scipy.ndimage import maximum_filter1d

from doa_ros.core.directions import PEAK_SEPARATION

# Sharpness of a softmax over the response: how fast the probability falls around a peak.
SHARPNESS = 40.0
# Log-odds of a source at a peak: a constant, and weights of the logarithms of its height over the
# highest one's and of its height. By logistic regression on simulated rooms with two talkers, with
# the UMA-8; only the constant is lower, because no answer is better than a wrong one. So the
# confidences are lower than calibrated ones would be.
_BIAS, _RELATIVE_WEIGHT, _HEIGHT_WEIGHT = 4.2, 1.55, 1.25
_LEAST_HEIGHT = 1e-3


def comparable(response: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return a response as it would be with all microphones alive.

    Args:
        response: shape (rows, azimuths).
        features: whose response it is, shape (channels, columns).
    """
    # The channels of dead microphones are 0. With this factor the noise of the mean is as it
    # is with all channels; its peak is still lower, and so less certain.
    living = int(np.count_nonzero(features.any(axis=1)))
    return response * math.sqrt(len(features) / max(living, 1))


def azimuth_probability(response: np.ndarray) -> np.ndarray:
    """Return for each azimuth class how probable a source there is, shape (azimuths,).

    A higher peak of the response means a more probable source.

    Args:
        response: with all microphones alive, shape (rows, azimuths); -inf is no answer.
    """
    strongest = response.max(axis=0)
    answers = np.isfinite(strongest)
    height = np.maximum(strongest - np.median(strongest[answers]), _LEAST_HEIGHT)
    reach = round(PEAK_SEPARATION / (2 * math.pi / len(strongest)))
    peak = maximum_filter1d(height, 2 * reach + 1, mode='wrap')
    log_odds = (
        _BIAS + _RELATIVE_WEIGHT * np.log(peak / height.max()) + _HEIGHT_WEIGHT * np.log(peak)
    )
    return answers * special.expit(log_odds) * np.exp(SHARPNESS * (height - peak))
