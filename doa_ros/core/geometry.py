# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Microphone arrays and the directions that they hear; `array_file` reads arrays.

Directions follow REP-103: x forward, y left, z up; azimuth counter-clockwise from +x in
(-pi, pi], elevation above the xy plane, both in radians.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
import math

import numpy as np

from doa_ros.core.errors import ConfigError

# Closer microphones than this cannot be told apart at any audio rate.
_MIN_SPACING = 1e-3
_PLANAR_TOLERANCE = 1e-4
# Anything larger was most likely given in centimetres or millimetres [m].
_MAX_EXTENT = 1.0


@dataclass(frozen=True)
class MicArray:
    """A microphone array as mounted.

    Attributes:
        name: short identifier.
        positions: microphone positions in the board's own frame [m], shape (microphones, 3);
            z points out of the side the sound ports open to.
        labels: one name per microphone.
        channels: index of each microphone among the device's channels.
        channel_count: number of channels the device delivers.
        sampling_frequency: [Hz].
        face_down: whether the board is turned over about its x axis.
        rotation: how far it is then turned about the vertical, counter-clockwise from above [rad].
        speed_of_sound: [m/s].
        device: part of the PortAudio name of the device; empty when there is none.
        silent_channels: those of the device that are 0 in every sample.
        factory_channels: number of channels that the device delivers at most as it is sold, too
            few to locate with; 0 where it is sold with all.
        factory_advice: what to do about that.
        order: in which the pairs take the microphones, by their indices; empty for that of
            `positions`.
    """

    name: str
    positions: np.ndarray
    labels: tuple[str, ...]
    channels: tuple[int, ...]
    channel_count: int
    sampling_frequency: int
    face_down: bool = False
    rotation: float = 0.0
    speed_of_sound: float = 343.0
    device: str = ''
    silent_channels: tuple[int, ...] = ()
    factory_channels: int = 0
    factory_advice: str = ''
    order: tuple[int, ...] = ()

    def __post_init__(self):
        positions = np.array(self.positions, dtype=float)
        where = f'array {self.name!r}'
        if positions.ndim != 2 or positions.shape[1] != 3 or len(positions) < 2:
            raise ConfigError(f'{where}: needs at least two microphones with x, y, z in metres')
        if not len(positions) == len(self.labels) == len(self.channels):
            raise ConfigError(f'{where}: each microphone needs a label, a channel and a position')
        for label, position, channel in zip(self.labels, positions, self.channels, strict=True):
            if not np.isfinite(position).all():
                raise ConfigError(f'{where}: the position of microphone {label} must be finite')
            if np.abs(position).max() > _MAX_EXTENT:
                raise ConfigError(
                    f'{where}: microphone {label} lies beyond {_MAX_EXTENT:g} m; are positions '
                    'in metres?'
                )
            if not 0 <= channel < self.channel_count:
                raise ConfigError(
                    f'{where}: channels must lie in 0..{self.channel_count - 1} (channel_count), '
                    f'and that of microphone {label} is {channel}'
                )
        for i, j in combinations(range(len(positions)), 2):
            if np.linalg.norm(positions[i] - positions[j]) < _MIN_SPACING:
                raise ConfigError(
                    f'{where}: microphones {self.labels[i]} and {self.labels[j]} coincide'
                )
            if self.channels[i] == self.channels[j]:
                raise ConfigError(
                    f'{where}: microphones {self.labels[i]} and {self.labels[j]} use the same '
                    f'channel {self.channels[i]}'
                )
        if len(set(self.labels)) < len(self.labels):
            raise ConfigError(f'{where}: microphone labels must be unique')
        for channel in self.silent_channels:
            if channel in self.channels or not 0 <= channel < self.channel_count:
                raise ConfigError(f'{where}: silent channel {channel} is a microphone or is none')
        if not 0 <= self.factory_channels < self.channel_count:
            raise ConfigError(
                f'{where}: channels of the factory_firmware must be fewer than channel_count'
            )
        if not -2 * np.pi <= self.rotation <= 2 * np.pi:
            raise ConfigError(f'{where}: rotation_deg must lie in -360..360')
        if not 8000 <= self.sampling_frequency <= 384000:
            raise ConfigError(f'{where}: sampling_frequency must lie in 8000..384000 Hz')
        if not 300 <= self.speed_of_sound <= 400:
            raise ConfigError(f'{where}: speed_of_sound must lie in 300..400 m/s')
        if self.face_down and np.ptp(positions[:, 2]) > _PLANAR_TOLERANCE:
            raise ConfigError(
                f'{where}: mounting face_down is for planar arrays; give the positions as '
                'mounted instead'
            )
        if self.order and sorted(self.order) != list(range(len(positions))):
            raise ConfigError(f'{where}: order must hold every microphone once')
        positions.setflags(write=False)
        object.__setattr__(self, 'positions', positions)

    @cached_property
    def pairs(self) -> np.ndarray:
        """All microphone pairs (i, j), i before j in `order`, shape (pairs, 2)."""
        return np.array(list(combinations(self.order or range(len(self.positions)), 2)))

    @cached_property
    def max_delay(self) -> float:
        """Largest possible TDOA between two microphones [s]."""
        first, second = self.positions[self.pairs.T]
        return float(np.linalg.norm(first - second, axis=1).max()) / self.speed_of_sound

    @property
    def highest_frequency(self) -> float:
        """Highest frequency below the slope of an anti-aliasing filter [Hz]."""
        return 0.45 * self.sampling_frequency

    @property
    def frame_positions(self) -> np.ndarray:
        """Microphone positions in the mounted frame (frame_id) [m], shape (microphones, 3)."""
        return self._rotated(self.positions * [1, -1, -1] if self.face_down else self.positions)

    def frame_vectors(self, vectors: np.ndarray) -> np.ndarray:
        """Return directions on the board in the mounted frame, shape (..., 3).

        Of a board that is turned over, what is above it stays above: its mirror image below sounds
        alike.
        """
        return self._rotated(vectors * [1, -1, 1] if self.face_down else vectors)

    def _rotated(self, vectors: np.ndarray) -> np.ndarray:
        cos, sin = np.cos(self.rotation), np.sin(self.rotation)
        return vectors @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])

    def unmounted(self) -> 'MicArray':
        """Return the array with the mounted frame where the board's own is."""
        return replace(self, face_down=False, rotation=0.0)

    def frame_azimuth(self, azimuth):
        """Return azimuths on the board as azimuths in the mounted frame [rad]."""
        return wrap_angle((-azimuth if self.face_down else azimuth) + self.rotation)

    def board_azimuth(self, azimuth):
        """Return azimuths in the mounted frame as azimuths on the board [rad]."""
        turned_back = azimuth - self.rotation
        return wrap_angle(-turned_back if self.face_down else turned_back)

    def microphone_channels(self, channel_count: int) -> list[int]:
        """Return which channels of a stream or recording are the microphones, in their order.

        Args:
            channel_count: channels of the audio: all of the device's, or exactly one per
                microphone in the order of `positions`.

        Raises:
            ConfigError: any other number of channels.
        """
        if channel_count == self.channel_count:
            return list(self.channels)
        if channel_count == len(self.positions):
            return list(range(channel_count))
        raise ConfigError(
            f'array {self.name!r} needs all {self.channel_count} channels of its device'
            + f' or the {len(self.positions)} microphones alone'
            * (len(self.positions) < self.channel_count)
            + f', but the audio has {channel_count} channel{"s" * (channel_count != 1)}'
        )

    def tdoa(self, directions: np.ndarray) -> np.ndarray:
        """Return the TDOA of every pair for plane waves, in the board's own frame.

        Args:
            directions: unit vectors towards the sources, shape (..., 3).

        Returns:
            Arrival time at the first microphone of a pair minus that at the second [s],
            shape (..., pairs).
        """
        first, second = self.positions[self.pairs.T]
        return np.asarray(directions) @ (second - first).T / self.speed_of_sound


