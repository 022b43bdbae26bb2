# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is true of a sound, block by block: when it is heard, and when an estimate is expected."""

import numpy as np

# A block is active where the direct sound is at most this far below its loudest block [dB].
_ACTIVE_RANGE = 22.0
# An estimate is expected where so many of the last blocks are active.
_VOICED_BLOCKS, _VOICED_OF = 4, 6
# An estimate of a sound too short for that is expected for so long after it [s].
_BRIEF_TIME = 0.2
# A block is silent when nothing was active for this long [s].
_SILENT_TIME = 1.0


def active_blocks(direct: np.ndarray, block: int, range_db: float = _ACTIVE_RANGE) -> np.ndarray:
    """Return in which blocks a talker is heard.

    Args:
        direct: the direct sound alone at the array, shape (samples,).
        block: length of a block [samples], about 50 ms.
        range_db: how far below its loudest block a sound still counts [dB].

    Returns:
        Boolean, shape (blocks,).
    """
    blocks = direct[: len(direct) // block * block].reshape(-1, block)
    power = np.mean(np.square(blocks, dtype=float), axis=1)
    return power > max(power.max(initial=0.0) * 10 ** (-range_db / 10), 1e-20)


def voiced_blocks(active: np.ndarray) -> np.ndarray:
    """Return in which blocks an estimate is expected: 4 of the last 6 are active.

    Args:
        active: per block, shape (blocks,).
    """
    return _trailing_sum(active, _VOICED_OF) >= _VOICED_BLOCKS


def brief_blocks(active: np.ndarray, hop: float) -> np.ndarray:
    """Return in which blocks an estimate of a short sound is expected: active within 0.2 s.

    Args:
        active: per block, shape (blocks,).
        hop: length of a block [s].
    """
    return _trailing_sum(active, max(1, round(_BRIEF_TIME / hop))) > 0


def silent_blocks(active: np.ndarray, hop: float) -> np.ndarray:
    """Return in which blocks no estimate may come: nothing is active in the last second.

    Args:
        active: per block, shape (blocks,).
        hop: length of a block [s].
    """
    return _trailing_sum(active, max(1, round(_SILENT_TIME / hop))) == 0


def _trailing_sum(active: np.ndarray, count: int) -> np.ndarray:
    total = np.concatenate([[0], np.cumsum(active)])
    end = np.arange(1, len(total))
    return total[end] - total[np.maximum(end - count, 0)]
