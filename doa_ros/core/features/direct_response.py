# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The steered response to the sound that a diffuse field does not explain.

Reverberation and noise from all around are coherent between near microphones, the more the lower
the frequency (R. Cook et al., "Measurement of correlation coefficients in reverberant sound
fields", J. Acoustical Society of America 27(6), 1955). They raise features at small delays, and so
the response at the zenith of a flat array. What such a field adds is known from the geometry, but
for its level in each band; the least-squares fit of it is left out.
"""

import numpy as np

from doa_ros.core.features.feature_type import FeatureType
from doa_ros.core.features.steered_response import SteeredResponse

# Between these frequencies [Hz] the level of the diffuse field is a number of its own. One band
# alone does not follow the spectrum of speech; more than three make elevations no more exact.
_BAND_EDGES = 0.0, 1000.0, 3000.0, np.inf


class DirectResponse(SteeredResponse):
    """The steered response to features without the part that a diffuse field explains.

    Args:
        feature_type: of the features.
        azimuth_count: how many azimuths are looked at.

    Raises:
        ConfigError: the array resolves no azimuth.
    """

    def __init__(
        self,
        feature_type: FeatureType,
        azimuth_count: int = SteeredResponse.grid.azimuth_count,
    ):
        super().__init__(feature_type, azimuth_count)
        if not self.grid.elevation_count:
            # On a line, a diffuse field looks much like a wave from the side.
            return
        basis, _ = np.linalg.qr(diffuse_features(feature_type).T)
        self._matrix = (self._matrix - (self._matrix @ basis) @ basis.T).astype(np.float32)


def diffuse_features(feature_type: FeatureType) -> np.ndarray:
    """Return the features of a field that comes from all directions alike, in each band.

    Returns:
        Shape (bands, channels * columns); bands without any frequency are left out.
    """
    array, frequencies = feature_type.array, feature_type.frequencies
    first, second = array.positions[array.pairs].swapaxes(0, 1)
    delay = np.linalg.norm(first - second, axis=1) / array.speed_of_sound
    coherence = np.sinc(2 * delay[:, None] * frequencies).astype(np.complex64)
    bands = np.searchsorted(_BAND_EDGES, frequencies, side='right')
    inside = (bands == band for band in np.unique(bands))
    return np.array([feature_type.features(coherence * b, float(b.sum())).ravel() for b in inside])
