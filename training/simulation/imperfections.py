# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Single specimens of a microphone array, which differ from its description."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from doa_ros.core.geometry import MicArray

from ..sections import SimulateConfig

# Phase errors are drawn at octaves and run smoothly between them [Hz].
_OCTAVES = 125.0 * 2.0 ** np.arange(8)
# A housing reflects sound into its microphones this often, within so long a time [s].
_ECHOES = 3
_ECHO_TIME = (5e-5, 5e-4)
# Above this frequency a housing keeps sound from the microphones behind it [Hz].
_SHADOW = 1500.0


@dataclass(frozen=True)
class Specimen:
    """A specimen of an array.

    Attributes:
        positions: where its microphones are in the array's frame [m], shape (microphones, 3).
        gains: shape (microphones,).
        phases: at the octaves [rad], shape (microphones, octaves).
        echo_delays, echo_gains: of its housing [s], shape (microphones, echoes).
        shadow: how much of the high frequencies the housing keeps from its far side, 0..1.
    """

    positions: np.ndarray
    gains: np.ndarray
    phases: np.ndarray
    echo_delays: np.ndarray
    echo_gains: np.ndarray
    shadow: float

    def response(self, frequencies: np.ndarray) -> np.ndarray:
        """Return the responses of the microphones, whatever the direction.

        Args:
            frequencies: [Hz], shape (frequencies,).

        Returns:
            Shape (microphones, frequencies), complex64.
        """
        phase = self.phases.astype(np.float32) @ _octave_weights(frequencies.tobytes())
        gain = self.gains[:, None].astype(np.float32)
        response = np.empty(phase.shape, dtype=np.complex64)
        response.real, response.imag = gain * np.cos(phase), gain * np.sin(phase)
        if self.echo_gains.any():
            turns = -2j * np.pi * frequencies
            for delay, gain in zip(self.echo_delays.T, self.echo_gains.T, strict=True):
                response *= 1 + gain[:, None] * np.exp(turns * delay[:, None])
        return response

    def shading(self, direction: np.ndarray, frequencies: np.ndarray) -> np.ndarray | None:
        """Return what the housing does to sound from a direction; None where it does nothing.

        Args:
            direction: unit vector in the array's frame, shape (3,).
            frequencies: [Hz], shape (frequencies,).

        Returns:
            Shape (microphones, frequencies), complex64.
        """
        if not self.shadow:
            return None
        outwards = self.positions - self.positions.mean(axis=0)
        outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-9)
        share = self.shadow * np.clip(-outwards @ direction, 0, 1)[:, None]
        low_pass = 1 / (1 + 1j * frequencies / _SHADOW)
        return (1 - share + share * low_pass).astype(np.complex64)


@lru_cache(maxsize=4)
def _octave_weights(frequencies: bytes) -> np.ndarray:
    """Return how much every octave counts at frequencies, shape (octaves, frequencies)."""
    place = np.log2(np.maximum(np.frombuffer(frequencies), 1.0))
    each = np.eye(len(_OCTAVES))
    weights = [np.interp(place, np.log2(_OCTAVES), one) for one in each]
    return np.array(weights, dtype=np.float32)


def draw_specimen(rng: np.random.Generator, array: MicArray, config: SimulateConfig) -> Specimen:
    """Draw a specimen of an array."""
    count = len(array.positions)
    specimen = Specimen(
        positions=array.positions + rng.normal(0, config.position, array.positions.shape),
        gains=10 ** (rng.normal(0, config.gain_db, count) / 20),
        phases=np.radians(rng.normal(0, config.phase_deg, (count, len(_OCTAVES)))),
        echo_delays=rng.uniform(*_ECHO_TIME, (count, _ECHOES)),
        echo_gains=config.enclosure * rng.uniform(-0.4, 0.4, (count, _ECHOES)),
        shadow=config.enclosure,
    )
    # Drawn last: what is above is the same whatever the size is.
    if not config.size:
        return specimen
    return replace(specimen, positions=rng.normal(1, config.size) * specimen.positions)
