# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Labelled recordings of a real board.

A folder holds recordings, in subfolders as you like:

- WAV or FLAC files with all channels of the array's device or its microphones alone;
- rosbag2 folders (SQLite or MCAP) and bare .mcap files with the topic /doa/audio;

and `labels.csv`, or `labels.yaml` with a list `labels` of mappings with the same names:

    file,start,end,azimuth_deg,elevation_deg
    kitchen/left.wav,2.0,6.5,90,15
    kitchen/left.wav,8.0,12.0,-30,
    kitchen/fan.wav,,,,

`file` is the path in the folder; `start` and `end` [s] bound a segment in which a source at that
direction is heard, its pauses included; where they are left out, it is the whole recording.
Directions are those of the board: azimuth from x counter-clockwise, elevation above the board's
plane, empty where it is not known; a flat board hears below its plane as above. A row without
azimuth says that nobody speaks there. At most three segments with a source may
overlap. A recording that no row names is left out: nothing is known about it.

Recordings in one subfolder are of one room; one that lies in the folder itself is a room of its
own. The rate must be at least twice band_max of the features.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy import signal
from tqdm import tqdm

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import MicArray
from doa_ros.simulation.labels import active_blocks, silent_blocks, voiced_blocks

from .chunks import Chunk, read_chunks
from .clips import MAX_SOURCES, Clip, Source
from .labels import Segment, read_labels

# A block is heard when it is this far above the background [dB].
_ABOVE_BACKGROUND = 3.0
# Where no block is known to be background, these quietest ones are taken for it.
_QUIETEST = 0.1


def load_recordings(
    folder: Path, array: MicArray, features: FeatureConfig, *, strict: bool = False
) -> Iterator[Clip]:
    """Yield the labelled recordings of a folder, long ones in several clips.

    Within a labelled segment a source counts as voiced where the sound, in the band of the
    features, stands 3 dB above the background, and within 22 dB of its loudest block. The
    background is the median of the blocks outside of all segments, or the quietest tenth where
    there are none. Blocks are silent when no segment was there for a second.

    Args:
        folder: see above.
        array: the microphones.
        features: their hop is the length of a clip's blocks.
        strict: stop at a recording that cannot be read instead of leaving it out.

    Raises:
        ConfigError: the labels are missing or not usable.
        AudioError: no recording can be read, or one cannot and `strict` is set.
    """
    labels = read_labels(folder, MAX_SOURCES)
    skipped: list[AudioError] = []
    for name, segments in tqdm(labels.items(), desc='recordings', unit='file', leave=False):
        path = folder / name
        try:
            yield from _clips(path, _room(name), segments, array, features)
        except AudioError as error:
            if strict:
                raise
            skipped.append(error)
            tqdm.write(f'left out: {error}')
    if len(skipped) == len(labels):
        raise AudioError(f'{folder}: none of {len(labels)} recordings can be read')
    if skipped:
        tqdm.write(f'{folder}: left out {len(skipped)} of {len(labels)} recordings')


def _room(name: str) -> str:
    parent, _, file = name.rpartition('/')
    return parent or file


def _clips(
    path: Path, room: str, segments: Sequence[Segment], array: MicArray, features: FeatureConfig
) -> Iterator[Clip]:
    segments = [segment.folded(ambiguity_of(array)) for segment in segments]
    end = 0.0
    for chunk in read_chunks(path, array):
        if chunk.sampling_frequency < 2 * features.band_max:
            raise AudioError(
                f'{path}: is sampled at {chunk.sampling_frequency} Hz, but features up to '
                f'{features.band_max:g} Hz need at least {2 * features.band_max:g} Hz'
            )
        end = chunk.end
        if chunk.sample_count >= round(features.window * chunk.sampling_frequency):
            yield _labelled(chunk, room, segments, features)
    for segment in segments:
        if segment.start >= end:
            raise ConfigError(
                f'{segment.row}: starts at {segment.start:g} s, but {path} ends at {end:g} s'
            )


def _labelled(
    chunk: Chunk, room: str, segments: Sequence[Segment], features: FeatureConfig
) -> Clip:
    """Return a chunk as a clip: with the sources of the segments, where they are voiced."""
    audio = chunk.audio
    hop = round(features.hop * chunk.sampling_frequency)
    level = _level(audio, chunk.sampling_frequency, features)[: len(audio) // hop * hop]
    power = np.mean(level.reshape(-1, hop) ** 2, axis=1)
    # Blocks are counted from the recording's start: what was heard before the chunk matters too.
    earlier = round(chunk.start / features.hop)
    middles = chunk.start + (np.arange(earlier + len(power)) - earlier + 0.5) * features.hop
    heard = [segment for segment in segments if segment.has_source]
    inside = np.array([(middles >= s.start) & (middles < s.end) for s in heard], dtype=bool)
    inside = inside.reshape(-1, len(middles))
    silent = silent_blocks(np.any(inside, axis=0), features.hop)[earlier:]
    inside = inside[:, earlier:]
    loud = power > _background(power, ~np.any(inside, axis=0)) * 10 ** (_ABOVE_BACKGROUND / 10)
    sources: list[Source] = []
    for segment, blocks in zip(heard, inside, strict=True):
        if not blocks.any():
            continue
        active = active_blocks(level * np.repeat(blocks, hop), hop) & loud
        part = Source(
            azimuth=np.where(blocks, segment.azimuth, np.nan),
            elevation=np.where(blocks, segment.elevation, np.nan),
            voiced=voiced_blocks(active) & blocks,
        )
        _add(sources, part)
    return Clip(
        audio=audio,
        sampling_frequency=chunk.sampling_frequency,
        sources=tuple(sources),
        silent=silent,
        room=room,
    )


def _background(power: np.ndarray, outside: np.ndarray) -> float:
    """Return the power of the background.

    Args:
        power: of each block, shape (blocks,).
        outside: which blocks are outside of all segments, shape (blocks,).
    """
    if outside.any():
        return float(np.median(power[outside]))
    return float(np.quantile(power, _QUIETEST))


def _add(sources: list[Source], part: Source) -> None:
    """Put a segment into the first source that is free then, or into a new one."""
    blocks = ~np.isnan(part.azimuth)
    for number, source in enumerate(sources):
        if np.isnan(source.azimuth[blocks]).all():
            sources[number] = Source(
                azimuth=np.where(blocks, part.azimuth, source.azimuth),
                elevation=np.where(blocks, part.elevation, source.elevation),
                voiced=source.voiced | part.voiced,
            )
            return
    sources.append(part)


def _level(audio: np.ndarray, rate: int, features: FeatureConfig) -> np.ndarray:
    """Return the level over the microphones, in the band of the features, shape (samples,)."""
    highest = min(features.band_max, 0.49 * rate)
    band = signal.butter(2, (features.band_min, highest), 'bandpass', fs=rate, output='sos')
    return np.sqrt(np.mean(signal.sosfilt(band, audio, axis=0) ** 2, axis=1))
