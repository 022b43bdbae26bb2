# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sound fields at an array: image sources of a room and diffuse noise.

Rooms: J. Allen and D. Berkley, "Image method for efficiently simulating small-room acoustics",
J. Acoustical Society of America 65(4), 1979. Noise: E. Habets, I. Cohen and S. Gannot,
"Generating nonstationary multisensor signals under a spatial coherence constraint", J. Acoustical
Society of America 124(5), 2008.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
import math

import numpy as np
from scipy import fft

from doa_ros.simulation.materials import BANDS, Material, band_weights

# Half the length of the windowed sinc that places a reflection between samples.
_HALF_SINC = 40
_PHASES = 16
# Images below this amplitude are left out.
_WEAKEST = 1e-4
# The band that a reverberation time is of.
_MIDDLE = BANDS.index(1000.0)
# Samples that a response in bands may ring.
_RINGING = 512
_RAYS = 256
# The mixing of diffuse noise is known at this many frequencies.
_FIELD_FREQUENCIES = 513


@dataclass(frozen=True)
class Room:
    """A shoebox room with one corner in the origin.

    Attributes:
        size: lengths of the sides [m], shape (3,).
        rt60: reverberation time after Eyring [s]; 0 is an anechoic room.
        walls: what they are made of: those at x = 0 and opposite, at y = 0 and opposite, floor and
            ceiling. Empty for walls that all reflect alike, as the reverberation time asks for.
        scattering: share of what walls of materials reflect that goes in all directions, 0..1.
    """

    size: np.ndarray
    rt60: float
    walls: tuple[Material, ...] = ()
    scattering: float = 0.0

    @classmethod
    def of_materials(
        cls, size: np.ndarray, walls: tuple[Material, ...], scattering: float = 0.1
    ) -> 'Room':
        """Return a room with walls of materials; its reverberation time is that at 1 kHz.

        Args:
            size, walls, scattering: of the room. A tenth is scattered by walls that are nearly
                smooth.
        """
        room = cls(size, 0.0, walls, scattering)
        # 343 m/s: another speed changes it by less than the formula is off.
        return replace(room, rt60=float(6 * math.log(10) / room.damping(343.0)[_MIDDLE]))

    def damping(self, speed_of_sound: float) -> np.ndarray:
        """Return how fast sound from all directions decays between walls of materials.

        Args:
            speed_of_sound: [m/s].

        Returns:
            After Eyring, for the power in BANDS [1/s], shape (bands,).
        """
        areas = np.repeat(np.prod(self.size) / self.size, 2)
        kept = np.array([wall.reflection**2 for wall in self.walls])
        mean = areas @ kept / areas.sum()
        return -speed_of_sound * areas.sum() / (4 * np.prod(self.size)) * np.log(mean)

    def reflection(self, speed_of_sound: float) -> float:
        """Return the amplitude reflection of all walls that gives the RT60, 0..1.

        Args:
            speed_of_sound: [m/s].
        """
        if self.rt60 <= 0:
            return 0.0
        x, y, z = self.size
        volume, surface = float(np.prod(self.size)), 2 * (x * y + x * z + y * z)
        return math.exp(-12 * math.log(10) * volume / (speed_of_sound * surface * self.rt60))

    def mirrored(self, source: np.ndarray, listener: np.ndarray) -> np.ndarray:
        """Return the image of a source in the upright wall that is nearest to a listener.

        Args:
            source, listener: positions [m], shape (3,).
        """
        axis = int(np.argmin(np.minimum(listener[:2], self.size[:2] - listener[:2])))
        wall = 0.0 if listener[axis] < self.size[axis] / 2 else self.size[axis]
        image = np.array(source, dtype=float)
        image[axis] = 2 * wall - image[axis]
        return image

    def contains(self, positions: np.ndarray) -> bool:
        """Return whether positions [m], shape (..., 3), are all within the walls."""
        return bool((positions > 0).all() and (positions < self.size).all())


