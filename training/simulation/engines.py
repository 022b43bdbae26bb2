# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a microphone array hears of a pulse in a shoebox room, computed in two ways."""

from collections.abc import Callable
from dataclasses import dataclass
import math
import time
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
_EARLY = 0.08
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
        early = round((distance / speed + _EARLY) * rate)
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


@dataclass(frozen=True)
class EngineComparison:
    """The fast engine beside the reference, medians over rooms.

    Attributes:
        correlation: of the responses up to 80 ms after the direct sound, over all microphones.
        t20, reference_t20: decay time from -5 to -25 dB, times three [s].
        seconds, reference_seconds: processor time per source [s].
    """

    correlation: float
    t20: float
    reference_t20: float
    seconds: float
    reference_seconds: float


def compare_engines(array: MicArray, rate: int, rt60: float, rooms: int = 5) -> EngineComparison:
    """Compare both engines in random rooms.

    Args:
        array: the microphones.
        rate: sampling frequency [Hz].
        rt60: reverberation time [s].
        rooms: how many.
    """
    rng = np.random.default_rng(1)
    reference, fast = ImageMethod(array, rate), EarlyImages(array, rate)
    rows = []
    for _ in range(rooms):
        size = rng.uniform([4.0, 3.5, 2.4], [8.0, 6.0, 3.5])
        centre = size * rng.uniform(0.35, 0.65, 3)
        source = size * rng.uniform(0.1, 0.9, 3)
        arguments = rng, Room(size, rt60), source, centre + array.positions
        expected, slow = _timed(reference, arguments, 1)
        # The first call fills the tables that depend on the length.
        _timed(fast, arguments, 1)
        got, quick = _timed(fast, arguments, 10)
        distance = float(np.linalg.norm(source - centre))
        early = slice(round((distance / array.speed_of_sound + _EARLY) * rate))
        correlation = np.corrcoef(expected[:, early].ravel(), got[:, early].ravel())[0, 1]
        rows.append((correlation, _t20(got, rate), _t20(expected, rate), quick, slow))
    return EngineComparison(*map(float, np.median(rows, axis=0)))


def _timed(engine: Engine, arguments: tuple, repetitions: int) -> tuple[np.ndarray, float]:
    begin = time.process_time()
    for _ in range(repetitions):
        responses = engine.responses(*arguments)
    return responses, (time.process_time() - begin) / repetitions


def _t20(responses: np.ndarray, rate: int) -> float:
    # All images are positive: the lowest frequencies pile up to a slow decay nobody hears.
    high_pass = signal.butter(4, 200, 'high', fs=rate, output='sos')
    energy = np.mean(signal.sosfilt(high_pass, responses.astype(float)) ** 2, axis=0)
    level = 10 * np.log10(np.cumsum(energy[::-1])[::-1] / energy.sum() + 1e-12)
    return 3 * float(np.argmax(level < -25) - np.argmax(level < -5)) / rate
