# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of a model in labelled clips: what filters and calibrations are fitted to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
import math
from typing import Any

import numpy as np

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import WITHIN
from doa_ros.core.localization.spectrum import MultiSourceSpectrum, Spectrum

# What has a row for each clip.
_OUTPUTS = 'azimuth', 'elevation', 'activity', 'coherence'
_LABELS = 'above_floor', 'azimuth', 'elevation', 'voiced', 'quiet', 'silent', 'brief', 'ambiguity'
# How fast a source goes around the array in some of the clips [rad/s].
_SLOWEST, _FASTEST = math.radians(10.0), math.radians(60.0)


@dataclass(frozen=True)
class LabelledOutputs:
    """Outputs of a model window by window in clips of one length, beside the truth.

    Attributes:
        outputs: of the network or of the filter behind it; all arrays begin with the axes clips,
            windows, the coherence too.
        above_floor: how much of the sound stands above the noise floor, shape (clips, windows, 1).
        azimuth, elevation: true directions [rad], shape (clips, windows, sources); NaN without a
            source.
        voiced, quiet: whether a source is heard, or surely not, shape (clips, windows, sources).
        silent: whether nothing may be heard, shape (clips, windows).
        brief: whether the sounds are short ones, shape (clips,).
        ambiguity: of the array, an Ambiguity each, shape (clips,).
        time: of the windows [s], shape (windows,).
    """

    outputs: Spectrum
    above_floor: np.ndarray
    azimuth: np.ndarray
    elevation: np.ndarray
    voiced: np.ndarray
    quiet: np.ndarray
    silent: np.ndarray
    brief: np.ndarray
    ambiguity: np.ndarray
    time: np.ndarray

    @classmethod
    def concatenate(cls, parts: Sequence['LabelledOutputs']) -> 'LabelledOutputs':
        """Return the clips of several as one."""
        outputs = replace(parts[0].outputs, **_joined([part.outputs for part in parts], _OUTPUTS))
        return replace(parts[0], outputs=outputs, **_joined(parts, _LABELS))

    def with_movement(self, rng: np.random.Generator) -> 'LabelledOutputs':
        """Return the same with sources that move: a filter fitted to still ones would be too slow.

        A third of the clips stays, in another the sources go around the array, and in the last
        another source takes over halfway.
        """
        clips, windows = self.silent.shape
        classes = self.outputs.azimuth.shape[-1]
        step = 2 * np.pi / classes
        kind = np.arange(clips) % 3
        speed = rng.uniform(_SLOWEST, _FASTEST, clips) * rng.choice([-1, 1], clips) * (kind == 1)
        turns = np.round(speed[:, None] * self.time / step).astype(int)
        columns = (np.arange(classes) - turns[..., None]) % classes
        azimuth = np.take_along_axis(self.outputs.azimuth, columns, axis=2)
        outputs = replace(self.outputs, azimuth=azimuth)
        azimuth = wrap_angle(self.azimuth + step * turns[..., None])
        # The last third goes on as the next clip of its kind does.
        next_one = np.arange(clips)
        next_one[kind == 2] = np.roll(next_one[kind == 2], 1)
        second_half = np.arange(windows) >= windows // 2
        rows = np.where(second_half, next_one[:, None], np.arange(clips)[:, None])
        chosen = rows, np.arange(windows)
        return replace(
            self,
            outputs=window_of(outputs, chosen),
            above_floor=self.above_floor[chosen],
            azimuth=azimuth[chosen],
            elevation=self.elevation[chosen],
            voiced=self.voiced[chosen],
            quiet=self.quiet[chosen],
            silent=self.silent[chosen],
        )

    @property
    def multi_source(self) -> bool:
        """Whether the outputs are of several sources at once."""
        return isinstance(self.outputs, MultiSourceSpectrum)

    @cached_property
    def spoken(self) -> np.ndarray:
        """Whether any source is heard, shape (clips, windows)."""
        return np.asarray(self.voiced.any(axis=2))

    @cached_property
    def near(self) -> np.ndarray:
        """Which azimuth classes are right, shape (clips, windows, sources, classes)."""
        azimuths = DirectionGrid(self.outputs.azimuth.shape[-1], 0).azimuths
        distance = np.abs(wrap_angle(azimuths - self.azimuth[..., None])).astype(np.float32)
        distance[np.isnan(distance)] = np.pi
        return distance <= WITHIN + np.pi / len(azimuths)


def _joined(parts: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}


def window_of(outputs: Spectrum, index: Any) -> Spectrum:
    """Return the outputs of some windows, by an index of the axes clips and windows."""
    return replace(
        outputs,
        azimuth=outputs.azimuth[index],
        elevation=None if outputs.elevation is None else outputs.elevation[index],
        activity=None if outputs.activity is None else outputs.activity[index],
        coherence=np.asarray(outputs.coherence)[index],
    )
