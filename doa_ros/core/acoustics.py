# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sound fields at an array: image sources of a room and diffuse noise.

Rooms: J. Allen and D. Berkley, "Image method for efficiently simulating small-room acoustics",
J. Acoustical Society of America 65(4), 1979. Noise: E. Habets, I. Cohen and S. Gannot,
"Generating nonstationary multisensor signals under a spatial coherence constraint", J. Acoustical
Society of America 124(5), 2008.
"""

import math

import numpy as np
from scipy import fft, signal

# Half the length of the windowed sinc that places a reflection between samples.
_HALF_SINC = 16
_NOISE_WINDOW = 1024


def wall_reflection(room: np.ndarray, rt60: float, speed_of_sound: float) -> float:
    """Return the amplitude reflection of all walls that gives an RT60 [s] after Eyring.

    Args:
        room: lengths of the sides [m], shape (3,).
        rt60: reverberation time [s]; 0 gives no reflection.
        speed_of_sound: [m/s].
    """
    if rt60 <= 0:
        return 0.0
    volume = float(np.prod(room))
    surface = 2 * (room[0] * room[1] + room[0] * room[2] + room[1] * room[2])
    return math.exp(-12 * math.log(10) * volume / (speed_of_sound * surface * rt60))


def image_sources(room, source, reflection, reach) -> tuple[np.ndarray, np.ndarray]:
    """Return the mirror images of a source in a shoebox room.

    Args:
        room: lengths of the sides [m]; a corner is the origin.
        source: position [m].
        reflection: amplitude reflection of the walls, 0..1.
        reach: largest distance between source and image looked at, per axis [m].

    Returns:
        Positions [m], shape (images, 3), the source itself among them, and their amplitudes
        before distance, shape (images,).
    """
    places, orders = [], []
    for length, position in zip(room, source, strict=True):
        span = math.ceil(reach / (2 * length))
        n, mirrored = np.meshgrid(np.arange(-span, span + 1), [0, 1], indexing='ij')
        places.append((2 * n * length + np.where(mirrored, -position, position)).ravel())
        # |2n - mirrored| walls are crossed on the way.
        orders.append(np.abs(2 * n - mirrored).ravel())
    positions = np.stack(np.meshgrid(*places, indexing='ij'), axis=-1).reshape(-1, 3)
    order = sum(np.meshgrid(*orders, indexing='ij')).ravel()
    amplitudes = float(reflection) ** order
    keep = amplitudes > 1e-4
    return positions[keep], amplitudes[keep]


def impulse_responses(images, amplitudes, microphones, rate, length, speed_of_sound) -> np.ndarray:
    """Return the responses from image sources to microphones.

    Args:
        images: positions [m], shape (images, 3).
        amplitudes: shape (images,).
        microphones: positions [m], shape (microphones, 3).
        rate: sampling frequency [Hz].
        length: samples of a response; later reflections are left out.
        speed_of_sound: [m/s].

    Returns:
        Shape (microphones, length), 1 at 1 m distance.
    """
    responses = np.zeros((len(microphones), length))
    steps = np.arange(-_HALF_SINC + 1, _HALF_SINC + 1)
    for response, microphone in zip(responses, microphones, strict=True):
        distance = np.linalg.norm(images - microphone, axis=1)
        delay = distance * rate / speed_of_sound
        near = delay < length
        whole = np.floor(delay[near]).astype(int)
        offset = steps - (delay[near] - whole)[:, None]
        taps = np.sinc(offset) * np.cos(np.pi * offset / (2 * _HALF_SINC)) ** 2
        taps *= (amplitudes[near] / distance[near])[:, None]
        place = whole[:, None] + steps
        inside = (place >= 0) & (place < length)
        response += np.bincount(place[inside], taps[inside], length)
    return responses


def diffuse_noise(independent, positions, rate, speed_of_sound) -> np.ndarray:
    """Give noises the coherence of a field that arrives evenly from all directions.

    Args:
        independent: unrelated noises of one colour, shape (microphones, samples).
        positions: of the microphones [m], shape (microphones, 3).
        rate: sampling frequency [Hz].
        speed_of_sound: [m/s].

    Returns:
        Shape (microphones, samples).
    """
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    frequencies = fft.rfftfreq(_NOISE_WINDOW, 1 / rate)
    # np.sinc(x) is sin(pi x) / (pi x); the coherence is sinc(2 f d / c).
    coherence = np.sinc(2 * frequencies[:, None, None] * distance / speed_of_sound)
    values, vectors = np.linalg.eigh(coherence)
    # The symmetric root varies smoothly over frequency, where eigenvectors may change sign.
    roots = np.sqrt(np.clip(values, 0, None))[:, None, :]
    mixing = (vectors * roots) @ vectors.swapaxes(1, 2)
    settings = {
        'window': np.sqrt(signal.windows.hann(_NOISE_WINDOW, sym=False)),
        'nperseg': _NOISE_WINDOW,
        'noverlap': _NOISE_WINDOW // 2,
    }
    spectra = signal.stft(independent, **settings)[2]
    mixed = np.einsum('fmk,kft->mft', mixing, spectra, optimize=True)
    return signal.istft(mixed, **settings)[1][:, : independent.shape[1]]
