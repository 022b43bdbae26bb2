# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the recurrent filter learns from: spectra of a multi-source model, beside the truth.

The clips are in shards; a split is small enough to be in memory as a whole.
"""

from dataclasses import dataclass
import math
from pathlib import Path

import numpy as np

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.recurrent_filter import filter_input

from .clips import MAX_SOURCES, Clip, clip_extractor
from .rows import Rows

# So many channels differ from azimuth to azimuth; the others are scalars, the same at all.
_MAPS = 3
# The outputs show where a source was this long before the mean time of its sound [s].
_DELAY = 0.03
# No sound is older [s]: after longer pauses nothing of it is left.
_OLDEST = 2.0
# Concentration of the targets around a source.
_KAPPA = 80.0
# Azimuths this near to a talker that may be heard or not do not count, unless a talker that is
# surely heard is nearer to them than the second angle [rad].
_OPEN, _CLEAR = math.radians(30), math.radians(20)


@dataclass(frozen=True)
class FilterExamples(Rows):
    """Clips of one length, a row for each.

    Attributes:
        maps: those channels of `filter_input` that differ from azimuth to azimuth, shape (clips,
            windows, 3, azimuths), float16.
        scalars: its other channels, shape (clips, windows, CHANNELS - 3), float16.
        azimuth: where each source was when the sound of the window was made [rad], shape (clips,
            windows, sources); NaN where there is none.
        voiced, silent: whether a source is heard, or surely is not, of the same shape.
        clip: number of the clip, shape (clips,).
    """

    maps: np.ndarray
    scalars: np.ndarray
    azimuth: np.ndarray
    voiced: np.ndarray
    silent: np.ndarray
    clip: np.ndarray


def filter_example(
    array: MicArray, classifier: Classifier, clip: Clip, number: int
) -> FilterExamples:
    """Return what a model says of a clip, as one row.

    Args:
        array: the microphones; the clip holds them alone, in their order.
        classifier: the model; its hop is the length of the clip's blocks.
        clip: the audio.
        number: of the clip.
    """
    features = classifier.features
    windows = clip_extractor(array, features, clip).push(0, clip.audio)
    seen = np.stack([filter_input(classifier.spectra(window)) for window in windows])
    hop = round(features.hop * clip.sampling_frequency)
    blocks = np.array([window.hop_index // hop for window in windows])
    ages = np.array([window.sound_age for window in windows])
    back = np.round(np.minimum(ages + _DELAY, _OLDEST) / features.hop).astype(int)
    made = np.maximum(blocks - back, 0)
    shape = len(windows), MAX_SOURCES
    azimuth = np.full(shape, np.nan, dtype=np.float32)
    voiced, silent = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    for k, source in enumerate(clip.sources):
        azimuth[:, k] = source.azimuth[made]
        voiced[:, k] = source.voiced[blocks]
        silent[:, k] = (clip.silent if source.silent is None else source.silent)[blocks]
    return FilterExamples(
        np.swapaxes(seen[..., :_MAPS], 1, 2).astype(np.float16)[None],
        seen[:, 0, _MAPS:].astype(np.float16)[None],
        azimuth[None],
        voiced[None],
        silent[None],
        np.array([number]),
    )


def load_filter_examples(folder: Path, split: str, clips: int) -> FilterExamples:
    """Read the first clips of a split.

    Raises:
        ConfigError: a shard is damaged.
    """
    paths = sorted((folder / split).glob('*.npz'))
    found = FilterExamples.concatenate([FilterExamples.load(p, 'train_filter') for p in paths])
    return found.select(found.clip < clips)


def inputs(clips: FilterExamples) -> np.ndarray:
    """Return what the network is given, shape (clips, windows, azimuths, CHANNELS), float32."""
    maps = np.moveaxis(clips.maps.astype(np.float32), 2, 3)
    scalars = clips.scalars.astype(np.float32)[:, :, None]
    scalars = np.broadcast_to(scalars, (*maps.shape[:-1], scalars.shape[-1]))
    return np.concatenate([maps, scalars], axis=-1)


def targets(clips: FilterExamples) -> np.ndarray:
    """Return what the network should say, and how much that counts.

    Near a talker that may be heard or not, nothing counts.

    Returns:
        The probability of a source and its weight, shape (clips, windows, azimuths, 2), float32.
    """
    azimuths = DirectionGrid(clips.maps.shape[-1], 0).azimuths
    cosine = np.cos(azimuths - np.nan_to_num(clips.azimuth)[..., None]).astype(np.float32)
    voiced = clips.voiced[..., None]
    present = np.where(voiced, np.exp(_KAPPA * (cosine - 1)), 0).max(axis=2)
    doubtful = ~voiced & ~clips.silent[..., None] & (cosine > math.cos(_OPEN))
    clear = voiced & (cosine > math.cos(_CLEAR))
    counts = ~doubtful.any(axis=2) | clear.any(axis=2)
    return np.stack([present, counts], axis=-1).astype(np.float32)


def rotated(values: np.ndarray, classes: int, mirrored: bool) -> np.ndarray:
    """Return inputs or targets of the same scene mirrored, then rotated about the vertical.

    Args:
        values: shape (clips, windows, azimuths, ...).
        classes: how many azimuth classes further everything is.
        mirrored: whether left and right are exchanged.
    """
    if mirrored:
        values = values[:, :, -np.arange(values.shape[2])]
    return np.roll(values, classes, axis=2)
