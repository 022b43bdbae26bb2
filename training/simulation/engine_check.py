# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The fast engine beside the reference, in random rooms: how alike they are, and how fast."""

from dataclasses import dataclass
import time

import numpy as np
from scipy import signal

from doa_ros.core.geometry import MicArray
from doa_ros.simulation.acoustics import Room

from ..tables import Row, show_table
from .engines import EARLY, EarlyImages, Engine, ImageMethod

# Reverberation times that are compared [s].
_CHECKED = (0.2, 0.4, 0.6, 0.8)


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


def check_engines(array: MicArray, rate: int) -> None:
    """Print how the fast engine compares with the reference, by reverberation time.

    Args:
        array: the microphones.
        rate: sampling frequency [Hz].
    """
    rows: list[Row] = []
    for rt60 in _CHECKED:
        check = compare_engines(array, rate, rt60)
        rows.append(
            {
                'RT60': f'{rt60:g} s',
                'early correlation': f'{check.correlation:.5f}',
                'T20 fast': f'{check.t20:.3f} s',
                'T20 reference': f'{check.reference_t20:.3f} s',
                'ms': f'{1e3 * check.seconds:.2f}',
                'times faster': f'{check.reference_seconds / check.seconds:.0f}',
            }
        )
    show_table(rows, 'Engine fast beside pyroomacoustics, one core, medians of five rooms')


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
        early = slice(round((distance / array.speed_of_sound + EARLY) * rate))
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
