# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Ways to the sound of each talker: ours, what there is without it, and what bounds it."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
import math
from zlib import crc32

import numpy as np

from doa_ros.core.geometry import MicArray, unit_vector, wrap_angle
from doa_ros.core.separation.config import SeparationConfig
from doa_ros.core.separation.directional_masks import DirectionalMasks
from doa_ros.core.separation.separator import SourceSeparator, TrackSound
from doa_ros.core.separation.short_time_fourier import HOP as FRAME_HOP
from doa_ros.core.separation.short_time_fourier import RATE, Analysis, Synthesis
from doa_ros.core.separation.wiener_filter import Covariance, WienerFilter
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.track import Track

from ...data.clips import Clip
from ...deployment.costs import steady_track
from ...simulation.talkers import HeardTalker, TalkersClip
from ..scenes.blocks import HOP
from .inputs import MethodInput
from .localizer import LocalizerMethod

# A track this near to a talker is theirs [rad].
_NEAR = math.radians(20)
# Errors of the directions of a perfect tracker [deg].
_ERRORS_DEG = 3.0, 5.0


class SeparationMethod(ABC):
    """A way to the sound of each talker of a clip at RATE.

    Attributes:
        name: for people.
    """

    name: str

    @abstractmethod
    def sounds(self, clip: TalkersClip) -> list[np.ndarray]:
        """Return the sound of each talker, NaN where none is given, shape (samples,)."""


class CentreMicrophone(SeparationMethod):
    """What a microphone in the centre of the array would hear."""

    name = 'centre microphone'

    def sounds(self, clip: TalkersClip) -> list[np.ndarray]:
        """See SeparationMethod."""
        return [clip.centre for _ in clip.talkers]


class SeparatedDirections(SeparationMethod):
    """Ours, at the true directions but for an error of 3 to 5 degrees, from the beginning on.

    Args:
        array: the microphones.
        config: of the separation.
    """

    name = 'ours, directions off by 3 to 5 degrees'

    def __init__(self, array: MicArray, config: SeparationConfig):
        self._array, self._config = array, replace(config, hold_time=60.0)

    def sounds(self, clip: TalkersClip) -> list[np.ndarray]:
        """See SeparationMethod."""
        rng = np.random.default_rng(crc32(clip.room.encode()))
        tracks = [_track(k + 1, rng, talker) for k, talker in enumerate(clip.talkers)]
        separator = SourceSeparator(self._array, self._config)
        separator.update(0, tracks)
        sounds = _joined(separator.push(0, clip.audio), len(clip.audio))
        return [sounds[track.id] for track in tracks]


class SeparatedTracks(SeparationMethod):
    """Ours, at the tracks that are made of the detections of a method of this package.

    The sound of a talker is that of the track that was near them most of the time.

    Args:
        name: for people.
        array: the microphones.
        method: finds the directions.
        config: of the separation.
    """

    def __init__(
        self, name: str, array: MicArray, method: LocalizerMethod, config: SeparationConfig
    ):
        self.name = name
        self._array, self._method, self._config = array, method, config

    def sounds(self, clip: TalkersClip) -> list[np.ndarray]:
        """See SeparationMethod."""
        block, count = round(HOP * RATE), len(clip.audio)
        silent = np.zeros(count // block, dtype=bool)
        heard = MethodInput(self._array, Clip(clip.audio, RATE, (), silent, clip.room))
        tracks = self._method.confirmed_tracks(heard, TrackerConfig())
        separator = SourceSeparator(self._array, self._config)
        pieces = []
        for number, here in enumerate(tracks):
            begin = number * block
            pieces += separator.push(begin, clip.audio[begin : begin + block])
            # As in a node, tracks come after their audio.
            separator.update(begin, here)
        sounds = _joined(pieces, count)
        nothing = np.full(count, np.nan, dtype=np.float32)
        return [sounds.get(_nearest(tracks, talker), nothing) for talker in clip.talkers]


class TrueMask(SeparationMethod):
    """Our filter, learning from the true mask: a bound for all ways to find masks.

    Args:
        array: the microphones.
    """

    name = 'our filter with the true mask'

    def __init__(self, array: MicArray):
        self._analysis = Analysis(RATE)
        self._shape = len(array.positions), len(self._analysis.frequencies), FRAME_HOP / RATE
        self._masks = DirectionalMasks(array, self._analysis.frequencies)

    def sounds(self, clip: TalkersClip) -> list[np.ndarray]:
        """See SeparationMethod."""
        return [self._sound(clip, talker) for talker in clip.talkers]

    def _sound(self, clip: TalkersClip, talker: HeardTalker) -> np.ndarray:
        direction = self._masks.direction(unit_vector(talker.azimuth, talker.elevation))
        covariance, learner = Covariance(*self._shape), WienerFilter(*self._shape)
        synthesis = Synthesis()
        both = np.stack([talker.early, clip.centre - talker.early], axis=1)
        sound = np.full(len(clip.audio), np.nan, dtype=np.float32)
        for begin in range(0, len(sound) - 2 * FRAME_HOP + 1, FRAME_HOP):
            frame = slice(begin, begin + 2 * FRAME_HOP)
            spectra = self._analysis.spectra(clip.audio[frame])
            wanted, rest = np.abs(self._analysis.spectra(both[frame])) ** 2
            mask = wanted / np.maximum(wanted + rest, 1e-20)
            covariance.add(spectra)
            learner.add(spectra, mask * direction.beam(spectra))
            learner.solve(covariance.inverse())
            out = learner.output(spectra) * np.sqrt(mask)
            sound[begin : begin + FRAME_HOP] = synthesis.samples(out)
        return sound


def _track(number: int, rng: np.random.Generator, talker: HeardTalker) -> Track:
    """Return a track that is nearly where a talker is."""
    error = math.radians(rng.uniform(*_ERRORS_DEG)) * rng.choice([-1, 1])
    azimuth = float(wrap_angle(talker.azimuth + error))
    return steady_track(number, azimuth, talker.elevation)


def _joined(pieces: Iterable[TrackSound], count: int) -> dict[int, np.ndarray]:
    """Return the sound of each track by its id, NaN where none is given."""
    sounds: dict[int, np.ndarray] = {}
    for piece in pieces:
        nothing = np.full(count, np.nan, dtype=np.float32)
        sound = sounds.setdefault(piece.track_id, nothing)
        begin = max(0, piece.first_sample_index)
        end = piece.first_sample_index + len(piece.samples)
        sound[begin:end] = piece.samples[begin - end :] if end > begin else []
    return sounds


def _nearest(tracks: Sequence[Sequence[Track]], talker: HeardTalker) -> int:
    """Return the id of the track that is near a talker most of the time; 0 for none."""
    near = Counter(
        track.id
        for here in tracks
        for track in here
        if abs(wrap_angle(track.azimuth - talker.azimuth)) < _NEAR
    )
    return near.most_common(1)[0][0] if near else 0


def separation_methods(
    array: MicArray, localizers: Sequence[LocalizerMethod]
) -> list[SeparationMethod]:
    """Return all of them: with each localizer, with the post-filter and without it.

    Args:
        array: the microphones, at RATE.
        localizers: find the directions.
    """
    config = SeparationConfig()
    plain = replace(config, post_filter_db=0.0)
    ours: list[SeparationMethod] = []
    for localizer in localizers:
        name = f'ours, tracks of {localizer.name}'
        ours.append(SeparatedTracks(name, array, localizer, config))
        ours.append(SeparatedTracks(f'{name}, without the post-filter', array, localizer, plain))
    return [CentreMicrophone(), *ours, SeparatedDirections(array, config), TrueMask(array)]
