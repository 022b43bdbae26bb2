# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""STOI, which predicts how much of speech is understood, 0 to 1.

C. Taal, R. Hendriks, R. Heusdens and J. Jensen, "An algorithm for intelligibility prediction of
time-frequency weighted noisy speech", IEEE Trans. Audio, Speech and Language Processing 19(7),
2011.
"""

import numpy as np

from doa_ros.core.separation.short_time_fourier import RATE

from ..metric import Metric


def stoi(sound: np.ndarray, wanted: np.ndarray) -> float:
    """Return the STOI of a sound at RATE.

    Args:
        sound, wanted: shape (samples,).

    Raises:
        ImportError: pystoi is not installed.
    """
    # No other benchmark needs it.
    import pystoi

    return float(pystoi.stoi(wanted, sound, RATE))


STOI = Metric('stoi', 'STOI', lambda table: table['stoi'].to_numpy())
STOI_GAIN = Metric(
    'stoi_gain',
    'STOI gain',
    lambda table: (table['stoi'] - table['stoi_before']).to_numpy(),
)