def board_positions(
    frame_positions: np.ndarray, *, face_down: bool, rotation: float
) -> np.ndarray:
    """Return the microphone positions on a board from those in its mounted frame.

    The inverse of `MicArray.frame_positions`, to the nanometre: so the numbers are those of the
    array file again.

    Args:
        frame_positions: [m], shape (microphones, 3).
        face_down, rotation: how the board is mounted, as in `MicArray`.
    """
    cos, sin = np.cos(rotation), np.sin(rotation)
    turned_back = frame_positions @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return np.round(turned_back * [1, -1, -1] if face_down else turned_back, 9)


def wrap_angle(angle):
    """Return `angle` [rad] in (-pi, pi], element by element."""
    if isinstance(angle, float):
        # NumPy takes ten times as long for one number; np.float64 is a float, too.
        alone = math.pi - (math.pi - float(angle)) % (2 * math.pi)
        return math.pi if alone == -math.pi else alone
    wrapped = np.pi - np.mod(np.pi - np.asarray(angle), 2 * np.pi)
    # Just above pi the difference rounds to a whole turn.
    wrapped = np.where(wrapped == -np.pi, np.pi, wrapped)
    return float(wrapped) if np.ndim(wrapped) == 0 else wrapped


def unit_vector(azimuth, elevation) -> np.ndarray:
    """Return unit vectors of directions [rad], shape (..., 3)."""
    azimuth, elevation = np.broadcast_arrays(azimuth, elevation)
    horizontal = np.cos(elevation)
    return np.stack(
        [horizontal * np.cos(azimuth), horizontal * np.sin(azimuth), np.sin(elevation)], axis=-1
    )


def quaternion_towards(azimuth: float, elevation: float) -> tuple[float, float, float, float]:
    """Return the rotation (x, y, z, w) that turns +x to a direction [rad], without roll."""
    # Yaw by the azimuth, then pitch up by the elevation; pitch is positive downwards.
    half_yaw, half_pitch = azimuth / 2, -elevation / 2
    return (
        -math.sin(half_yaw) * math.sin(half_pitch),
        math.cos(half_yaw) * math.sin(half_pitch),
        math.sin(half_yaw) * math.cos(half_pitch),
        math.cos(half_yaw) * math.cos(half_pitch),
    )


def direction_of(vector) -> tuple[np.ndarray, np.ndarray]:
    """Return azimuth and elevation [rad] of vectors of any length, shape (..., 3)."""
    x, y, z = np.moveaxis(np.asarray(vector, dtype=float), -1, 0)
    return wrap_angle(np.arctan2(y, x)), np.arctan2(z, np.hypot(x, y))
