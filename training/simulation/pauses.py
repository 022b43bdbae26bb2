# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pauses in recordings of speech."""

import numpy as np

from doa_ros.simulation.labels import active_blocks

# What lies so far below the loudest block of a recording is a pause [dB]; that much is left of a
# longer one [s].
_PAUSE_DB, _LONGEST_PAUSE, _BLOCK = 25.0, 0.3, 0.02


def shorten_pauses(recording: np.ndarray, rate: int) -> np.ndarray:
    """Return a recording of speech from the first word to the last, its pauses at most 0.3 s."""
    block = round(_BLOCK * rate)
    active = active_blocks(recording, block, _PAUSE_DB)
    words = np.flatnonzero(active)
    if not len(words):
        return recording
    pause, kept = 0, []
    for number in range(words[0], words[-1] + 1):
        pause = 0 if active[number] else pause + 1
        if pause * _BLOCK <= _LONGEST_PAUSE:
            kept.append(recording[number * block : (number + 1) * block])
    return np.concatenate(kept)
