# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The methods of pyroomacoustics, on the grid of directions that `SrpPhat` searches."""

import numpy as np
import pyroomacoustics

from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.srp_phat import SrpPhat

from ..inputs import BASELINE_RATE
from .windows import WindowMethod, stft

ALGORITHMS = {'SRP-PHAT': 'SRP', 'MUSIC': 'MUSIC', 'NormMUSIC': 'NormMUSIC'}


class Pyroom(WindowMethod):
    """A method of pyroomacoustics.

    Args:
        title: one of ALGORITHMS.
        array: the microphones.
        sources: how many it is told that there are.
    """

    def __init__(self, title: str, array: MicArray, sources: int = 1):
        super().__init__()
        told = '' if sources == 1 else f', told {sources}'
        self.name = f'{title} (pyroomacoustics{told})'
        elevations, azimuths = np.meshgrid(
            SrpPhat.grid.elevations, SrpPhat.grid.azimuths, indexing='ij'
        )
        self._doa = pyroomacoustics.doa.algorithms[ALGORITHMS[title]](
            array.positions.T,
            BASELINE_RATE,
            self.fft,
            c=array.speed_of_sound,
            num_src=sources,
            dim=3,
            azimuth=azimuths.ravel(),
            colatitude=np.pi / 2 - elevations.ravel(),
        )

    def locate(self, window: np.ndarray) -> list[Estimate]:
        """Return directions in 0.5 s of audio, shape (samples, microphones)."""
        self._doa.locate_sources(stft(window, self.fft).transpose(1, 0, 2))
        return [
            Estimate(wrap_angle(float(azimuth)), np.pi / 2 - float(colatitude), *(np.nan,) * 3)
            for azimuth, colatitude in zip(
                self._doa.azimuth_recon, self._doa.colatitude_recon, strict=True
            )
        ]
