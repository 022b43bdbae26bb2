# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""SI-SDR: the power of what is wanted in a sound over that of all else in it.

J. Le Roux, S. Wisdom, H. Erdogan and J. Hershey, "SDR - half-baked or well done?", ICASSP 2019.
"""

import numpy as np

from ..metric import Metric

_TINY = 1e-20


def si_sdr(sound: np.ndarray, wanted: np.ndarray) -> float:
    """Return the SI-SDR of a sound [dB].

    Args:
        sound, wanted: shape (samples,).
    """
    sound, wanted = (np.asarray(one, dtype=float) - np.mean(one) for one in (sound, wanted))
    target = (sound @ wanted) / max(wanted @ wanted, _TINY) * wanted
    rest = sound - target
    return float(10 * np.log10(max(target @ target, _TINY) / max(rest @ rest, _TINY)))


SI_SDR_GAIN = Metric(
    'si_sdr_gain',
    'SI-SDR gain [dB]',
    lambda table: (table['si_sdr'] - table['si_sdr_before']).to_numpy(),
)
