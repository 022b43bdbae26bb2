# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the microphones heard, in chunks without gaps: from files and rosbag2 recordings."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from doa_ros.audio.file_source import FileSource
from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.source import AudioBlock
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.core.units import NANOSECONDS

from .bags import audio_blocks, is_bag

# Chunks are no longer than this, so that memory does not grow with a recording [s].
_LONGEST = 60.0
# Files are read in blocks of this length [s].
_BLOCK = 1.0


@dataclass
class Chunk:
    """Audio without gaps.

    Attributes:
        start: in the recording [s].
        sampling_frequency: [Hz].
        blocks: of the microphones, each of shape (samples, microphones), float32.
    """

    start: float
    sampling_frequency: int
    blocks: list[np.ndarray] = field(default_factory=list)

    @property
    def sample_count(self) -> int:
        """Samples of each microphone."""
        return sum(map(len, self.blocks))

    @property
    def end(self) -> float:
        """Where it ends in the recording [s]."""
        return self.start + self.sample_count / self.sampling_frequency

    @property
    def audio(self) -> np.ndarray:
        """All of it, shape (samples, microphones), float32."""
        return np.concatenate(self.blocks)


def read_chunks(path: Path, array: MicArray) -> Iterator[Chunk]:
    """Yield a recording in chunks without gaps, of a minute at most.

    Args:
        path: a WAV or FLAC file, a rosbag2 folder or a bare .mcap file.
        array: the microphones; the audio may have another rate.

    Raises:
        AudioError: the recording cannot be read, or holds no audio of this array.
    """
    chunk: Chunk | None = None
    origin = following = 0
    for block in audio_blocks(path, array) if is_bag(path) else _file_blocks(path, array):
        rate = block.sampling_frequency
        if chunk is None:
            origin = block.stamp
        goes_on = (
            chunk is not None
            and following == block.first_sample_index
            and rate == chunk.sampling_frequency
            and chunk.end - chunk.start < _LONGEST
        )
        if chunk is None or not goes_on:
            if chunk is not None:
                yield chunk
            chunk = Chunk((block.stamp - origin) / NANOSECONDS, rate)
        channels = array.microphone_channels(block.samples.shape[1])
        chunk.blocks.append(block.as_float()[:, channels])
        following = block.first_sample_index + len(block.samples)
    if chunk is not None:
        yield chunk


def _file_blocks(path: Path, array: MicArray) -> Iterator[AudioBlock]:
    recording = Recording(path, warn=tqdm.write)
    try:
        array = replace(array, sampling_frequency=recording.sampling_frequency)
    except ConfigError as error:
        raise AudioError(f'{path}: cannot be read as audio ({error})') from None
    source = FileSource(recording, array, block_duration=_BLOCK)
    return source.blocks(lambda: 0)
