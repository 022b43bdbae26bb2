# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How likely it is that what is heard at a frequency comes from one direction.

The spectra of the microphones, whatever their level, have a complex angular central Gaussian
distribution (N. Ito, S. Araki and T. Nakatani, "Complex angular central Gaussian mixture model for
directional statistics in mask-based microphone array signal processing", EUSIPCO 2016). That of a
talker is of a plane wave a and of a diffuse field with coherence G, that of the background of the
field alone. With g = G^-1 x, the likelihood of a talker over that of the background is::

    ((1 + r q) (1 - s)^n)^-1,   s = r / (1 + r q) |a* g|^2 / (x* g),   q = a* G^-1 a

where r is the power of the wave over that of the field. All talkers share g. At low frequencies,
of which an array hears nearly the same from all directions, all likelihoods are nearly the same.
"""

import numpy as np

from doa_ros.core.geometry import MicArray

# Power of a talker's direct sound over that of their reverberation.
_DIRECT = 7 / 3
# Share of noise that the microphones do not have in common; it also bounds what errors of their
# gains and places do.
_SENSOR_NOISE = 0.05
# The exponent n: the number of microphones of a common array. With many more, errors of the
# positions and of the directions would count for more than the sound.
_EXPONENT = -6
# Likelihood of the background before anything is heard, that of a talker being 1.
BACKGROUND = np.float32(0.5)
_TINY = np.float32(1e-20)
# The least that is left of the power beside that of the wave; it keeps numbers finite.
_LEAST_REST = np.float32(1e-4)


class DirectionalMasks:
    """The likelihoods of directions, for one array.

    Args:
        array: the microphones.
        frequencies: of the bins [Hz], shape (bins,).
    """

    def __init__(self, array: MicArray, frequencies: np.ndarray):
        places = array.frame_positions - array.frame_positions.mean(axis=0)
        self._delays = places / array.speed_of_sound
        self._turns = 2j * np.pi * frequencies
        distances = np.linalg.norm(places[:, None] - places, axis=2)
        coherence = np.sinc(2 * distances[..., None] * frequencies / array.speed_of_sound)
        coherence += _SENSOR_NOISE * np.eye(len(places))[..., None]
        self._coherence = coherence / (1 + _SENSOR_NOISE)
        self.leave_out(np.zeros(len(places), dtype=bool))

    def leave_out(self, dead: np.ndarray) -> None:
        """Leave out dead microphones, shape (microphones,), bool."""
        self._alive = ~dead
        coherence = self._coherence.copy()
        coherence[dead] = coherence[:, dead] = 0
        coherence[dead, dead] = 1
        inverse = np.linalg.inv(np.moveaxis(coherence, 2, 0))
        self._inverse = np.moveaxis(inverse, 0, 2).astype(np.float32, order='C')

    def steering(self, direction: np.ndarray) -> np.ndarray:
        """Return what the microphones hear of a plane wave that is 1 in the array's centre.

        Args:
            direction: unit vector in the mounted frame, shape (3,).

        Returns:
            Shape (microphones, bins), complex64; 0 for dead microphones.
        """
        delays = self._delays @ direction
        waves = np.exp(self._turns * delays[:, None]).astype(np.complex64)
        waves[~self._alive] = 0
        return waves

    def whitened(self, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return g and x* g of spectra.

        Args:
            spectra: 0 of dead microphones, shape (microphones, bins), complex64.

        Returns:
            Shapes (microphones, bins), complex64, and (bins,), float32.
        """
        whitened = (self._inverse * spectra).sum(axis=1)
        power = (spectra.real * whitened.real + spectra.imag * whitened.imag).sum(axis=0)
        return whitened, np.maximum(power, _TINY)

    def direction(self, direction: np.ndarray) -> 'Direction':
        """Return what is computed once of a direction, a unit vector in the mounted frame."""
        steering = self.steering(direction)
        conjugate = steering.conj()
        q = (conjugate * (self._inverse * steering).sum(axis=1)).sum(axis=0).real
        return Direction(conjugate, (1 / (1 + _DIRECT * q)).astype(np.float32))


class Direction:
    """A direction that sound may come from.

    Args:
        conjugate: of the steering vector, shape (microphones, bins), complex64.
        field: 1 / (1 + r q), shape (bins,), float32.
    """

    def __init__(self, conjugate: np.ndarray, field: np.ndarray):
        self._conjugate = conjugate
        self._mean = conjugate / max(1.0, float(np.count_nonzero(conjugate[:, 0])))
        self._field, self._gain = field, field * np.float32(_DIRECT)

    def beam(self, spectra: np.ndarray) -> np.ndarray:
        """Return the delay-and-sum beam of spectra, shape (bins,), complex64.

        Args:
            spectra: 0 of dead microphones, shape (microphones, bins), complex64.
        """
        return (self._mean * spectra).sum(axis=0)

    def share(self, whitened: np.ndarray, power: np.ndarray) -> np.ndarray:
        """Return s, the share of the whitened power that is of this direction, shape (bins,).

        Args:
            whitened, power: of `DirectionalMasks.whitened`.
        """
        beam = (self._conjugate * whitened).sum(axis=0)
        share = beam.real**2 + beam.imag**2
        share *= self._gain
        share /= power
        return share

    def likelihood(self, share: np.ndarray) -> np.ndarray:
        """Return the likelihood over that of the background, shape (bins,), float32.

        Args:
            share: of the method of that name, or a mean of some.
        """
        likelihood = np.maximum(1 - share, _LEAST_REST) ** _EXPONENT
        likelihood *= self._field
        return likelihood
