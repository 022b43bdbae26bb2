# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a model of several sources says of clips, frame by frame, beside the truth.

A network that follows the sources learns from it. The clips are in shards as `storage` writes
them; a split is small enough to be in memory as a whole.
"""

from dataclasses import dataclass, fields
import math
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.decoding import DirectionGrid, Spectrum
from doa_ros.core.localization.recurrent_filter import filter_input

from .clips import MAX_SOURCES, Clip, clip_extractor

# The first channels of a frame differ from azimuth to azimuth, the others are the same at all.
_MAPS = 3
# So much before the mean time of its sound a source was where the outputs show it [s].
_DELAY = 0.03
# No sound is older [s]: in longer pauses nothing of it is left.
_OLDEST = 2.0
# Concentration of the targets around a source.
_KAPPA = 80.0
# A talker who may be heard or not leaves it open what is so near to him, unless another who is
# heard is this near to it [rad].
_OPEN, _CLEAR = math.radians(30), math.radians(20)


@dataclass(frozen=True)
class Sequences:
    """Clips of one length; one row each.

    Attributes:
        maps: of the channels of `filter_input` those that differ from azimuth to azimuth, shape
            (clips, frames, 3, azimuths), float16.
        of_frame: the other channels, shape (clips, frames, CHANNELS - 3), float16.
        azimuth: where each source was when the sound of the frame was made [rad], shape (clips,
            frames, sources); NaN where there is none.
        voiced, silent: whether a source is heard, or surely is not, of the same shape.
        clip: number of the clip, shape (clips,).
    """

    maps: np.ndarray
    of_frame: np.ndarray
    azimuth: np.ndarray
    voiced: np.ndarray
    silent: np.ndarray
    clip: np.ndarray

    def __len__(self) -> int:
        return len(self.clip)

    def rows(self, which: np.ndarray) -> 'Sequences':
        """Return the chosen clips."""
        return Sequences(**{name: getattr(self, name)[which] for name in COLUMNS})


COLUMNS = tuple(field.name for field in fields(Sequences))


def concatenate(parts: list[Sequences]) -> Sequences:
    """Return the clips of several."""
    return Sequences(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in COLUMNS})


def said_of(
    classifier: Classifier, frame: WindowFeatures
) -> tuple[Spectrum, Spectrum, np.ndarray, float, float]:
    """Return what a model says of a frame, as the recurrent filter takes it."""
    return *classifier.look_twice(frame), frame.activity, frame.sound_age


def sequence(array: MicArray, classifier: Classifier, clip: Clip, number: int) -> Sequences:
    """Return what a model says of a clip, as one row.

    Args:
        array: the microphones; the clip holds them alone, in their order.
        classifier: the model; its hop is the length of the clip's blocks.
        clip: the audio.
        number: of the clip.
    """
    features = classifier.features
    frames = clip_extractor(array, features, clip).push(0, clip.audio)
    seen = np.stack([filter_input(*said_of(classifier, frame)) for frame in frames])
    hop = round(features.hop * clip.sampling_frequency)
    blocks = np.array([frame.hop_index // hop for frame in frames])
    ages = np.array([frame.sound_age for frame in frames])
    back = np.round(np.minimum(ages + _DELAY, _OLDEST) / features.hop).astype(int)
    made = np.maximum(blocks - back, 0)
    shape = len(frames), MAX_SOURCES
    azimuth = np.full(shape, np.nan, dtype=np.float32)
    voiced, silent = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    for k, source in enumerate(clip.sources):
        azimuth[:, k] = source.azimuth[made]
        voiced[:, k], silent[:, k] = source.voiced[blocks], source.silent[blocks]
    return Sequences(
        np.swapaxes(seen[..., :_MAPS], 1, 2).astype(np.float16)[None],
        seen[:, 0, _MAPS:].astype(np.float16)[None],
        azimuth[None],
        voiced[None],
        silent[None],
        np.array([number]),
    )


def load_sequences(folder: Path, split: str, clips: int) -> Sequences:
    """Read the first clips of a split.

    Raises:
        ConfigError: a shard is damaged.
    """
    parts = []
    for path in sorted((folder / split).glob('*.npz')):
        try:
            with np.load(path) as content:
                parts.append(Sequences(**{name: content[name] for name in COLUMNS}))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise ConfigError(
                f'{path}: not a usable shard ({error}); delete it and run train_filter again'
            ) from None
    found = concatenate(parts)
    return found.rows(found.clip < clips)


def inputs(clips: Sequences) -> np.ndarray:
    """Return what the network is given, shape (clips, frames, azimuths, CHANNELS), float32."""
    maps = np.moveaxis(clips.maps.astype(np.float32), 2, 3)
    of_frame = clips.of_frame.astype(np.float32)[:, :, None]
    of_frame = np.broadcast_to(of_frame, (*maps.shape[:-1], of_frame.shape[-1]))
    return np.concatenate([maps, of_frame], axis=-1)


def targets(clips: Sequences) -> np.ndarray:
    """Return what the network should say beside what that counts.

    Near a talker who may be heard or not, nothing counts.

    Returns:
        The probability of a source and its weight, shape (clips, frames, azimuths, 2), float32.
    """
    azimuths = DirectionGrid(clips.maps.shape[-1], 0).azimuths
    cosine = np.cos(azimuths - np.nan_to_num(clips.azimuth)[..., None]).astype(np.float32)
    voiced = clips.voiced[..., None]
    present = np.where(voiced, np.exp(_KAPPA * (cosine - 1)), 0).max(axis=2)
    doubtful = ~voiced & ~clips.silent[..., None] & (cosine > math.cos(_OPEN))
    clear = voiced & (cosine > math.cos(_CLEAR))
    counts = ~doubtful.any(axis=2) | clear.any(axis=2)
    return np.stack([present, counts], axis=-1).astype(np.float32)


def turned(values: np.ndarray, classes: int, mirrored: bool) -> np.ndarray:
    """Return inputs or targets of the same scene in another position: mirrored, then turned.

    Args:
        values: shape (clips, frames, azimuths, ...).
        classes: how many azimuth classes further everything is.
        mirrored: whether left and right are exchanged.
    """
    if mirrored:
        values = values[:, :, -np.arange(values.shape[2])]
    return np.roll(values, classes, axis=2)
