# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the methods answered, frame by frame: all figures of a report are made of this table."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from doa_ros.audio.resampling import resample
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.extractor import FeatureConfig, GccFrame
from doa_ros.core.geometry import MicArray, unit_vector, wrap_angle
from doa_ros.core.localization.decoding import Estimate

from ...data.clips import Clip, clip_extractor
from .columns import Columns

# The blocks of all clips and the hop of all features [s].
HOP = FeatureConfig.hop
# Where a method has no classes of its own.
AZIMUTH_CLASSES = 36
# Peers are slow: everything is scored every 0.25 s, from where their windows are whole.
_FIRST, _EVERY = 9, 5
# What peers are usually run with: 16 kHz speech in windows of 0.5 s.
PEER_RATE = 16000
_PEER_WINDOW = 0.5


class Listening:
    """A clip as the methods hear it; what several of them need is computed once.

    Args:
        array: the microphones, with z pointing up.
        clip: the audio, in blocks of HOP.
    """

    def __init__(self, array: MicArray, clip: Clip):
        self.array = array
        self.clip = clip
        self.blocks = np.arange(_FIRST, len(clip.silent), _EVERY)
        # Beside each array, as long as it is there.
        self._features: dict[tuple[FeatureConfig, int], tuple[MicArray, dict[int, GccFrame]]] = {}

    def features(
        self, config: FeatureConfig, array: MicArray | None = None
    ) -> dict[int, GccFrame]:
        """Return the features of all frames in order, by the block that they end with.

        The first blocks, with which no window is full yet, have none.

        Args:
            config: the settings.
            array: the microphones as a method knows them; by default as they are.

        Raises:
            ConfigError: they have another hop than the clip's blocks.
        """
        array = array or self.array
        key = config, id(array)
        if key not in self._features:
            if config.hop != HOP:
                raise ConfigError(
                    f'features with a hop of {config.hop:g} s cannot be evaluated: it must be '
                    f'{HOP:g} s'
                )
            frames = clip_extractor(array, config, self.clip).push(0, self.clip.audio)
            block = round(HOP * self.clip.sampling_frequency)
            by_block = {frame.hop_index // block: frame for frame in frames}
            self._features[key] = array, by_block
        return self._features[key][1]

    @cached_property
    def peer_audio(self) -> np.ndarray:
        """The audio at PEER_RATE, shape (samples, microphones)."""
        return resample(self.clip.audio, self.clip.sampling_frequency, PEER_RATE)

    @cached_property
    def peer_windows(self) -> list[np.ndarray]:
        """The last 0.5 s of every scored frame at PEER_RATE, each (samples, microphones)."""
        window = round(_PEER_WINDOW * PEER_RATE)
        ends = np.round((self.blocks + 1) * HOP * PEER_RATE).astype(int)
        return [self.peer_audio[max(0, end - window) : end] for end in ends]


class Method(Protocol):
    """Anything that finds directions.

    Attributes:
        name: for people.
        azimuth_classes: how many classes its class accuracy is counted in.
        least_confidence: from which confidence on it gives an answer of its own accord.
        failures: frames so far that it found numerically impossible.
    """

    name: str
    azimuth_classes: int
    least_confidence: float
    failures: int

    def answer(self, listening: Listening) -> list[Estimate | None]:
        """Return the best guess at every scored frame, None where there is none."""


@dataclass(frozen=True)
class Frames(Columns):
    """One row per frame and method; angles in [rad], NaN where they are not known.

    Of several voiced sources the one nearest to the answer is the truth.

    Attributes:
        method, condition, room: names.
        time: end of the frame in its clip [s].
        voiced, silent: whether an answer is expected, or must not come.
        sources: how many of them are voiced.
        azimuth, elevation: true direction.
        distance, rt60, snr: of the scene [m], [s], [dB].
        answer_azimuth, answer_elevation: the best guess, NaN azimuth where there is none.
        azimuth_stddev, elevation_stddev: of the guess, as the method says; NaN where it does not.
        confidence: of the guess, NaN where the method has none.
        heard: whether the method gives the guess of its own accord.
        azimuth_classes: of the method.
    """

    method: np.ndarray
    condition: np.ndarray
    room: np.ndarray
    time: np.ndarray
    voiced: np.ndarray
    silent: np.ndarray
    sources: np.ndarray
    azimuth: np.ndarray
    elevation: np.ndarray
    distance: np.ndarray
    rt60: np.ndarray
    snr: np.ndarray
    answer_azimuth: np.ndarray
    answer_elevation: np.ndarray
    azimuth_stddev: np.ndarray
    elevation_stddev: np.ndarray
    confidence: np.ndarray
    heard: np.ndarray
    azimuth_classes: np.ndarray

    @cached_property
    def guessed(self) -> np.ndarray:
        """Voiced frames with a guess."""
        return self.voiced & ~np.isnan(self.answer_azimuth)

    @cached_property
    def azimuth_error(self) -> np.ndarray:
        """Absolute error [rad], NaN without a guess."""
        return np.abs(wrap_angle(self.answer_azimuth - self.azimuth))

    @cached_property
    def elevation_error(self) -> np.ndarray:
        """Absolute error [rad], NaN without a guess or without elevation."""
        return np.abs(self.answer_elevation - self.elevation)

    @cached_property
    def great_circle_error(self) -> np.ndarray:
        """Angle between guess and truth [rad], NaN without a guess or without elevation."""
        return great_circle(
            self.answer_azimuth, self.answer_elevation, self.azimuth, self.elevation
        )


def great_circle(azimuth, elevation, other_azimuth, other_elevation) -> np.ndarray:
    """Return the angles between directions [rad], element by element."""
    first = unit_vector(azimuth, elevation)
    second = unit_vector(other_azimuth, other_elevation)
    # Unlike the arc cosine of their product, the chord is exact for small angles, too.
    chord = np.linalg.norm(first - second, axis=-1)
    return 2 * np.arcsin(np.minimum(chord / 2, 1))


def nearest_class(azimuth: np.ndarray, classes) -> np.ndarray:
    """Return the number of the azimuth class that each angle [rad] lies in."""
    return np.round(np.asarray(azimuth) * classes / (2 * np.pi)).astype(int) % classes


def collect(
    array: MicArray, methods: Sequence[Method], clips: Iterable[tuple[str, Clip]]
) -> Frames:
    """Let every method answer the same frames.

    Args:
        array: the microphones, with z pointing up.
        methods: to be compared.
        clips: labelled audio and the name of the condition it stands for.

    Raises:
        ConfigError: no clip holds a frame.
    """
    parts: list[dict[str, np.ndarray]] = []
    for condition, clip in clips:
        listening = Listening(array, clip)
        if not len(listening.blocks):
            continue
        for method in methods:
            parts.append(_rows(condition, listening, method))
    if not parts:
        raise ConfigError(f'nothing to evaluate: all clips are shorter than {_PEER_WINDOW:g} s')
    return Frames(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _rows(condition: str, listening: Listening, method: Method) -> dict[str, np.ndarray]:
    clip, blocks = listening.clip, listening.blocks
    nothing = Estimate(*(np.nan,) * 5)
    guesses = [astuple(guess or nothing) for guess in method.answer(listening)]
    azimuth, elevation, azimuth_stddev, elevation_stddev, confidence = np.array(guesses).T

    truth = {name: np.full(len(blocks), np.nan) for name in ('azimuth', 'elevation', 'distance')}
    nearest = np.full(len(blocks), np.inf)
    sources = np.zeros(len(blocks), dtype=int)
    for source in clip.sources:
        voiced = source.voiced[blocks]
        sources += voiced
        error = np.abs(wrap_angle(azimuth - source.azimuth[blocks]))
        # Without a guess any of the voiced sources stands for what was missed.
        better = voiced & (np.nan_to_num(error, nan=np.pi) < nearest)
        nearest[better] = np.nan_to_num(error[better], nan=np.pi)
        truth['azimuth'][better] = source.azimuth[blocks][better]
        truth['elevation'][better] = source.elevation[blocks][better]
        truth['distance'][better] = source.distance

    def same(value):
        return np.full(len(blocks), value)

    return {
        'method': same(method.name),
        'condition': same(condition),
        'room': same(clip.room),
        'time': (blocks + 1) * HOP,
        'voiced': sources > 0,
        'silent': clip.silent[blocks],
        'sources': sources,
        **truth,
        'rt60': same(clip.rt60),
        'snr': same(clip.snr),
        'answer_azimuth': azimuth,
        'answer_elevation': elevation,
        'azimuth_stddev': azimuth_stddev,
        'elevation_stddev': elevation_stddev,
        'confidence': confidence,
        'heard': ~np.isnan(azimuth) & ~(confidence < method.least_confidence),
        'azimuth_classes': same(method.azimuth_classes),
    }
