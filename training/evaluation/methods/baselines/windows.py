# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Methods that are given the last 0.5 s of audio and nothing else."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import pyroomacoustics

from doa_ros.core.localization.decoding import Estimate

from ..inputs import MethodInput
from ..method import DirectionMethod


class WindowMethod(DirectionMethod):
    """A method that takes a window and always answers, unless it fails numerically."""

    # What such methods are usually run with at 16 kHz.
    fft = 512

    @abstractmethod
    def locate(self, window: np.ndarray) -> list[Estimate]:
        """Return the directions in a window at 16 kHz, shape (samples, microphones).

        Raises:
            numpy.linalg.LinAlgError: it fails numerically, which counts as no answer.
        """

    def estimates(self, clip: MethodInput) -> list[Sequence[Estimate]]:
        """See DirectionMethod."""
        return [self._try(window) for window in clip.baseline_windows]

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
