# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ESPRIT for a uniform circle of microphones, in closed form.

C. Mathews and M. Zoltowski, "Eigenstructure techniques for 2-D angle estimation with uniform
circular arrays", IEEE Transactions on Signal Processing 42(9), 1994 (UCA-ESPRIT).

A plane wave of azimuth a and elevation e excites the phase mode m of a circle of radius r with
j^m J_m(z) exp(j m a), z = k r cos(e). The recursion of the Bessel functions,
2 m J_m(z) = z (J_m-1(z) + J_m+1(z)), makes it a linear equation between neighbouring modes, with
the unknown u = cos(e) exp(j a): azimuth and elevation need no search. u is the same at every
frequency, so that the equations of all bins are solved at once; this is the step from the
narrow band of the paper to speech.
"""

import math

import numpy as np

from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.decoding import Estimate

from ..inputs import BASELINE_RATE
from ..method import UnavailableError
from .windows import WindowMethod, stft

# How far a microphone may lie from its place on the circle, as a share of the radius.
_TOLERANCE = 0.02
_BAND_MIN = 200.0


class Esprit(WindowMethod):
    """UCA-ESPRIT for one source.

    Args:
        array: the microphones.

    Raises:
        UnavailableError: they are not a uniform circle of six or more.
    """

    name = 'ESPRIT (circular, phase modes)'

    def __init__(self, array: MicArray):
        super().__init__()
        radius, angles = _circle(array)
        # The paper asks for more than twice as many microphones as the highest mode, plus two:
        # closer ones alias into it.
        self._highest = len(angles) // 2 - 1
        modes = np.arange(-self._highest, self._highest + 1)
        self._transform = (-1j) ** modes[:, None] * np.exp(1j * modes[:, None] * angles)
        self._transform /= math.sqrt(len(angles))
        self._inner = modes[1:-1]
        frequencies = np.fft.rfftfreq(self.fft, 1 / BASELINE_RATE)
        wave_radius = 2 * np.pi * frequencies * radius / array.speed_of_sound
        # Modes beyond k r are hardly excited, and where k r is larger, higher ones alias.
        self._bins = (frequencies >= _BAND_MIN) & (wave_radius <= self._highest)
        self._wave_radius = wave_radius[self._bins]

    def locate(self, window: np.ndarray) -> list[Estimate]:
        """Return the direction in 0.5 s of audio, shape (samples, microphones)."""
        spectra = stft(window, self.fft)[self._bins]
        modes = np.einsum('pm,fmt->fpt', self._transform, spectra)
        covariance = modes @ modes.conj().swapaxes(1, 2)
        powers, vectors = np.linalg.eigh(covariance)
        # The strongest eigenvector spans the signal; a bin counts by how far it stands out.
        excess = powers[:, -1] - powers[:, :-1].mean(axis=1)
        share = excess / np.maximum(powers.sum(axis=1), np.finfo(float).tiny)
        signal = vectors[:, :, -1] * share[:, None]

        left, middle, right = signal[:, :-2], signal[:, 1:-1], signal[:, 2:]
        left, right = (self._wave_radius[:, None] * part for part in (left, right))
        # left u + right conj(u) = 2 m middle, with the errors of all equations alike.
        weight = 1 / np.hypot(2 * self._inner, self._wave_radius[:, None])
        known = (weight * 2 * self._inner * middle).ravel()
        factors = np.stack([left + right, 1j * (left - right)], axis=-1) * weight[..., None]
        equations = np.column_stack([factors.reshape(-1, 2), known])
        # Total least squares: the noise is on both sides, and would shrink u otherwise.
        right_vectors = np.linalg.svd(
            np.concatenate([equations.real, equations.imag]), full_matrices=False
        )[2]
        real, imaginary, scale = right_vectors[-1]
        azimuth = math.atan2(-imaginary * scale, -real * scale)
        elevation = math.acos(min(1.0, math.hypot(real, imaginary) / max(abs(scale), 1e-12)))
        return [Estimate(azimuth, elevation, np.nan, np.nan, np.nan)]


def _circle(array: MicArray) -> tuple[float, np.ndarray]:
    """Return the radius [m] and the microphones' angles [rad]."""
    count = len(array.positions)
    if count < 6:
        raise UnavailableError(
            Esprit.name, f'needs at least six microphones on a circle, not {count}'
        )
    places = array.positions - array.positions.mean(axis=0)
    plane = places[:, 0] + 1j * places[:, 1]
    radius = float(np.abs(plane).mean())
    order = np.argsort(np.angle(plane))
    turn = np.exp(2j * np.pi * np.arange(count) / count)
    start = np.mean(plane[order] / turn)
    ideal = radius * start / max(abs(start), 1e-12) * turn
    away = np.hypot(np.abs(plane[order] - ideal), np.abs(places[order, 2])).max()
    if away > _TOLERANCE * radius:
        raise UnavailableError(
            Esprit.name,
            f'the microphones are not a uniform circle: one lies {away * 1000:.1f} mm off it',
        )
    return radius, np.angle(plane)
