# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sounds at the microphones: through a room, from sources that move, at levels beside each other.

Arrays keep the type of the sound, float32 or float64.
"""

from collections.abc import Callable, Iterable
import math
from typing import TypeVar

import numpy as np
from scipy import fft

Place = TypeVar('Place')


def convolve(
    one: np.ndarray,
    other: np.ndarray,
    transfer: Callable[[int], np.ndarray | None] | None = None,
) -> np.ndarray:
    """Convolve a sound, shape (samples,), with impulse responses, shape (microphones, samples).

    Args:
        one, other: the two, in any order; time is the last axis.
        transfer: what else the sound passes: takes the length of the FFT and returns transfer
            functions, shape (microphones, frequencies), or None where it passes unchanged.

    Returns:
        What is heard, then silence, shape (microphones, length of the FFT).
    """
    size = fft.next_fast_len(one.shape[-1] + other.shape[-1], real=True)
    spectra = fft.rfft(other, size) * fft.rfft(one, size)
    if transfer is not None and (factors := transfer(size)) is not None:
        spectra *= factors
    return fft.irfft(spectra, size)


def render_moving(
    sound: np.ndarray,
    stops: Iterable[tuple[int, np.ndarray, Place]],
    hear: Callable[[np.ndarray, Place], np.ndarray],
    microphones: int,
) -> np.ndarray:
    """Return what microphones hear of a sound whose source moves from place to place.

    Between two places, the sound comes from both, and fades from one to the next.

    Args:
        sound: shape (samples,).
        stops: for each place the sample from which on it is heard from there, weights of the
            samples from there on, and the place. At every sample the weights add up to one.
        hear: returns what is heard of a part of the sound from a place, shape (microphones, any).
        microphones: how many there are.

    Returns:
        Shape (microphones, samples).
    """
    heard = np.zeros((microphones, len(sound)), dtype=sound.dtype)
    for begin, weights, place in stops:
        part = (weights * sound[begin : begin + len(weights)]).astype(sound.dtype)
        if part.any():
            response = hear(part, place)[:, : len(sound) - begin]
            heard[:, begin : begin + response.shape[1]] += response
    return heard


def direct_sound(
    sound: np.ndarray, distance: float, rate: int, speed_of_sound: float
) -> np.ndarray:
    """Return the direct sound at the array: the sound, delayed by its way there.

    Args:
        sound: shape (samples,).
        distance: of the source [m].
        rate: sampling frequency [Hz].
        speed_of_sound: [m/s].

    Returns:
        Shape (samples,), as loud as the sound.
    """
    delay = round(distance / speed_of_sound * rate)
    return np.concatenate([np.zeros(delay, dtype=sound.dtype), sound])[: len(sound)]


def gain_to_level(power: float, level_db: float = 0.0, reference: float = 1.0) -> float:
    """Return the gain that gives a sound a level.

    Args:
        power: mean power of the sound.
        level_db: the level wanted [dB over the reference].
        reference: power of 0 dB.
    """
    return math.sqrt(reference / power) * 10 ** (level_db / 20)


def gain_to_peak(sound: np.ndarray, peak_dbfs: float) -> float:
    """Return the gain that gives the loudest sample of a sound a level [dB of full scale]."""
    return 10 ** (peak_dbfs / 20) / np.abs(sound).max()
