# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Cutting a stream of blocks of any length into overlapping analysis windows."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """One analysis window.

    Attributes:
        samples: shape (window, channels).
        hop_index: index, since stream start, of the first sample that is new in this window.
        gap: samples lost before this window; the windows before it are no longer its past. None
            where it is the first of a stream.
    """

    samples: np.ndarray
    hop_index: int
    gap: int | None = 0


def lost_before(index: int, expected: int | None) -> int | None:
    """Return how many samples are missing before an index, None where a stream begins there.

    Args:
        index: counts from the start of the stream.
        expected: the one that would continue the stream; None where nothing came yet. A stream
            that starts again goes back.
    """
    return None if expected is None or index < expected else index - expected


class Framer:
    """Collects blocks and cuts a window whenever `hop` new samples have arrived.

    The first window after a start or a gap needs `window` samples, each later one `hop`.

    Args:
        window: window length [samples].
        hop: distance between windows [samples], at most `window`.
    """

    def __init__(self, window: int, hop: int):
        if not 0 < hop <= window:
            raise ValueError(f'hop must lie in 1..{window} (the window), not {hop}')
        self._window = window
        self._hop = hop
        self._pending: list[np.ndarray] = []
        self._pending_count = 0
        self._next_index: int | None = None
        self._gap: int | None = None

    def push(self, first_sample_index: int, samples: np.ndarray) -> list[Window]:
        """Append a block and return the windows it completes.

        Args:
            first_sample_index: index of the block's first sample since stream start. Where it
                does not continue the last block, the unfinished window is dropped; where it goes
                back, another stream begins.
            samples: shape (samples, channels).
        """
        lost = lost_before(first_sample_index, self._next_index)
        if lost != 0:
            # Before the first window of a stream, nothing is lost of it.
            self._gap = None if lost is None or self._gap is None else self._gap + lost
            self._pending, self._pending_count = [], 0
        end = first_sample_index + len(samples)
        self._next_index = end
        self._pending.append(samples)
        self._pending_count += len(samples)
        windows = []
        while self._pending_count >= self._window:
            windows.append(self._pop(end))
        return windows

    def _pop(self, end: int) -> Window:
        """Return the oldest window of what is pending up to an index."""
        # One copy per window: short blocks are joined only once a window is complete.
        joined = self._pending[0] if len(self._pending) == 1 else np.concatenate(self._pending)
        start = end - self._pending_count
        rest = joined[self._hop :]
        self._pending, self._pending_count = [rest], len(rest)
        gap, self._gap = self._gap, 0
        hop_index = start + self._window - self._hop
        return Window(joined[: self._window], hop_index, gap)
