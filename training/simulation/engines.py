# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a microphone array hears of a pulse in a shoebox room, computed in two ways."""

from collections.abc import Callable
from functools import cached_property
import math
from typing import Protocol

import numpy as np
import pyroomacoustics
from scipy import fft, signal

from doa_ros.core.geometry import MicArray
from doa_ros.simulation.acoustics import (
    DiffuseField,
    Room,
    image_sources,
    image_sources_of_walls,
    impulse_responses,
    impulse_responses_in_bands,
    reverberant_decay,
    reverberant_decay_in_bands,
)
from doa_ros.simulation.materials import BANDS, Material, band_weights

# Reflections are exact for this long after the direct sound, then fade into a diffuse tail [s].
EARLY = 0.08
_FADE = 0.005
# Where walls are of materials, single echoes stand out for longer: so many images are exact.
_EXACT_IMAGES = 20_000
# Their decay is known at so many times up to so long [s]; what is below this power is left out.
_STEPS, _LONGEST, _INAUDIBLE = 300, 3.0, 1e-6
# The tail is taken from diffuse noise of this length [s], made once.
_BANK = 8.0
_BANK_SEED = 1
# Of the high-pass that pyroomacoustics gives its responses [Hz].
_HIGH_PASS = 10.0
_PAST = 32

# The walls of `Room`, as pyroomacoustics calls them.
_WALLS = 'west', 'east', 'south', 'north', 'floor', 'ceiling'

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

    Walls scatter nothing: it takes their absorption alone.

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
        seconds = room.rt60
        if room.walls:
            materials = dict(zip(_WALLS, map(_material, room.walls), strict=True))
            # Between the hardest walls it takes longer.
            seconds *= 2
        else:
            materials = pyroomacoustics.Material(1 - room.reflection(self._speed) ** 2)
        shoebox = pyroomacoustics.ShoeBox(
            room.size,
            fs=self._rate,
            materials=materials,
            max_order=math.ceil(self._speed * seconds / room.size.min()),
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


def _material(wall: Material) -> pyroomacoustics.Material:
    return pyroomacoustics.Material(
        {'description': '', 'coeffs': list(wall.absorption), 'center_freqs': list(BANDS)}
    )


class EarlyImages:
    """Images until 80 ms after the direct sound, then a diffuse tail that decays as they would.

    The tail is coherent between the microphones as in a diffuse field, and its power is that of
    the images left out, so that nothing has to be fitted. Where walls are of materials, images go
    on for longer, everything depends on frequency, and what is scattered is diffuse at once.

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
        if room.walls:
            return self._responses_of_walls(rng, room, source, microphones)
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
        return self._joined(exact, tail, early)

    def _responses_of_walls(
        self, rng: np.random.Generator, room: Room, source: np.ndarray, microphones: np.ndarray
    ) -> np.ndarray:
        rate, speed = self._rate, self._speed
        centre = microphones.mean(axis=0)
        begin = float(np.linalg.norm(source - centre)) / speed
        margin = float(np.linalg.norm(microphones - centre, axis=1).max())
        # As many images as rooms fit into a sphere.
        radius = np.cbrt(3 * _EXACT_IMAGES * np.prod(room.size) / (4 * math.pi))
        exact_until = max(begin + EARLY, min(radius / speed, begin + room.rt60))
        early, fade = round(exact_until * rate), round(_FADE * rate)
        length = early + fade
        images, amplitudes = image_sources_of_walls(
            room, source, centre, length / rate * speed + margin
        )
        exact = impulse_responses_in_bands(images, amplitudes, microphones, rate, length, speed)
        ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
        exact[:, early:] *= ramp[::-1]
        times = np.linspace(0, _LONGEST, _STEPS)
        mirrored, scattered = reverberant_decay_in_bands(room, times, speed)
        heard = (mirrored + scattered).max(axis=0) > _INAUDIBLE * mirrored[:, 0].max()
        total = max(length, round(times[heard][-1] * rate))
        # What is scattered comes after the direct sound, what is mirrored after the exact part.
        first = round(begin * rate)
        seconds = np.arange(first, total) / rate
        left = np.ones(total - first)
        left[: early - first] = 0
        left[early - first : length - first] = ramp**2
        power = [
            np.interp(seconds, times, field) + left * np.interp(seconds, times, late)
            for field, late in zip(scattered, mirrored, strict=True)
        ]
        tail = self._diffuse(rng, np.sqrt(np.array(power) / rate))
        return self._joined(exact, tail, first)

    def _diffuse(self, rng: np.random.Generator, levels: np.ndarray) -> np.ndarray:
        """Return diffuse noise whose level in bands changes, shape (bands, samples)."""
        samples = levels.shape[1]
        start = int(rng.integers(self._bank.shape[1] - samples))
        parts = self._bank_in_bands[:, :, start : start + samples]
        return np.einsum('bt,bmt->mt', levels.astype(np.float32), parts)

    @cached_property
    def _bank_in_bands(self) -> np.ndarray:
        """The diffuse noise, shape (bands, microphones, samples)."""
        samples = self._bank.shape[1]
        weights = band_weights(fft.rfftfreq(samples, 1 / self._rate)).astype(np.float32)
        return fft.irfft(weights[:, None] * fft.rfft(self._bank), samples)

    def _joined(self, exact: np.ndarray, tail: np.ndarray, first: int) -> np.ndarray:
        """Return the exact part and the tail that begins at sample `first`, without a mean."""
        # The filter takes what it begins with for the past, which has to be silence.
        total = first + tail.shape[1]
        responses = np.zeros((len(exact), _PAST + total), dtype=np.float32)
        responses[:, _PAST : _PAST + exact.shape[1]] = exact
        responses[:, _PAST + first :] += tail
        filtered = signal.sosfiltfilt(self._high_pass, responses, axis=1)
        return filtered[:, _PAST:].astype(np.float32)


ENGINES: dict[str, Callable[[MicArray, int], Engine]] = {
    'pyroomacoustics': ImageMethod,
    'fast': EarlyImages,
}
