# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One talker in one room: simulated audio at the array and the truth about it."""

from dataclasses import dataclass
import math

import numpy as np
import pyroomacoustics
from scipy import signal

from doa_ros.core.acoustics import diffuse_noise, wall_reflection
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, unit_vector
from doa_ros.core.scoring import active_blocks

from .material import Material

# The walls alone take 30 dB or more from reflections of a higher order, in the rooms in use.
_MAX_ORDER = 60
# Least distance of a talker from the walls [m].
_WALL_MARGIN = 0.2

# Recordings of speech hold some background of their own; it comes from the talker's place, so
# that only what is further below the voice than this counts as silence in training [dB].
_AUDIBLE_RANGE = 60.0

# The simulation runs in one process per core.
pyroomacoustics.constants.set('num_threads', 1)


@dataclass(frozen=True)
class Scene:
    """A room with an array and a talker in it.

    Attributes:
        size: lengths of the room's sides [m].
        centre: position of the array [m].
        heading: direction of the array's x axis in the room [rad].
        azimuth, elevation: of the talker seen from the array [rad].
        distance: of the talker [m].
        rt60: reverberation time [s]; 0 is an anechoic room.
        snr: power of the talker's voice over the diffuse noise [dB].
    """

    size: np.ndarray
    centre: np.ndarray
    heading: float
    azimuth: float
    elevation: float
    distance: float
    rt60: float
    snr: float

    @property
    def source(self) -> np.ndarray:
        """Position of the talker in the room [m]."""
        return self.centre + self.distance * unit_vector(
            self.azimuth + self.heading, self.elevation
        )

    @property
    def fits(self) -> bool:
        """Whether the talker stands inside the room."""
        return bool(
            np.all(self.source >= _WALL_MARGIN) and np.all(self.source <= self.size - _WALL_MARGIN)
        )


@dataclass(frozen=True)
class Clip:
    """Simulated audio.

    Attributes:
        audio: at the microphones, shape (samples, microphones), float32.
        active: whether the talker is heard, per block of a hop, shape (blocks,).
        audible: the same, down to the talker's breath and background, shape (blocks,).
        scene: where.
    """

    audio: np.ndarray
    active: np.ndarray
    audible: np.ndarray
    scene: Scene


@dataclass(frozen=True)
class Imperfections:
    """How far the real array is from its description.

    Attributes:
        gain_db: standard deviation of the microphones' gains [dB].
        position: standard deviation of their positions per axis [m].
        sensor_noise_db: their own noise relative to the voice [dB].
    """

    gain_db: float = 1.0
    position: float = 0.0005
    sensor_noise_db: float = -35.0


def draw_scene(rng, *, rt60, snr, distance, elevation) -> Scene:
    """Draw a random room, array and talker; each range is a pair (lowest, highest)."""
    for _ in range(10000):
        size = rng.uniform([3.5, 3.5, 2.4], [9.0, 7.0, 3.6])
        centre = np.append(rng.uniform([1.0, 1.0], size[:2] - 1.0), rng.uniform(0.35, 1.2))
        scene = Scene(
            size=size,
            centre=centre,
            heading=rng.uniform(-np.pi, np.pi),
            azimuth=rng.uniform(-np.pi, np.pi),
            elevation=rng.uniform(*elevation),
            distance=rng.uniform(*distance),
            rt60=rng.uniform(*rt60),
            snr=rng.uniform(*snr),
        )
        if scene.fits:
            return scene
    raise ConfigError('no talker fits into the rooms: reduce distance or elevation')


def speak(rng, material: Material, lead: float, length: float) -> np.ndarray:
    """Return silence of `lead` seconds, then speech with pauses; `length` seconds in all."""
    total = round(length * material.rate)
    voice = np.zeros(total, dtype=np.float32)
    start = round(lead * material.rate)
    while start < total:
        utterance = material.draw('speech', rng)[: total - start]
        voice[start : start + len(utterance)] = utterance
        start += len(utterance) + round(rng.uniform(0.1, 0.6) * material.rate)
    return voice


