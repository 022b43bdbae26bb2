# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a talker has a sound at all, and whether their first syllable is in it."""

import numpy as np

from doa_ros.core.separation.short_time_fourier import RATE

from ..metric import Metric

# The first syllable [s].
_ONSET = 0.3


def onset_given(sound: np.ndarray, begin: int) -> bool:
    """Return whether the first 300 ms of what a talker says are given.

    Args:
        sound: NaN where nothing is given, shape (samples,).
        begin: index of the first sample of the talker.
    """
    return bool(np.isfinite(sound[begin : begin + round(_ONSET * RATE)]).all())


FOUND = Metric('found', 'talkers with a sound', lambda table: table['found'].to_numpy())
ONSET = Metric('onset', 'first 300 ms given', lambda table: table['onset'].to_numpy())
