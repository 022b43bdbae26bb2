# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds dead microphones: those that do not hear what the others hear."""

import numpy as np

# The powers are compared once in this time [s].
_PERIOD = 1.0
# A dead microphone is this far below the median of all [dB].
_BELOW = 20.0
# It is alive again once it is this much closer to the others [dB].
_HYSTERESIS = 3.0
# Below any sound; keeps the logarithm of silence finite.
_NOTHING = 1e-20


def decibels(power: np.ndarray) -> np.ndarray:
    """Return powers in dB; next to nothing is finite, too."""
    return 10 * np.log10(np.maximum(power, _NOTHING))


class DeadMicrophones:
    """Compares the powers of the microphones.

    They are averaged in dB, so that a gust of wind counts for no more than its duration. Two
    comparisons in a row decide, either way.

    Args:
        count: number of microphones.
        hop: time between updates [s].

    Attributes:
        alive: which of them are, shape (microphones,), bool.
    """

    def __init__(self, count: int, hop: float):
        length = max(1, round(_PERIOD / hop))
        self._powers, self._count = np.zeros((length, count), dtype=np.float32), 0
        self._changing = np.zeros(count, dtype=bool)
        self.alive = np.ones(count, dtype=bool)

    def update(self, power: np.ndarray) -> np.ndarray:
        """Take the power of each microphone in one window; return which of them are alive."""
        self._powers[self._count] = power
        self._count += 1
        if self._count == len(self._powers):
            self._judge(decibels(self._powers).mean(axis=0, dtype=float))
            self._count = 0
        return self.alive

    def _judge(self, level: np.ndarray) -> None:
        limit = _BELOW - np.where(self.alive, 0, _HYSTERESIS)
        changed = (np.median(level) - level < limit) != self.alive
        alive = self.alive ^ (changed & self._changing)
        self._changing = changed & ~self._changing
        # Without a pair there is nothing left to compare.
        if alive.sum() >= 2:
            self.alive = alive
