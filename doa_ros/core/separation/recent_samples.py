# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The last samples of a stream, and which of them were lost."""

from collections import deque

import numpy as np


class RecentSamples:
    """Keeps the last samples of all microphones.

    Attributes:
        begin, end: indices of the first sample that is kept and of the next one to come.

    Args:
        length: how many are kept at least.
        longest: most samples of a piece.
        microphones: how many there are.
        begin: index of the first sample.
    """

    def __init__(self, length: int, longest: int, microphones: int, begin: int):
        # Twice as long: pieces are moved only once for each length.
        self._samples = np.zeros((2 * length + longest, microphones), dtype=np.float32)
        self._length, self._count = length, 0
        self._lost: deque[tuple[int, int]] = deque()
        self.begin = self.end = begin

    def append(self, samples: np.ndarray, lost: bool = False) -> None:
        """Append a piece, shape (samples, microphones); `lost` if it stands for what was lost."""
        kept = self._count
        if kept + len(samples) > len(self._samples):
            self._samples[: self._length] = self._samples[kept - self._length : kept]
            kept = self._length
        self._count = kept + len(samples)
        self._samples[kept : self._count] = samples
        if lost:
            self._lost.append((self.end, self.end + len(samples)))
        self.end += len(samples)
        self.begin = self.end - self._count
        while self._lost and self._lost[0][1] <= self.begin:
            self._lost.popleft()

    def between(self, begin: int, end: int) -> np.ndarray:
        """Return the samples from one index to another, shape (samples, microphones)."""
        return self._samples[begin - self.begin : end - self.begin]

    def lost_between(self, begin: int, end: int) -> int:
        """Return how many of the samples from one index to another were lost."""
        return sum(max(0, min(end, last) - max(begin, first)) for first, last in self._lost)
