# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What an array hears of talkers who walk through a noisy room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import math

import numpy as np

from doa_ros.core.config import Config, setting
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, direction_of
from doa_ros.simulation.acoustics import (
    DiffuseField,
    Room,
    image_sources,
    impulse_responses,
)
from doa_ros.simulation.rendering import (
    convolve,
    direct_sound,
    gain_to_level,
    gain_to_peak,
    render_moving,
)

# The talker stands still for this long, then moves on with a cross-fade [s].
_STEP = 0.2
# Reflections are exact for this long after the direct sound, then diffuse [s].
_EARLY = 0.05
# Level of the loudest sample, as quiet as a real array [dB of full scale].
_PEAK_DBFS = -30.0
_SEED = 1


@dataclass(frozen=True)
class SceneConfig(Config):
    """A shoebox room with the array in it and a talker on a circle around it."""

    room_x: float = setting(6.0, 'Length of the room [m].', minimum=2.0, maximum=50.0)
    room_y: float = setting(4.5, 'Width of the room [m].', minimum=2.0, maximum=50.0)
    room_z: float = setting(2.8, 'Height of the room [m].', minimum=2.0, maximum=20.0)
    array_x: float = setting(2.8, 'Position of the array [m].', minimum=0.0, maximum=50.0)
    array_y: float = setting(2.1, 'Position of the array [m].', minimum=0.0, maximum=50.0)
    array_z: float = setting(0.8, 'Position of the array [m].', minimum=0.0, maximum=20.0)
    rt60: float = setting(0.35, 'Reverberation time [s].', minimum=0.0, maximum=2.0)
    snr: float = setting(15.0, 'Voice over diffuse noise [dB].', minimum=-20.0, maximum=80.0)
    duration: float = setting(20.0, 'Length of the scene [s].', minimum=1.0, maximum=600.0)
    lead: float = setting(2.0, 'Noise alone before the first word [s].', minimum=0.0, maximum=60.0)
    tail: float = setting(2.0, 'Noise alone after the last word [s].', minimum=0.0, maximum=60.0)
    distance: float = setting(
        1.5, 'Horizontal distance of the talker [m].', minimum=0.2, maximum=20.0
    )
    height: float = setting(
        0.6, 'Height of the talker above the array [m].', minimum=0.0, maximum=10.0
    )
    azimuth_deg: float = setting(
        -60.0, 'Azimuth of the talker at the start [deg].', minimum=-360.0, maximum=360.0
    )
    speed_deg: float = setting(
        12.0, 'Angular speed of the talker [deg/s].', minimum=-360.0, maximum=360.0
    )
    speech: str = setting('speech.flac', 'Recording of the talker, beside the scene file.')
    skip: float = setting(
        0.0, 'Where in the recording of the talker to begin [s].', minimum=0.0, maximum=600.0
    )
    noise: str = setting('noise.flac', 'Recording of the noise, beside the scene file.')

    @property
    def room(self) -> Room:
        """The room."""
        return Room(np.array([self.room_x, self.room_y, self.room_z]), self.rt60)

    @property
    def array_position(self) -> np.ndarray:
        """Position of the array in the room [m]."""
        return np.array([self.array_x, self.array_y, self.array_z])

    def talker(self, time: float) -> np.ndarray:
        """Return the position of the talker seen from the array [m]."""
        azimuth = math.radians(self.azimuth_deg + self.speed_deg * time)
        return np.array(
            [
                self.distance * math.cos(azimuth),
                self.distance * math.sin(azimuth),
                self.height,
            ]
        )

    def direction(self, time: float) -> tuple[float, float]:
        """Return the true azimuth and elevation of the talker [rad]."""
        azimuth, elevation = direction_of(self.talker(time))
        return float(azimuth), float(elevation)