@dataclass(frozen=True)
class Reflector:
    """A flat disc that reflects, such as a table top or the side of a cupboard.

    Attributes:
        centre: [m], shape (3,).
        normal: unit vector, shape (3,); both sides reflect.
        radius: [m].
        reflection: amplitude of what is reflected, 0..1.
    """

    centre: np.ndarray
    normal: np.ndarray
    radius: float
    reflection: float

    def mirrored(self, source: np.ndarray, listener: np.ndarray) -> np.ndarray | None:
        """Return the image of a source; None where a listener does not see it in the disc.

        Args:
            source, listener: positions [m], shape (3,).
        """
        before, behind = (float((p - self.centre) @ self.normal) for p in (source, listener))
        if before * behind <= 0:
            return None
        image = source - 2 * before * self.normal
        hit = listener + behind / (before + behind) * (image - listener)
        return image if np.linalg.norm(hit - self.centre) < self.radius else None


def image_sources(room, source, reflection, listener, reach) -> tuple[np.ndarray, np.ndarray]:
    """Return the mirror images of a source in a shoebox room.

    Args:
        room: lengths of the sides [m]; a corner is the origin.
        source: position [m].
        reflection: amplitude reflection of the walls, 0..1.
        listener: position [m].
        reach: largest distance between listener and image [m].

    Returns:
        Positions [m], shape (images, 3), the source itself among them, and their amplitudes
        before distance, shape (images,).
    """
    positions, inside, crossed = _images(room, source, listener, reach)
    # Of either wall.
    orders = [counts.sum(axis=0) for counts in crossed]
    amplitudes = float(reflection) ** sum(o[i] for o, i in zip(orders, inside, strict=True))
    keep = amplitudes > _WEAKEST
    return positions[keep], amplitudes[keep]


def image_sources_of_walls(room: Room, source, listener, reach) -> tuple[np.ndarray, np.ndarray]:
    """Return the mirror images of a source in a room whose walls are of materials.

    Args:
        room: where.
        source, listener, reach: of `image_sources`.

    Returns:
        Positions [m], shape (images, 3), and their amplitudes before distance in BANDS, shape
        (bands, images).
    """
    positions, inside, crossed = _images(room.size, source, listener, reach)
    amplitudes = np.ones((len(BANDS), len(positions)))
    mirror = math.sqrt(1 - room.scattering)
    for axis, (counts, chosen) in enumerate(zip(crossed, inside, strict=True)):
        pair = room.walls[2 * axis : 2 * axis + 2]
        low, high = (mirror * wall.reflection[:, None] for wall in pair)
        amplitudes *= (low ** counts[0] * high ** counts[1])[:, chosen]
    keep = amplitudes.max(axis=0) > _WEAKEST
    return positions[keep], amplitudes[:, keep]


def _images(room, source, listener, reach) -> tuple[np.ndarray, tuple, list[np.ndarray]]:
    """Return the images within reach: see `image_sources`.

    Returns:
        Positions, for each axis the index of every image among the places along that axis, and
        how often the walls at 0 and opposite are crossed on the way there, shape (2, places).
    """
    # Whatever is just as far away counts, however its distance was rounded.
    reach *= 1 + 1e-9
    places, crossed = [], []
    for length, position, ear in zip(room, source, listener, strict=True):
        span = math.ceil((reach + length) / (2 * length))
        n, mirrored = np.meshgrid(np.arange(-span, span + 1), [0, 1], indexing='ij')
        place = (2 * n * length + np.where(mirrored, -position, position)).ravel()
        near = np.abs(place - ear) <= reach
        places.append(place[near])
        crossed.append(np.stack([np.abs(n - mirrored).ravel()[near], np.abs(n).ravel()[near]]))
    squares = [(p - ear) ** 2 for p, ear in zip(places, listener, strict=True)]
    inside = np.nonzero(_outer_sum(squares) <= reach**2)
    positions = np.stack([place[i] for place, i in zip(places, inside, strict=True)], axis=1)
    return positions, inside, crossed


def _outer_sum(terms) -> np.ndarray:
    x, y, z = terms
    return x[:, None, None] + y[:, None] + z


