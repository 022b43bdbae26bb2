# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Headers, and blocks of audio as messages."""

import array

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from doa_ros.audio.audio_frame import FORMATS
from doa_ros.audio.source import AudioBlock
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import AudioFrame

_FORMAT_NAMES = {dtype: name for name, dtype in FORMATS.items()}


def make_header(stamp: int, frame_id: str) -> Header:
    """Return a header for a stamp [ns]."""
    seconds, nanoseconds = divmod(stamp, NANOSECONDS)
    return Header(stamp=Time(sec=seconds, nanosec=nanoseconds), frame_id=frame_id)


def window_header(header: Header, block: AudioBlock, hop_index: int) -> Header:
    """Return the header of the analysis window that a block completed.

    It is the block's own where the window's new samples begin with the block, as they do while
    block and hop have the same length; otherwise its stamp is shifted to where they begin.

    Args:
        header: of the block.
        block: that completed the window.
        hop_index: index of the first sample that is new in the window, since stream start.
    """
    offset = hop_index - block.first_sample_index
    if offset == 0:
        return header
    shift = offset * NANOSECONDS // block.sampling_frequency
    return make_header(stamp_of(header) + shift, header.frame_id)


def audio_frame_from_block(header: Header, block: AudioBlock) -> AudioFrame:
    """Return the message of a block.

    Args:
        header: with the stamp of the block.
        block: int16, int32 or float32.
    """
    dtype = block.samples.dtype.newbyteorder('<')
    message = AudioFrame(
        header=header,
        format=_FORMAT_NAMES[dtype],
        channel_count=block.samples.shape[1],
        sampling_frequency=block.sampling_frequency,
        frame_sample_count=block.samples.shape[0],
        first_sample_index=block.first_sample_index,
    )
    # An array.array is taken as it is; a list or an ndarray would be checked byte by byte.
    message.data = array.array('B', block.samples.astype(dtype, copy=False).tobytes())
    return message
