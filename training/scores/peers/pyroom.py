# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The methods of pyroomacoustics, over the grid of directions that our SRP-PHAT searches."""

import numpy as np
import pyroomacoustics

from doa_ros.core.decoding import Estimate
from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.core.srp_phat import SrpPhat

from ..frames import PEER_RATE
from .windows import WindowPeer, stft

ALGORITHMS = {'SRP-PHAT': 'SRP', 'MUSIC': 'MUSIC', 'NormMUSIC': 'NormMUSIC'}


class Pyroom(WindowPeer):
    """A method of pyroomacoustics, told that there is one source.

    Args:
        title: one of ALGORITHMS.
        array: the microphones.
    """

    def __init__(self, title: str, array: MicArray):
        super().__init__()
        self.name = f'{title} (pyroomacoustics)'
        elevations, azimuths = np.meshgrid(
            SrpPhat.grid.elevations, SrpPhat.grid.azimuths, indexing='ij'
        )
        self._doa = pyroomacoustics.doa.algorithms[ALGORITHMS[title]](
            array.positions.T,
            PEER_RATE,
            self.fft,
            c=array.speed_of_sound,
            num_src=1,
            dim=3,
            azimuth=azimuths.ravel(),
            colatitude=np.pi / 2 - elevations.ravel(),
        )

    def locate(self, window: np.ndarray) -> Estimate:
        """Return the direction in 0.5 s of audio, shape (samples, microphones)."""
        self._doa.locate_sources(stft(window, self.fft).transpose(1, 0, 2))
        azimuth = wrap_angle(float(self._doa.azimuth_recon[0]))
        elevation = np.pi / 2 - float(self._doa.colatitude_recon[0])
        return Estimate(azimuth, elevation, np.nan, np.nan, np.nan)