def impulse_responses(images, amplitudes, microphones, rate, length, speed_of_sound) -> np.ndarray:
    """Return the responses from image sources to microphones.

    Every image is a windowed sinc at its delay. It is put on a grid of sixteenths of a sample,
    between two of whose points it is interpolated; each sixteenth then has a filter of its own.

    Args:
        images: positions [m], shape (images, 3).
        amplitudes: shape (images,).
        microphones: positions [m], shape (microphones, 3).
        rate: sampling frequency [Hz].
        length: samples of a response; later reflections are left out.
        speed_of_sound: [m/s].

    Returns:
        Shape (microphones, length), float32, 1 at 1 m distance.
    """
    # The filters of reflections at either end must not meet around the circle of the FFT.
    size = fft.next_fast_len(length + 2 * _HALF_SINC, real=True)
    squares = [np.square(images[:, i] - microphones[:, i, None]) for i in range(3)]
    distance = np.sqrt(sum(squares))
    place = distance * (rate * _PHASES / speed_of_sound)
    cell = place.astype(np.int64)
    share = place - cell
    weight = np.where(cell < (length - 1) * _PHASES, amplitudes / distance, 0.0)
    cell = np.minimum(cell, (length - 1) * _PHASES)
    grid = np.empty((len(microphones), _PHASES, size), dtype=np.float32)
    for k in range(len(microphones)):
        near = np.bincount(cell[k], weight[k] * (1 - share[k]), size * _PHASES)
        near[1:] += np.bincount(cell[k], weight[k] * share[k], size * _PHASES)[:-1]
        grid[k] = near.reshape(size, _PHASES).T
    spectra = fft.rfft(grid, axis=2)
    spectra *= _phase_spectra(size)
    return fft.irfft(spectra.sum(axis=1), size, axis=1)[:, :length]


