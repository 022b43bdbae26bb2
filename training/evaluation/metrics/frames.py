# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the methods answered, frame by frame: all figures of a report are made of this table."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property

import numpy as np

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, unit_vector, wrap_angle
from doa_ros.core.localization.decoding import Estimate

from ...data.clips import Clip
from ..methods.inputs import BASELINE_WINDOW, MethodInput
from ..methods.method import DirectionMethod
from ..scenes.blocks import HOP
from .columns import Columns


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
    array: MicArray, methods: Sequence[DirectionMethod], clips: Iterable[tuple[str, Clip]]
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
        inputs = MethodInput(array, clip)
        if not inputs.blocks:
            continue
        for method in methods:
            parts.append(_rows(condition, inputs, method))
    if not parts:
        raise ConfigError(f'nothing to evaluate: all clips are shorter than {BASELINE_WINDOW:g} s')
    return Frames(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _rows(condition: str, inputs: MethodInput, method: DirectionMethod) -> dict[str, np.ndarray]:
    clip, blocks = inputs.clip, np.array(inputs.blocks)
    nothing = Estimate(*(np.nan,) * 5)
    guesses = [astuple(found[0] if found else nothing) for found in method.estimates(inputs)]
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
