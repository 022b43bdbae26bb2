# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How long it takes to be right again after a noise has begun."""

import numpy as np
from pandas import DataFrame

from ..metric import Metric

# Somebody is found again where they are found in so many voiced windows in a row.
_IN_A_ROW = 3


def _recovery(matches: DataFrame) -> np.ndarray:
    """Return the time of each scene [s] in its first row; NaN elsewhere.

    Where the talker is not found again, it is the time until the last voiced window.
    """
    times = np.full(len(matches), np.nan)
    places = np.arange(len(matches))
    after = ((matches['time'] > matches['noise_begin']) & (matches['talkers'] > 0)).to_numpy()
    for room in matches['room'].unique():
        here = places[(matches['room'] == room).to_numpy() & after]
        if not len(here):
            continue
        voiced = matches.iloc[here]
        found = (voiced['found'] == voiced['talkers']).to_numpy()
        runs = [k for k in range(len(found)) if found[k : k + _IN_A_ROW].all()]
        right = voiced['time'].iloc[runs[0] if runs else -1]
        times[here[0]] = right - voiced['noise_begin'].iloc[0]
    return times


RECOVERY = Metric('recovery', 'right again after [s]', _recovery)
