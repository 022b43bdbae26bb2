# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Methods that know nothing but the last 0.5 s of audio."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import pyroomacoustics

from doa_ros.core.localization.decoding import Estimate

from ...metrics.frames import AZIMUTH_CLASSES, Listening


class WindowPeer(ABC):
    """A method that takes a window and always answers, unless it fails numerically."""

    name: str
    azimuth_classes = AZIMUTH_CLASSES
    least_confidence = 0.0
    # What such methods are usually run with at 16 kHz.
    fft = 512

    def __init__(self):
        self.failures = 0

    @abstractmethod
    def locate(self, window: np.ndarray) -> list[Estimate]:
        """Return the directions in a window at 16 kHz, shape (samples, microphones)."""

    def answer(self, listening: Listening) -> list[Estimate | None]:
        """Return the first direction at every scored frame."""
        return [found[0] if found else None for found in self.answer_all(listening)]

    def answer_all(self, listening: Listening) -> list[Sequence[Estimate]]:
        """Return all directions at every scored frame."""
        return [self._try(window) for window in listening.peer_windows]

    def _try(self, window: np.ndarray) -> list[Estimate]:
        try:
            return self.locate(window)
        except np.linalg.LinAlgError:
            self.failures += 1
            return []


def stft(window: np.ndarray, length: int) -> np.ndarray:
    """Return the short-time spectra of a window, shape (bins, microphones, times)."""
    spectra = pyroomacoustics.transform.stft.analysis(
        window, length, length // 2, win=pyroomacoustics.hann(length)
    )
    return spectra.transpose(1, 2, 0)