def impulse_responses_in_bands(
    images, amplitudes, microphones, rate, length, speed_of_sound
) -> np.ndarray:
    """Return the responses from image sources whose amplitudes depend on frequency.

    Args:
        amplitudes: in BANDS, shape (bands, images).
        images, microphones, rate, length, speed_of_sound: of `impulse_responses`.

    Returns:
        Shape (microphones, length), float32, 1 at 1 m distance.
    """
    size = fft.next_fast_len(length + _RINGING, real=True)
    weights = band_weights(fft.rfftfreq(size, 1 / rate)).astype(np.float32)
    spectra = np.zeros((len(microphones), size // 2 + 1), dtype=np.complex64)
    for weight, band in zip(weights, amplitudes, strict=True):
        heard = impulse_responses(images, band, microphones, rate, length, speed_of_sound)
        spectra += weight * fft.rfft(heard, size)
    return fft.irfft(spectra, size)[:, :length]


@lru_cache(maxsize=8)
def _phase_spectra(size: int) -> np.ndarray:
    """Return the filters of delays by a part of a sample, shape (phases, frequencies)."""
    steps = np.arange(-_HALF_SINC, _HALF_SINC + 1)
    offset = steps - np.arange(_PHASES)[:, None] / _PHASES
    taps = np.zeros((_PHASES, size), dtype=np.float32)
    # The window of pyroomacoustics, so that both agree up to half the rate.
    taps[:, steps] = np.sinc(offset) * np.cos(np.pi * offset / (2 * _HALF_SINC + 1)) ** 2
    return fft.rfft(taps, axis=1)


def reverberant_decay(
    room, reflection: float, times, speed_of_sound: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the images of a shoebox room bring on average per second of its response.

    A sphere of images, as many as rooms fit into it; those in one direction have met its walls as
    often as a ray does on the way. This decays more slowly than Eyring's formula, as rays along
    the longest side outlive the others: after E. Lehmann and A. Johansson, "Prediction of energy
    decay in room impulse responses simulated with an image-source model", J. Acoustical Society
    of America 124(1), 2008.

    Args:
        room: lengths of the sides [m].
        reflection: amplitude reflection of the walls, 0..1.
        times: since the sound was made [s], shape (times,).
        speed_of_sound: [m/s].

    Returns:
        Power and sum of their pulses, which is heard below the room's lowest resonances alone,
        both of shape (times,), for a pulse of 1 at 1 m distance.
    """
    radius = speed_of_sound * np.asarray(times)
    kept = float(reflection) ** (radius[:, None] * (_rays() / room).sum(axis=1))
    density = 4 * math.pi * speed_of_sound / float(np.prod(room))
    return density * np.mean(kept**2, axis=1), density * radius * kept.mean(axis=1)


def reverberant_decay_in_bands(
    room: Room, times: np.ndarray, speed_of_sound: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return what walls of materials bring on average per second of a response.

    A ray meets the two walls of an axis in turn: see `reverberant_decay`. What they scatter on the
    way is a field from all directions from then on, and decays after Eyring.

    Args:
        room: where.
        times: since the sound was made [s], evenly spaced from 0 on, shape (times,).
        speed_of_sound: [m/s].

    Returns:
        Power of the images and of what is scattered, both of shape (bands, times), for a pulse of
        1 at 1 m distance.
    """
    kept = np.array([(1 - room.scattering) * wall.reflection**2 for wall in room.walls])
    # Along an axis, every other wall is of one kind.
    losses = np.log(kept).reshape(3, 2, len(BANDS)).mean(axis=1)
    crossings = speed_of_sound * _rays() / room.size
    images = np.exp(times[:, None, None] * (crossings @ losses))
    lost = -math.log(1 - room.scattering) * crossings.sum(axis=1)
    gained = np.mean(lost[:, None] * images, axis=1)
    step = times[1] - times[0]
    fading = np.exp(-step * room.damping(speed_of_sound))
    scattered = np.zeros_like(gained)
    for k in range(1, len(times)):
        before = scattered[k - 1] + step / 2 * gained[k - 1]
        scattered[k] = fading * before + step / 2 * gained[k]
    density = 4 * math.pi * speed_of_sound / float(np.prod(room.size))
    return density * images.mean(axis=1).T, density * scattered.T


def _rays() -> np.ndarray:
    """Return directions spread evenly over an eighth of the sphere, shape (rays, 3)."""
    z = (np.arange(_RAYS) + 0.5) / _RAYS
    azimuth = np.pi / 2 * np.modf(np.arange(_RAYS) * (math.sqrt(5) - 1) / 2)[0]
    horizontal = np.sqrt(1 - z**2)
    return np.stack([horizontal * np.cos(azimuth), horizontal * np.sin(azimuth), z], axis=1)


class DiffuseField:
    """Gives noises the coherence of a field that arrives evenly from all directions.

    Args:
        positions: of the microphones [m], shape (microphones, 3).
        rate: sampling frequency [Hz].
        speed_of_sound: [m/s].
    """

    def __init__(self, positions: np.ndarray, rate: int, speed_of_sound: float):
        distance = np.linalg.norm(positions[:, None] - positions[None], axis=2)
        frequencies = np.linspace(0, rate / 2, _FIELD_FREQUENCIES)
        # np.sinc(x) is sin(pi x) / (pi x); the coherence is sinc(2 f d / c).
        coherence = np.sinc(2 * frequencies[:, None, None] * distance / speed_of_sound)
        values, vectors = np.linalg.eigh(coherence)
        # The symmetric root varies smoothly over frequency, where eigenvectors may change sign.
        roots = np.sqrt(np.clip(values, 0, None))[:, None, :]
        mixing = (vectors * roots) @ vectors.swapaxes(1, 2)
        # In between, the mixing is that of the frequency below and a share of the step from it.
        steps = np.diff(mixing, axis=0)
        self._mixing = np.concatenate([mixing[:-1], steps], axis=2).astype(np.float32)
        self._highest = mixing[-1].astype(np.float32)

    def mix(self, independent: np.ndarray) -> np.ndarray:
        """Return diffuse noise.

        Args:
            independent: unrelated noises of one colour, shape (microphones, samples).

        Returns:
            Shape (microphones, samples), float32.
        """
        count, samples = independent.shape
        intervals = len(self._mixing)
        # As many frequencies between any two whose mixing is known.
        between = fft.next_fast_len(math.ceil(samples / (2 * intervals)))
        size = 2 * intervals * between
        spectra = fft.rfft(independent.astype(np.float32, copy=False), size, axis=1)
        spectra[:, -1] = self._highest @ spectra[:, -1]
        below = spectra[:, :-1].reshape(count, intervals, between).swapaxes(0, 1)
        share = np.arange(between, dtype=np.float32) / np.float32(between)
        both = np.concatenate([below, below * share], axis=1)
        # The mixing is real: real and imaginary parts are columns of their own.
        mixed = (self._mixing @ both.view(np.float32)).view(np.complex64)
        spectra[:, :-1] = mixed.swapaxes(0, 1).reshape(count, -1)
        return fft.irfft(spectra, size, axis=1)[:, :samples]
