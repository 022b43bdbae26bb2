# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Features as a sum of plane waves, their reflections and a diffuse field.

Waves are found one by one by orthogonal matching pursuit (Y. Pati, R. Rezaiifar and P.
Krishnaprasad, Asilomar Conference on Signals, Systems and Computers, 1993): the direction is taken
that explains most of what is left, and the amplitudes of all are fitted anew. So no talker hides
another one with side lobes. What a diffuse field of any level explains is left out before, of
features and waves alike: reverberation would draw directions to where waves resemble it most, the
zenith of a flat array.

Floor and ceiling reflect a talker from the same azimuth, but from steeper directions, and would
draw elevations there. So a wave is judged together with the reflections that fit it best. They
are not louder than the square of the share that no wave explains, because reflections come with
reverberation: in the open there are none.
"""

from dataclasses import dataclass
import math

import numpy as np

# A wave that explains less than this share of what the first one does is none.
_LEAST_SHARE = 0.2
# What is added to the energies of waves, relative to the largest: it keeps the amplitudes of
# nearly equal waves finite.
_RIDGE = 1e-3
# Reflections are so much steeper than their wave, at least [rad].
_STEEPER = math.radians(30)
_TINY = np.float32(1e-9)


@dataclass(frozen=True)
class FoundWaves:
    """The waves in the features of a window, the first one first.

    Attributes:
        directions: their numbers, row by row.
        amplitudes: 1 for features that are a plane wave; 0 or more.
        correlations: of the wave from each direction with what the other found waves leave, shape
            (found, rows, azimuths).
    """

    directions: list[int]
    amplitudes: np.ndarray
    correlations: np.ndarray

    @property
    def unexplained(self) -> float:
        """The share of the features that no wave explains, 0..1."""
        return max(0.0, 1 - float(self.amplitudes.sum()))


class WaveModel:
    """The waves from a grid of directions, as an array hears them.

    Args:
        waves: features of a wave from each direction, shape (rows, azimuths, features); 0 where
            no answer is.
        diffuse: features of a diffuse field in some bands, shape (bands, features); no band where
            it cannot be told from a wave.
        elevations: of the rows [rad]; empty where they are not elevations.
        near: which directions are too near to each other for two waves, shape (directions,
            directions), bool.
        heard: which features living microphones hear, shape (features,), bool; the others are 0.
    """

    def __init__(
        self,
        waves: np.ndarray,
        diffuse: np.ndarray,
        elevations: np.ndarray,
        near: np.ndarray,
        heard: np.ndarray,
    ):
        self._shape, self._apart = waves.shape[:2], (~near).astype(np.float32)
        whole, waves = waves, waves * heard
        # With fewer pairs waves are lower, and so is reverberation, but not the noise of each
        # pair: halfway between both, answers are as right as with all.
        highest = (np.linalg.norm(fields, axis=-1).max() for fields in (whole, waves))
        self._scale = np.float32(1 / math.sqrt(math.prod(highest)))
        flat = waves.reshape(-1, waves.shape[-1])
        basis, _ = np.linalg.qr((diffuse * heard).T)
        self._waves = (flat - (flat @ basis) @ basis.T).astype(np.float32)
        self._gram = self._waves @ self._waves.T
        energy = np.maximum(np.diag(self._gram), _TINY)
        self._ridge = _RIDGE * float(energy.max())
        self._per_size = self._scale / np.sqrt(energy)
        self._energy = energy.reshape(self._shape)
        self._steeper = _steeper(elevations).astype(np.float32)
        if len(elevations):
            reflections = np.tensordot(self._steeper, self._waves.reshape(waves.shape), 1)
            own = self._waves.reshape(waves.shape)
            self._shared = np.einsum('raf,raf->ra', reflections, own)
            self._reflected = np.einsum('raf,raf->ra', reflections, reflections)

    def find(self, features: np.ndarray, most: int) -> FoundWaves:
        """Return the waves in features of shape (features,), `most` of them at most."""
        whole = self._waves @ features
        left, free, least = whole.copy(), self._per_size.copy(), -math.inf
        found: list[int] = []
        # Of the part of each found wave that the ones before it do not explain.
        own: list[np.ndarray] = []
        while len(found) < most:
            heights = left * free
            best = int(heights.argmax())
            height = float(heights[best])
            if height <= least:
                break
            least = max(least, _LEAST_SHARE * height)
            free *= self._apart[best]
            row = self._gram[best].copy()
            for direction, other in zip(found, own, strict=True):
                row -= (row[direction] / other[direction]) * other
            row[best] += self._ridge
            left -= (left[best] / row[best]) * row
            found.append(best)
            own.append(row)
        gram = self._gram[found]
        amplitudes = self._amplitudes(gram[:, found], whole[found])
        parts = amplitudes[:, None] * gram
        correlations = parts + (whole - parts.sum(axis=0))
        return FoundWaves(found, amplitudes, correlations.reshape(-1, *self._shape))

    def _amplitudes(self, gram: np.ndarray, correlations: np.ndarray) -> np.ndarray:
        gram.flat[:: len(gram) + 1] += self._ridge
        return np.maximum(np.linalg.solve(gram, correlations), 0)

    def heights(self, correlations: np.ndarray) -> np.ndarray:
        """Return how much each wave alone explains, as a root of the share of the energy.

        Args:
            correlations: of `FoundWaves`, shape (..., rows, azimuths).
        """
        return correlations * self._per_size.reshape(self._shape)

    def heights_with_reflections(self, correlations: np.ndarray, most: float) -> np.ndarray:
        """Return how much each wave explains together with its reflections.

        Args:
            correlations: of `FoundWaves`, shape (rows, azimuths).
            most: how loud the reflections may be, relative to their wave.
        """
        reflected = self._steeper @ correlations
        # The least-squares amplitudes of both, times a number above 0.
        wave = self._reflected * correlations - self._shared * reflected
        reflection = self._energy * reflected - self._shared * correlations
        ratio = np.minimum(np.maximum(reflection, 0) / np.maximum(wave, _TINY), most)
        energy = self._energy + ratio * (2 * self._shared + ratio * self._reflected)
        return self._scale * (correlations + ratio * reflected) / np.sqrt(energy)


def _steeper(elevations: np.ndarray) -> np.ndarray:
    """Return the waves that a reflection of a wave is a mean of, shape (rows, rows).

    They come from all steeper elevations, up and down; the higher, the fewer.
    """
    slope = np.abs(elevations)
    weights = np.cos(elevations) * (slope >= slope[:, None] + _STEEPER - 1e-6)
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), _TINY)
