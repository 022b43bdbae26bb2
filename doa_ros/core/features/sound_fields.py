# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The features of ideal sound fields: plane waves, and sound from all directions alike."""

import numpy as np

from doa_ros.core.features.feature_type import FeatureType

# Between these frequencies [Hz] the level of a diffuse field is a number of its own. One band
# alone does not follow the spectrum of speech; more than three make elevations no more exact.
_BAND_EDGES = 0.0, 1000.0, 3000.0, np.inf


def plane_waves(feature_type: FeatureType, directions: np.ndarray) -> np.ndarray:
    """Return the features of a plane wave from each direction, alike loud at all frequencies.

    Args:
        feature_type: of the features.
        directions: unit vectors, shape (directions, 3).

    Returns:
        Shape (directions, channels * columns), float32.
    """
    angular = (-2 * np.pi * feature_type.frequencies).astype(np.float32)
    waves = np.empty((len(directions), int(np.prod(feature_type.shape))), dtype=np.float32)
    spectra = np.empty((len(feature_type.array.pairs), len(angular)), dtype=np.complex64)
    for wave, delays in zip(waves, feature_type.array.tdoa(directions), strict=True):
        phase = delays.astype(np.float32)[:, None] * angular
        np.cos(phase, out=spectra.real)
        np.sin(phase, out=spectra.imag)
        wave[:] = feature_type.features(spectra, float(len(angular))).ravel()
    return waves


def diffuse_field(feature_type: FeatureType) -> np.ndarray:
    """Return the features of sound from all directions alike, in each of up to three bands.

    Such a field is coherent between near microphones, the more the lower the frequency (R. Cook et
    al., "Measurement of correlation coefficients in reverberant sound fields", J. Acoustical
    Society of America 27(6), 1955).

    Returns:
        Shape (bands, channels * columns), float32; bands without any frequency are left out.
    """
    array, frequencies = feature_type.array, feature_type.frequencies
    first, second = array.positions[array.pairs].swapaxes(0, 1)
    delay = np.linalg.norm(first - second, axis=1) / array.speed_of_sound
    coherence = np.sinc(2 * delay[:, None] * frequencies).astype(np.complex64)
    bands = np.searchsorted(_BAND_EDGES, frequencies, side='right')
    inside = (bands == band for band in np.unique(bands))
    return np.array([feature_type.features(coherence * b, float(b.sum())).ravel() for b in inside])
