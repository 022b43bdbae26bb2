# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Labelled audio, whether simulated or recorded, and the labelled features made of it."""

from dataclasses import dataclass, replace

import numpy as np

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import MicArray

from .dataset import Dataset

# Sources of a clip that have a column of their own in a data set.
MAX_SOURCES = 3
SOURCE_KINDS = ('speech', 'burst', 'impulse')


@dataclass(frozen=True)
class Source:
    """A sound source of a clip; all times are counted in blocks of a hop.

    Attributes:
        azimuth, elevation: true direction in the array's board frame, as far as the array can tell
            it [rad], shape (blocks,).
        voiced: in which blocks an estimate of it is expected, shape (blocks,).
        distance: [m]; NaN where it is not known.
        kind: one of SOURCE_KINDS.
        silent: in which blocks nothing of it is heard, shape (blocks,); None where only that of
            the clip is known.
    """

    azimuth: np.ndarray
    elevation: np.ndarray
    voiced: np.ndarray
    distance: float = np.nan
    kind: str = 'speech'
    silent: np.ndarray | None = None

    def is_silent(self, block: int) -> bool:
        """Return whether nothing of it is heard in a block; False where that is not known."""
        return self.silent is not None and bool(self.silent[block])


@dataclass(frozen=True)
class Clip:
    """Audio of an array and the truth about it.

    Attributes:
        audio: of the microphones, shape (samples, microphones), float32.
        sampling_frequency: of the audio [Hz]; not always that of the array.
        sources: at most MAX_SOURCES of them; none in noise alone.
        silent: in which blocks no estimate may come, shape (blocks,).
        room: name of the room; what was heard in one room is not independent.
        rt60: reverberation time [s]; NaN where it is not known.
        snr: power of the sources over the noise [dB]; NaN where it is not known.
        ego_noise: whether a fan or motor runs at the array.
    """

    audio: np.ndarray
    sampling_frequency: int
    sources: tuple[Source, ...]
    silent: np.ndarray
    room: str
    rt60: float = np.nan
    snr: float = np.nan
    ego_noise: bool = False

    def without(self, microphones: np.ndarray) -> 'Clip':
        """Return the clip as it is heard while these microphones are dead."""
        audio = self.audio.copy()
        audio[:, microphones] = 0
        return replace(self, audio=audio)


def clip_extractor(array: MicArray, config: FeatureConfig, clip: Clip) -> FeatureExtractor:
    """Return an extractor for the audio of a clip, whatever its rate.

    Args:
        array: the microphones; the audio holds them alone, in their order.
        config: of the features.
        clip: the audio.
    """
    count = len(array.positions)
    alone = replace(
        array,
        sampling_frequency=clip.sampling_frequency,
        channels=tuple(range(count)),
        channel_count=count,
        silent_channels=(),
    )
    return FeatureExtractor(alone, config)


def labelled_features(
    array: MicArray, config: FeatureConfig, clip: Clip, number: int, every: int = 1
) -> Dataset:
    """Return the features of a clip with their labels, one row per kept window.

    The features depend on the band alone, not on the rate of the audio, as long as the rate is
    well above twice the band: clips may be simulated at a lower rate than the array runs at.

    Args:
        array: the microphones.
        config: of the features; its hop is the length of the clip's blocks.
        clip: the audio.
        number: of the clip in its data set.
        every: every how many windows one is kept; the last one always is.
    """
    windows = clip_extractor(array, config, clip).push(0, clip.audio)[::-1][::every][::-1]
    hop = round(config.hop * clip.sampling_frequency)
    blocks = np.array([window.hop_index // hop for window in windows], dtype=int)
    shape = len(windows), MAX_SOURCES
    voiced, kind = np.zeros(shape, dtype=bool), np.full(shape, -1, dtype=np.int8)
    azimuth, elevation, distance = (np.full(shape, np.nan, dtype=np.float32) for _ in range(3))
    for k, source in enumerate(clip.sources):
        voiced[:, k] = source.voiced[blocks]
        azimuth[:, k], elevation[:, k] = source.azimuth[blocks], source.elevation[blocks]
        distance[:, k], kind[:, k] = source.distance, SOURCE_KINDS.index(source.kind)
    return Dataset(
        features=np.array([window.features for window in windows], dtype=np.float16),
        activity=np.array([window.activity for window in windows], dtype=np.float32),
        silent=clip.silent[blocks],
        voiced=voiced,
        azimuth=azimuth,
        elevation=elevation,
        distance=distance,
        kind=kind,
        rt60=np.full(len(windows), clip.rt60, dtype=np.float32),
        snr=np.full(len(windows), clip.snr, dtype=np.float32),
        ego_noise=np.full(len(windows), clip.ego_noise),
        time=((blocks + 1) * config.hop).astype(np.float32),
        clip=np.full(len(windows), number, dtype=np.int32),
    )
