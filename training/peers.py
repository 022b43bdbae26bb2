# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Other people's methods, on the same audio: those of pyroomacoustics."""

import numpy as np
import pyroomacoustics

from doa_ros.audio.mono import resample
from doa_ros.core.decoding import Estimate
from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.core.srp_phat import SrpPhat

PEERS = {'SRP-PHAT (pyroomacoustics)': 'SRP', 'NormMUSIC (pyroomacoustics)': 'NormMUSIC'}

# What they are usually run with: 16 kHz speech in windows of 0.5 s, told that there is one source.
_RATE = 16000
_WINDOW = 0.5
_FFT = 512


class Peer:
    """A method of pyroomacoustics over the grid of directions that our SRP-PHAT searches.

    Args:
        algorithm: its name in `pyroomacoustics.doa.algorithms`.
        array: the microphones.
    """

    def __init__(self, algorithm: str, array: MicArray):
        grid = SrpPhat.grid
        elevations, azimuths = np.meshgrid(grid.elevations, grid.azimuths, indexing='ij')
        self._doa = pyroomacoustics.doa.algorithms[algorithm](
            array.positions.T,
            _RATE,
            _FFT,
            c=array.speed_of_sound,
            num_src=1,
            dim=3,
            azimuth=azimuths.ravel(),
            colatitude=np.pi / 2 - elevations.ravel(),
        )

    def locate(self, audio: np.ndarray) -> Estimate:
        """Return the direction in a piece of audio.

        Args:
            audio: at 16 kHz (see `for_peers`), shape (samples, microphones).
        """
        frames = pyroomacoustics.transform.stft.analysis(
            audio, _FFT, _FFT // 2, win=pyroomacoustics.hann(_FFT)
        )
        self._doa.locate_sources(frames.transpose(2, 1, 0))
        azimuth = wrap_angle(float(self._doa.azimuth_recon[0]))
        elevation = np.pi / 2 - float(self._doa.colatitude_recon[0])
        return Estimate(azimuth, elevation, np.nan, np.nan, 1.0)


def for_peers(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return audio of shape (samples, microphones) at the peers' rate."""
    return resample(audio, rate, _RATE)


def window_before(audio: np.ndarray, end: float) -> np.ndarray:
    """Return the peers' window of resampled audio that ends at a time [s]."""
    last = round(end * _RATE)
    return audio[max(0, last - round(_WINDOW * _RATE)) : last]
