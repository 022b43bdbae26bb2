# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds which channel is which microphone, from the noise of a room.

In a diffuse field the coherence of two microphones is sin(x) / x with x = 2 pi f d / c: it tells
their distance d (R. Cook et al., "Measurement of correlation coefficients in reverberant sound
fields", J. Acoustical Society of America 27(6), 1955). Orders that leave all distances as they
are, the rotations and mirror images of a regular array, sound alike.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, permutations

import numpy as np

from doa_ros.core.features.noise_floor import NoiseFloor
from doa_ros.core.features.spectra import BandSpectra
from doa_ros.core.geometry import MicArray
from doa_ros.core.symmetry import symmetries

# Frequencies [distance over wavelength] that tell distances apart, and the highest [Hz]: there
# the microphones' own noise prevails.
_LEAST_SPAN, _HIGHEST = 0.15, 6000.0
# Length of a window [s].
_WINDOW = 0.05
# A window is quiet up to this power over the smallest of the last so many seconds.
_QUIET, _FLOOR_SECONDS = 2.0, 10.0
# All orders of up to so many microphones are tried; of more, those that exchanges lead to.
_EXHAUSTIVE = 7
# Distances that differ by less than this are the same [m].
_ALIKE = 4e-4
# An order is sure if it explains this much of the coherence, and the one in the array file is
# wrong if this many times more is left unexplained.
_EXPLAINED, _WORSE = 0.8, 2.0


class Coherence:
    """Averages the coherence of all pairs over the quiet windows of a stream.

    Args:
        array: the microphones.
        window: length of a window [samples].
    """

    def __init__(self, array: MicArray, window: int):
        self._array = array
        rate = array.sampling_frequency
        distances = pair_distances(array)
        lowest = _LEAST_SPAN * array.speed_of_sound / distances.max()
        highest = min(_HIGHEST, array.highest_frequency)
        self._spectra = BandSpectra(window, rate, lowest, highest)
        self.frequencies = self._spectra.frequencies
        self._floor = NoiseFloor(1, window / rate, _FLOOR_SECONDS)
        self.reset()

    def reset(self) -> None:
        """Forget what was averaged."""
        count, bins = len(self._array.positions), len(self.frequencies)
        self._power = np.zeros((count, bins))
        self._cross = np.zeros((len(self._array.pairs), bins), dtype=complex)
        self.windows = 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take one window and return the power of each microphone in it, shape (microphones,).

        Args:
            samples: of the microphones, shape (microphones, window), float32.
        """
        spectra = self._spectra.of(samples.T)
        squares = spectra.real**2 + spectra.imag**2
        power = squares.sum(axis=1) / np.float32(squares.shape[1])
        total = np.array([power.mean()])
        if total[0] <= _QUIET * self._floor.update(total)[0]:
            first, second = self._array.pairs.T
            self._power += squares
            self._cross += spectra[first] * spectra[second].conj()
            self.windows += 1
        return power

    def real_part(self) -> np.ndarray:
        """Return the real part of the coherence, shape (pairs, frequencies)."""
        first, second = self._array.pairs.T
        scale = np.sqrt(self._power[first] * self._power[second])
        return self._cross.real / np.maximum(scale, np.finfo(float).tiny)


def pair_distances(array: MicArray) -> np.ndarray:
    """Return the distance of each pair [m], shape (pairs,)."""
    first, second = array.positions[array.pairs.T]
    return np.linalg.norm(first - second, axis=1)


@dataclass(frozen=True)
class ChannelOrder:
    """What the coherence says about the order of the channels.

    Attributes:
        microphones: for each microphone of the array file the one that is really heard there;
            of the orders that sound alike the one that moves the fewest.
        explained: share of the coherence that this order explains.
        sure: whether it does so, and better than all others.
    """

    microphones: tuple[int, ...]
    explained: float
    sure: bool

    @property
    def as_described(self) -> bool:
        """Whether the order is that of the array file."""
        return not self.moved

    @property
    def moved(self) -> tuple[int, ...]:
        """Microphones of the array file where another one is heard."""
        return tuple(i for i, heard in enumerate(self.microphones) if i != heard)


def find_order(array: MicArray, coherence: Coherence) -> ChannelOrder:
    """Return the order of the microphones that fits the coherence of a room's noise best.

    Args:
        array: the microphones.
        coherence: of at least some seconds of noise.
    """
    measured = coherence.real_part()
    distances = pair_distances(array)
    expected = np.sinc(2 * coherence.frequencies * distances[:, None] / array.speed_of_sound)
    # What the microphones' own noise takes away is the same whatever the order.
    spread = 0.5 / max(coherence.windows, 1)
    energy = np.maximum(np.mean(measured**2, axis=0) - spread, 0)
    scale = np.minimum(np.sqrt(energy / np.maximum(np.mean(expected**2, axis=0), 1e-6)), 1)
    expected *= scale
    # What is left of each pair where it has the distance of another: mean of (a - b)^2.
    left = np.mean(measured**2, axis=1)[:, None] + np.mean(expected**2, axis=1)
    left -= 2 * (measured @ expected.T) / measured.shape[1]
    count = len(array.positions)
    if count <= _EXHAUSTIVE:
        orders = _all_orders(count)
    else:
        orders = _orders_nearby(left, count)
    costs = _cost(left, orders)
    best, order = costs.min(), orders[costs.argmin()]
    # In a fixed sequence: the same order is always told in the same way.
    alike = np.unique([turned[order] for turned in _isometries(array)], axis=0)
    chosen = alike[np.argmax((alike == np.arange(count)).sum(axis=1))]
    total = float(np.mean(measured**2))
    explained = 1 - best / total if total > 0 else 0.0
    described = _cost(left, np.arange(count)[None])[0]
    same = (chosen == np.arange(count)).all()
    sure = explained >= _EXPLAINED and (same or described >= _WORSE * best)
    return ChannelOrder(tuple(chosen.tolist()), float(explained), bool(sure))


def order_of_noise(array: MicArray, noise: np.ndarray) -> ChannelOrder:
    """Return the order of the microphones in a recording of a room's noise.

    Args:
        array: the microphones.
        noise: all channels of the device or one per microphone, shape (samples, channels),
            float32; 10 s are enough.

    Raises:
        ConfigError: the number of channels is not the array's.
    """
    window = round(_WINDOW * array.sampling_frequency)
    coherence = Coherence(array, window)
    microphones = noise[:, array.microphone_channels(noise.shape[1])].T
    for start in range(0, microphones.shape[1] - window + 1, window):
        coherence.push(microphones[:, start : start + window])
    return find_order(array, coherence)


def reordered(array: MicArray, order: ChannelOrder) -> MicArray:
    """Return the array with the channels on which its microphones are really heard.

    Args:
        array: as its file describes it.
        order: that was found.
    """
    channels = list(array.channels)
    for described, heard in enumerate(order.microphones):
        channels[heard] = array.channels[described]
    return replace(array, channels=tuple(channels))


def _isometries(array: MicArray) -> np.ndarray:
    """Return the orders that leave all distances as they are, shape (orders, microphones).

    Of many microphones, those that turn or mirror the array about the vertical alone.
    """
    count = len(array.positions)
    if count > _EXHAUSTIVE:
        return np.array([s.permutation for s in symmetries(array)])
    distances = np.linalg.norm(array.positions[:, None] - array.positions, axis=2)
    orders = _all_orders(count)
    moved = distances[orders[:, :, None], orders[:, None]]
    return orders[np.abs(moved - distances).max(axis=(1, 2)) < _ALIKE]


@lru_cache(maxsize=4)
def _all_orders(count: int) -> np.ndarray:
    return np.array(list(permutations(range(count))))


def _cost(left: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Return what the orders leave unexplained, shape (orders,)."""
    count = orders.shape[1]
    numbers = np.zeros((count, count), dtype=int)
    pairs = np.array(list(combinations(range(count), 2)))
    numbers[pairs[:, 0], pairs[:, 1]] = numbers[pairs[:, 1], pairs[:, 0]] = np.arange(len(pairs))
    taken = numbers[orders[:, pairs[:, 0]], orders[:, pairs[:, 1]]]
    return left[np.arange(len(pairs)), taken].mean(axis=1)


def _orders_nearby(left: np.ndarray, count: int) -> np.ndarray:
    """Return the described order, and where exchanges of two lead from its best rotation."""
    exchanges = np.array(list(combinations(range(count), 2)))
    rows, (first, second) = np.arange(len(exchanges)), exchanges.T
    rotations = np.array([np.roll(np.arange(count), shift) for shift in range(count)])
    costs = _cost(left, rotations)
    order, cost = rotations[costs.argmin()], costs.min()
    while True:
        tried = np.repeat(order[None], len(exchanges), axis=0)
        tried[rows, first], tried[rows, second] = order[second], order[first]
        costs = _cost(left, tried)
        if costs.min() >= cost - 1e-12:
            return np.array([np.arange(count), order])
        order, cost = tried[costs.argmin()], costs.min()
