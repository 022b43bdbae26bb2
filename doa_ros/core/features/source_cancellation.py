# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Those who speak beside a louder one: what is left of the sound without its loudest direction.

Voices rarely share a frequency at a time: a mask over the frequencies separates them (O. Yilmaz
and S. Rickard, "Blind separation of speech mixtures via time-frequency masking", IEEE Trans.
Signal Processing 52(7), 2004). Here it fades the more of a frequency the better the phases of all
pairs agree with a plane wave from where the steered response is highest.
"""

from dataclasses import dataclass
import math

import numpy as np

from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.core.localization.decoding import PEAK_SEPARATION, DirectionGrid
from doa_ros.core.localization.srp_phat import SrpPhat

# Above this elevation, and as far below, the azimuth says little: its sine.
_OVERHEAD = math.sin(math.radians(75))
_TINY = np.float32(1e-20)
# Noise alone is not magnified more than so many times.
_MOST_GAIN = 6.0


@dataclass(frozen=True)
class Residual:
    """What is left of a window.

    Attributes:
        gcc: averaged GCC-PHAT as loud as that of the whole, in -1..1, shape (pairs, lags),
            float32.
        azimuth: of the direction that is taken out, on the board [rad]; NaN overhead, where all
            azimuths are near.
    """

    gcc: np.ndarray
    azimuth: float


class LoudestFader:
    """Takes the loudest direction out of cross-spectra.

    Args:
        array: the microphones.
        frequencies: of the bins [Hz], shape (bins,).
        lags: of the GCC-PHAT [s], shape (lags,).
    """

    def __init__(self, array: MicArray, frequencies: np.ndarray, lags: np.ndarray):
        self._srp_phat = SrpPhat(array, lags)
        self._first, self._second = array.pairs.T
        delays = -self._srp_phat.directions @ array.positions.T / array.speed_of_sound
        self._delays = delays.astype(np.float32)
        self._angular = (2 * np.pi * frequencies).astype(np.float32)

    def fade(self, cross_spectra: np.ndarray, gcc: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the cross-spectra without the loudest direction, and the azimuth of `Residual`.

        Args:
            cross_spectra: phase-transformed and averaged, shape (pairs, bins), complex64.
            gcc: their GCC-PHAT, shape (pairs, lags).
        """
        loudest = int(self._srp_phat.response(gcc).argmax())
        phase = self._delays[loudest][:, None] * self._angular
        back = np.cos(phase) + 1j * np.sin(phase)
        # Turned back by the delays of the plane wave, what is of it is real and positive.
        turned = cross_spectra * (back[self._first] * back[self._second].conj())
        sizes = np.abs(cross_spectra).mean(axis=0)
        agreement = turned.real.mean(axis=0) / np.maximum(sizes, _TINY)
        share = (1 - np.clip(agreement, 0, 1)) ** 2
        left = float(share @ sizes)
        gain = min(float(sizes.sum()) / left, _MOST_GAIN) if left > 0 else 0.0
        return (gain * share) * cross_spectra, self._azimuth(loudest)

    def _azimuth(self, direction: int) -> float:
        grid = self._srp_phat.grid
        overhead = abs(self._srp_phat.directions[direction, 2]) > _OVERHEAD
        return math.nan if overhead else float(grid.azimuths[direction % grid.azimuth_count])


def beside(grid: DirectionGrid, residual: Residual) -> np.ndarray:
    """Return at which azimuth classes a residual shows what the whole does not.

    Those near the loudest direction are left out: what remains there is no other source.

    Returns:
        Shape (azimuths,), bool; none of them where the loudest is overhead.
    """
    distance = np.abs(wrap_angle(grid.azimuths - residual.azimuth))
    # Rounding decides nothing.
    return distance > PEAK_SEPARATION - grid.azimuth_step / 2
