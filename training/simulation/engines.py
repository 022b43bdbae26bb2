# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a microphone array hears of a pulse in a shoebox room, computed in two ways."""

from collections.abc import Callable
import math
from typing import Protocol

import numpy as np
import pyroomacoustics
from scipy import signal

from doa_ros.core.geometry import MicArray
from doa_ros.simulation.acoustics import (
    DiffuseField,
    Room,
    image_sources,
    impulse_responses,
    reverberant_decay,
)

# Reflections are exact for this long after the direct sound, then fade into a diffuse tail [s].
EARLY = 0.08
_FADE = 0.005
# The tail is taken from diffuse noise of this length [s], made once.
_BANK = 8.0
_BANK_SEED = 1
# Of the high-pass that pyroomacoustics gives its responses [Hz].
_HIGH_PASS = 10.0
_PAST = 32

# The simulation runs in one process per core.
pyroomacoustics.constants.set('num_threads', 1)


class Engine(Protocol):
    """How a room answers a pulse."""

    def responses(
        self, rng: np.random.Generator, room: Room, source: np.ndarray, microphones: np.ndarray
    ) -> np.ndarray:
        """Return the responses from a source to the microphones.

        Args:
            rng: source of randomness where there is any.
            room: where.
            source: position in the room [m], shape (3,).
            microphones: positions in the room [m], shape (microphones, 3).

        Returns:
            Shape (microphones, samples), float32, 1 at 1 m distance; the first sample is when
            the pulse is made.
        """


class ImageMethod:
    """The image method of pyroomacoustics in full: the reference.

    Args:
        array: the microphones.
        rate: sampling frequency [Hz].
    """

    def __init__(self, array: MicArray, rate: int):
        self._rate, self._speed = rate, array.speed_of_sound

    def responses(
        self, rng: np.random.Generator, room: Room, source: np.ndarray, microphones: np.ndarray
    ) -> np.ndarray:
        """Return the responses from a source to the microphones: see `Engine`."""
        reflection = room.reflection(self._speed)
        shoebox = pyroomacoustics.ShoeBox(
            room.size,
            fs=self._rate,
            materials=pyroomacoustics.Material(1 - reflection**2),
            max_order=math.ceil(self._speed * room.rt60 / room.size.min()),
        )
        shoebox.set_sound_speed(self._speed)
        shoebox.add_source(source)
        shoebox.add_microphone_array(microphones.T)
        shoebox.compute_rir()
        filter_delay = pyroomacoustics.constants.get('frac_delay_length') // 2
        length = max(len(rir[0]) for rir in shoebox.rir)
        responses = np.zeros((len(microphones), length - filter_delay), dtype=np.float32)
        for response, rir in zip(responses, shoebox.rir, strict=True):
            response[: len(rir[0]) - filter_delay] = rir[0][filter_delay:]
        return responses


class EarlyImages:
    """Images until 80 ms after the direct sound, then a diffuse tail that decays as they would.

    The tail is coherent between the microphones as in a diffuse field, and its power is that of
    the images left out, so that nothing has to be fitted.

    Args:
        array: the microphones.
        rate: sampling frequency [Hz].
    """

    def __init__(self, array: MicArray, rate: int):
        self._rate, self._speed = rate, array.speed_of_sound
        field = DiffuseField(array.positions, rate, array.speed_of_sound)
        independent = np.random.default_rng(_BANK_SEED).standard_normal(
            (len(array.positions), round(_BANK * rate)), dtype=np.float32
        )
        self._bank = field.mix(independent)
        self._high_pass = signal.butter(2, _HIGH_PASS, 'high', fs=rate, output='sos')

    def responses(
        self, rng: np.random.Generator, room: Room, source: np.ndarray, microphones: np.ndarray
    ) -> np.ndarray:
        """Return the responses from a source to the microphones: see `Engine`."""
        rate, speed = self._rate, self._speed
        reflection = room.reflection(speed)
        centre = microphones.mean(axis=0)
        distance = float(np.linalg.norm(source - centre))
        margin = float(np.linalg.norm(microphones - centre, axis=1).max())
        if not reflection:
            length = math.ceil((distance + margin) / speed * rate) + 64
            return impulse_responses(source[None], np.ones(1), microphones, rate, length, speed)
        early = round((distance / speed + EARLY) * rate)
        fade = round(_FADE * rate)
        length = early + fade
        reach = length / rate * speed + margin
        images, amplitudes = image_sources(room.size, source, reflection, centre, reach)
        exact = impulse_responses(images, amplitudes, microphones, rate, length, speed)
        ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
        exact[:, early:] *= ramp[::-1]
        total = max(length, round((distance / speed + room.rt60) * rate))
        start = int(rng.integers(self._bank.shape[1] - (total - early)))
        tail = self._bank[:, start : start + total - early]
        # The decay is smooth: a few points in time are enough.
        times = np.linspace(early, total, 32)
        decay = reverberant_decay(room.size, reflection, times / rate, speed)
        power, mean = (
            np.interp(np.arange(early, total), times, part / rate).astype(np.float32)
            for part in decay
        )
        tail = np.sqrt(power) * tail + mean
        tail[:, :fade] *= ramp
        # The filter takes what it begins with for the past, which has to be silence.
        responses = np.zeros((len(microphones), _PAST + total), dtype=np.float32)
        responses[:, _PAST : _PAST + length] = exact
        responses[:, _PAST + early :] += tail
        filtered = signal.sosfiltfilt(self._high_pass, responses, axis=1)
        return filtered[:, _PAST:].astype(np.float32)


ENGINES: dict[str, Callable[[MicArray, int], Engine]] = {
    'pyroomacoustics': ImageMethod,
    'fast': EarlyImages,
}
