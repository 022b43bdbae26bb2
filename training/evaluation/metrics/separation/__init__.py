# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How good the separated sound of each talker is: all metrics, and the table they read."""

from collections.abc import Iterable, Sequence

import numpy as np
from pandas import DataFrame

from ....simulation.talkers import TalkersClip
from ...methods.separation import SeparationMethod
from .onset import FOUND, ONSET, onset_given
from .si_sdr import SI_SDR_GAIN, si_sdr
from .stoi import STOI, STOI_GAIN, stoi

# In the order of the tables.
METRICS = (SI_SDR_GAIN, STOI, STOI_GAIN, FOUND, ONSET)


def collect_separation(
    methods: Sequence[SeparationMethod], clips: Iterable[tuple[str, TalkersClip]]
) -> DataFrame:
    """Return what all METRICS are made of: a row for each talker, method and clip.

    Sounds are compared from a talker's first word on with their direct sound and early reflections
    in the centre of the array; what is not given of them is silence.

    Args:
        methods: what is compared.
        clips: at RATE, with their conditions.
    """
    rows = []
    for condition, clip in clips:
        for method in methods:
            for talker, sound in zip(clip.talkers, method.sounds(clip), strict=True):
                heard = slice(talker.begin, None)
                wanted, before = talker.early[heard], clip.centre[heard]
                given = np.nan_to_num(sound[heard])
                found = bool(given.any())
                rows.append(
                    {
                        'method': method.name,
                        'condition': condition,
                        'room': clip.room,
                        'found': found,
                        'onset': onset_given(sound, talker.begin),
                        'si_sdr': si_sdr(given, wanted) if found else np.nan,
                        'si_sdr_before': si_sdr(before, wanted),
                        'stoi': stoi(given, wanted) if found else np.nan,
                        'stoi_before': stoi(before, wanted),
                    }
                )
    return DataFrame(rows)
