# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Audio frames in rosbag2 recordings, read without ROS."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from doa_ros.audio.audio_frame import block_from_audio_frame
from doa_ros.audio.source import AudioBlock
from doa_ros.core.errors import AudioError, MessageError
from doa_ros.core.geometry import MicArray

MESSAGE = 'doa_ros/msg/AudioFrame'
# For bags that do not carry the definitions of their messages: the fields of the .msg file.
DEFINITION = """\
std_msgs/Header header
string format
uint32 channel_count
uint32 sampling_frequency
uint32 frame_sample_count
uint64 first_sample_index
uint8[] data
"""


def is_bag(path: Path) -> bool:
    """Return whether a path is a rosbag2 folder or a bare MCAP file."""
    return (path / 'metadata.yaml').is_file() or (path.suffix == '.mcap' and path.is_file())


def audio_blocks(path: Path, array: MicArray) -> Iterator[AudioBlock]:
    """Yield the audio frames of a recording in the order they were recorded.

    Args:
        path: a rosbag2 folder or a bare .mcap file.
        array: the microphones; the audio may have another rate.

    Raises:
        AudioError: the recording cannot be read or holds no audio of this array.
        ModuleNotFoundError: the package rosbags is not installed.
    """
    # Most recordings are no bags.
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(DEFINITION, MESSAGE))
    try:
        with AnyReader([path], default_typestore=store) as reader:
            connections = [c for c in reader.connections if c.msgtype == MESSAGE]
            topics = sorted({c.topic for c in connections})
            if len(topics) != 1:
                found = f'several: {", ".join(topics)}' if topics else 'none'
                raise AudioError(f'{path}: needs one topic of type {MESSAGE}, but holds {found}')
            for connection, _, data in reader.messages(connections):
                # Of a class that is made of the definition.
                message: Any = reader.deserialize(data, connection.msgtype)
                rated = replace(array, sampling_frequency=message.sampling_frequency)
                yield block_from_audio_frame(message, rated)
    except (AudioError, GeneratorExit):
        raise
    except MessageError as error:
        raise AudioError(f'{path}: {error}') from None
    # Damaged files let out whatever the layers of the reader say: SQLite, zstd, struct ...
    except Exception as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise AudioError(f'{path}: cannot be read as a rosbag2 recording ({reason})') from error