def render(
    config: SceneConfig, array: MicArray, speech: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Render a scene.

    Args:
        config: the scene.
        array: the microphones.
        speech, noise: recordings at the array's rate, shape (samples,); repeated as needed.

    Returns:
        All channels of the device, shape (samples, channels), int32, and the direct sound
        alone at the centre of the array, shape (samples,).

    Raises:
        ConfigError: array or talker are outside of the room, or there is nothing to say.
    """
    audio, (direct,) = render_talkers([(config, speech)], array, noise)
    return audio, direct


def render_talkers(
    talkers: Sequence[tuple[SceneConfig, np.ndarray]], array: MicArray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Render a scene with several talkers.

    Args:
        talkers: the scene with each of them, which differ in the settings of the talker alone,
            and their recording at the array's rate, shape (samples,), repeated as needed.
        array: the microphones.
        noise: recording at the array's rate, shape (samples,), repeated as needed.

    Returns:
        All channels of the device, shape (samples, channels), int32, and the direct sound of
        each talker alone at the centre of the array, shape (talkers, samples).

    Raises:
        ConfigError: array or a talker are outside of the room, or there is nothing to say.
    """
    rng = np.random.default_rng(_SEED)
    rate = array.sampling_frequency
    voices, directs = [], []
    for config, speech in talkers:
        voice = _voice(config, speech, rate)
        heard = _moving(config, array, voice)
        if config.rt60 > 0:
            heard += _late(config, array, voice, float(np.mean(heard**2)), rng)
        voices.append(heard)
        distance = math.hypot(config.distance, config.height)
        directs.append(direct_sound(voice, distance, rate, array.speed_of_sound))
    config, _ = talkers[0]
    direct = np.stack(directs)
    heard = sum(voices[1:], voices[0])
    power = float(np.mean(heard[:, direct.any(axis=0)] ** 2))
    heard = heard + _background(config, array, noise, direct.shape[1], power, rng)
    heard *= gain_to_peak(heard, _PEAK_DBFS)
    audio = np.zeros((direct.shape[1], array.channel_count), dtype=np.int32)
    audio[:, list(array.channels)] = np.rint(heard.T * 2**31)
    return audio, direct


def _voice(config: SceneConfig, speech: np.ndarray, rate: int) -> np.ndarray:
    """Return what the talker says over the whole scene, shape (samples,)."""
    voice = np.zeros(round(config.duration * rate))
    first, last = round(config.lead * rate), len(voice) - round(config.tail * rate)
    if last <= first:
        raise ConfigError('lead and tail leave no time for speech')
    skipped = round(config.skip * rate) % len(speech)
    voice[first:last] = np.resize(np.roll(speech, -skipped), last - first)
    if not voice.any():
        raise ConfigError('the recording of the talker begins with more silence than is used')
    return voice


def _moving(config: SceneConfig, array: MicArray, voice: np.ndarray) -> np.ndarray:
    """Return direct sound and early reflections at the microphones."""
    rate, speed, room = array.sampling_frequency, array.speed_of_sound, config.room
    microphones = config.array_position + array.frame_positions
    if not room.contains(microphones):
        raise ConfigError('the array lies outside of the room')
    reflection = room.reflection(speed)
    # The farthest microphone hears everything a little later than the centre of the array.
    margin = float(np.linalg.norm(array.positions, axis=1).max()) + 0.01

    def hear(part: np.ndarray, time: float) -> np.ndarray:
        offset = config.talker(time)
        talker = config.array_position + offset
        if not room.contains(talker):
            raise ConfigError(f'the talker leaves the room at {time:.1f} s')
        reach = float(np.linalg.norm(offset)) + margin + (_EARLY * speed if reflection else 0.0)
        images, amplitudes = image_sources(
            room.size, talker, reflection, config.array_position, reach
        )
        length = round(reach / speed * rate) + 1
        responses = impulse_responses(images, amplitudes, microphones, rate, length, speed)
        return convolve(part, responses)[:, : len(part) + length - 1]

    return render_moving(voice, _stops(len(voice), rate), hear, len(microphones))


def _stops(count: int, rate: int) -> Iterator[tuple[int, np.ndarray, float]]:
    """Yield the stops of `render_moving`, as times [s]."""
    step = round(_STEP * rate)
    # Windows of two steps that add up to one.
    fade = np.hanning(2 * step + 1)[:-1]
    for centre in range(0, count + step, step):
        begin, end = max(centre - step, 0), min(centre + step, count)
        yield begin, fade[begin - centre + step : end - centre + step], centre / rate


def _late(
    config: SceneConfig,
    array: MicArray,
    voice: np.ndarray,
    early_power: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the diffuse tail of the room, which does not depend on where the talker is.

    Its energy is what an exponential decay leaves after the exact reflections.
    """
    rate = array.sampling_frequency
    times = np.arange(round((config.rt60 + _EARLY) * rate)) / rate
    decay = 10 ** (-3 * times / config.rt60) * (times >= _EARLY)
    tail = rng.standard_normal((len(array.positions), len(times)))
    tail = DiffuseField(array.frame_positions, rate, array.speed_of_sound).mix(tail) * decay
    late = convolve(voice, tail)[:, : len(voice)]
    remaining = 10 ** (-6 * _EARLY / config.rt60)
    late *= math.sqrt(early_power * remaining / (1 - remaining) / max(np.mean(late**2), 1e-20))
    return late


def _background(
    config: SceneConfig,
    array: MicArray,
    noise: np.ndarray,
    count: int,
    power: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return diffuse noise at the microphones, as far below `power` as the scene says."""
    starts = rng.integers(len(noise), size=len(array.positions))
    pieces = np.stack([np.roll(np.resize(noise, count), start) for start in starts])
    field = DiffuseField(
        array.frame_positions, array.sampling_frequency, array.speed_of_sound
    ).mix(pieces)
    return field * gain_to_level(np.mean(field**2), reference=power) * 10 ** (-config.snr / 20)
