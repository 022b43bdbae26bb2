# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a doa_ros/AudioFrame holds, whoever read the message: a node or a recording's reader."""

import numpy as np

from doa_ros.audio.source import NANOSECONDS, AudioBlock, usable
from doa_ros.core.errors import ConfigError, MessageError
from doa_ros.core.geometry import MicArray

# The FORMAT_* of msg/AudioFrame.msg.
FORMATS = {
    'signed_16': np.dtype('<i2'),
    'signed_32': np.dtype('<i4'),
    'float': np.dtype('<f4'),
}


# A frame is a short piece of audio; a longer one is a mistake [s].
_LONGEST = 10
# Stamps derived from one must fit into a message, too [s].
_LAST_SECOND = 2**31 - 1 - 2 * _LONGEST


def stamp_of(header) -> int:
    """Return the stamp of a header [ns]."""
    return header.stamp.sec * NANOSECONDS + header.stamp.nanosec


def check_header(header) -> None:
    """Check the header of a received message.

    Raises:
        MessageError: the stamp is no time, or there is no frame.
    """
    if not (0 <= header.stamp.sec <= _LAST_SECOND and header.stamp.nanosec < NANOSECONDS):
        raise MessageError(
            f'stamp of {header.stamp.sec} s and {header.stamp.nanosec} ns is no time'
        )
    if not header.frame_id:
        raise MessageError('frame_id is empty: it must name the TF frame of the array')


class StampOrder:
    """Finds messages that come out of their order, by their stamps.

    A message whose stamp does not go forward is a copy or comes late. Where the next one goes on
    from there, the sender has started again or its clock was set back, and that one counts.
    """

    def __init__(self):
        self._last: int | None = None
        self._refused: int | None = None

    def check(self, stamp: int) -> None:
        """Take the stamp of the next message [ns].

        Raises:
            MessageError: it does not go forward.
        """
        backwards = self._last is not None and stamp <= self._last
        if backwards and (self._refused is None or stamp <= self._refused):
            self._refused = stamp
            behind = (self._last - stamp) / NANOSECONDS
            raise MessageError(
                f'its stamp does not go forward, it lies {behind:.3f} s before the last one; if '
                'the next one goes on from there, a new stream begins'
            )
        self._last, self._refused = stamp, None


def block_from_audio_frame(message, microphones: MicArray) -> AudioBlock:
    """Return the block in a message.

    Args:
        message: anything with the fields of doa_ros/AudioFrame.
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