def simulate(
    rng: np.random.Generator,
    array: MicArray,
    scene: Scene,
    voice: np.ndarray,
    material: Material,
    hop: float,
    imperfections: Imperfections,
) -> Clip:
    """Return what the array hears.

    Args:
        rng: source of all randomness.
        array: the microphones, in their own frame.
        scene: where; the noise is a recording, or white noise, made diffuse.
        voice: the dry speech, shape (samples,).
        material: where noise comes from.
        hop: length of an activity block [s].
        imperfections: of the array.
    """
    rate = array.sampling_frequency
    turn = np.array(
        [
            [np.cos(scene.heading), -np.sin(scene.heading), 0],
            [np.sin(scene.heading), np.cos(scene.heading), 0],
            [0, 0, 1],
        ]
    )
    error = rng.normal(0, imperfections.position, array.positions.shape)
    local = array.positions + error
    microphones = scene.centre + local @ turn.T

    responses = room_responses(scene, microphones, rate, array.speed_of_sound)
    count = len(voice)
    speech = signal.fftconvolve(voice[None], responses, axes=1)[:, :count]
    delay = round(scene.distance / array.speed_of_sound * rate)
    direct = np.concatenate([np.zeros(delay, dtype=voice.dtype), voice])[:count]
    block = round(hop * rate)
    active = active_blocks(direct, block)

    voiced = np.repeat(active, block)
    power = np.mean(speech[:, : len(voiced)][:, voiced] ** 2)
    noise = diffuse_noise(
        _independent_noises(rng, material, local.shape[0], count),
        local,
        rate,
        array.speed_of_sound,
    )
    noise *= np.sqrt(power / np.mean(noise**2)) * 10 ** (-scene.snr / 20)
    sensor = rng.standard_normal(speech.shape, dtype=np.float32)
    sensor *= np.sqrt(power) * 10 ** (imperfections.sensor_noise_db / 20)
    gains = 10 ** (rng.normal(0, imperfections.gain_db, (len(local), 1)) / 20)
    audio = gains * (speech + noise + sensor)
    # As quiet as the real board: speech peaks near -30 dBFS.
    audio *= 10 ** (rng.uniform(-40, -20) / 20) / np.abs(audio).max()
    audible = active_blocks(direct, block, _AUDIBLE_RANGE)
    return Clip(audio.T.astype(np.float32), active, audible, scene)


def room_responses(scene: Scene, microphones, rate, speed_of_sound) -> np.ndarray:
    """Return the responses from talker to microphones by pyroomacoustics' image method.

    Returns:
        Shape (microphones, samples); the library's own filter delay is removed.
    """
    absorption = 1 - wall_reflection(scene.size, scene.rt60, speed_of_sound) ** 2
    order = math.ceil(speed_of_sound * scene.rt60 / scene.size.min())
    room = pyroomacoustics.ShoeBox(
        scene.size,
        fs=rate,
        materials=pyroomacoustics.Material(absorption),
        max_order=min(order, _MAX_ORDER),
    )
    room.set_sound_speed(speed_of_sound)
    room.add_source(scene.source)
    room.add_microphone_array(microphones.T)
    room.compute_rir()
    filter_delay = pyroomacoustics.constants.get('frac_delay_length') // 2
    length = max(len(rir[0]) for rir in room.rir)
    responses = np.zeros((len(microphones), length - filter_delay))
    for response, rir in zip(responses, room.rir, strict=True):
        response[: len(rir[0]) - filter_delay] = rir[0][filter_delay:]
    return responses


def _independent_noises(rng, material: Material, count: int, samples: int) -> np.ndarray:
    """Return unrelated noises of one kind: pieces of a recording, or white noise."""
    if rng.random() < 0.25:
        return rng.standard_normal((count, samples), dtype=np.float32)
    recording = material.draw('noise', rng)
    starts = rng.integers(len(recording), size=count)
    index = (starts[:, None] + np.arange(samples)) % len(recording)
    noises = recording[index]
    # Recordings with long silences would leave nothing to scale.
    return noises + 1e-3 * rng.standard_normal(noises.shape, dtype=np.float32)
