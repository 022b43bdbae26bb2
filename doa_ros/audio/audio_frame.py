# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The audio in a doa_ros/AudioFrame, whether a node or a reader of bags has read it."""

from typing import Protocol

import numpy as np

from doa_ros.audio.source import AudioBlock
from doa_ros.core.errors import ConfigError, MessageError
from doa_ros.core.geometry import MicArray
from doa_ros.core.samples import usable
from doa_ros.headers import Header, stamp_of

# The FORMAT_* of msg/AudioFrame.msg.
FORMATS: dict[str, np.dtype] = {
    'signed_16': np.dtype('<i2'),
    'signed_32': np.dtype('<i4'),
    'float': np.dtype('<f4'),
}

# A frame is a short piece of audio; a longer one is a mistake [s].
_LONGEST = 10


class AudioMessage(Protocol):
    """The fields of doa_ros/AudioFrame."""

    header: Header
    format: str
    channel_count: int
    sampling_frequency: int
    frame_sample_count: int
    first_sample_index: int
    data: bytes


def block_from_audio_frame(message: AudioMessage, microphones: MicArray) -> AudioBlock:
    """Return the block in a message.

    Args:
        message: of ROS, or of a reader of bags.
        microphones: the array it was recorded with.

    Raises:
        MessageError: unknown format, wrong length, rate or channel count, too long, or values
            that are not finite.
    """
    dtype = FORMATS.get(message.format)
    if dtype is None:
        raise MessageError(f'unknown audio format {message.format!r}')
    if message.sampling_frequency != microphones.sampling_frequency:
        raise MessageError(
            f'audio of {message.sampling_frequency} Hz for array {microphones.name!r} of '
            f'{microphones.sampling_frequency} Hz'
        )
    try:
        microphones.microphone_channels(message.channel_count)
    except ConfigError as error:
        raise MessageError(str(error)) from None
    shape = message.frame_sample_count, message.channel_count
    if shape[0] > _LONGEST * message.sampling_frequency:
        raise MessageError(
            f'audio frame of {shape[0]} samples: longer than {_LONGEST} s, so not a short piece'
        )
    expected = shape[0] * shape[1] * dtype.itemsize
    if len(message.data) != expected or shape[0] == 0:
        raise MessageError(
            f'audio data of {len(message.data)} bytes, but {shape[0]} samples of {shape[1]} '
            f'channels in format {message.format} take {expected}'
        )
    samples = np.frombuffer(message.data, dtype=dtype).reshape(shape)
    if not usable(samples):
        raise MessageError('audio data holds samples that are NaN or far beyond full scale 1')
    return AudioBlock(
        samples, message.sampling_frequency, message.first_sample_index, stamp_of(message.header)
    )
