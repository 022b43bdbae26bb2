# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sources that `audio_capture` can take its sound from.

A new one is a class as `doa_ros/audio/source.py` says, its name and its parameters in
`CaptureConfig`, and its entry in the table below.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import os
from pathlib import Path

from doa_ros.audio.capture.device_source import CaptureState, DeviceSource
from doa_ros.audio.file_source import FileSource
from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.scene_source import SceneSource
from doa_ros.audio.source import AudioSource
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.nodes.configs import CaptureConfig
from doa_ros.resources import find_resource

_DEVICE_ADVICE = (
    'otherwise set the parameter device to a part of the name of another one, or try source:=sim'
)


@dataclass(frozen=True)
class SourceListener:
    """What a source calls while it is open.

    Attributes:
        on_change: takes the state of a device when it is away and when it is back.
        warn: takes a sentence on what is wrong with a recording.
    """

    on_change: Callable[[CaptureState], None]
    warn: Callable[[str], None]


@dataclass(frozen=True)
class SourceKind:
    """What the parameter `source` names.

    Attributes:
        open: returns a source for an array; raises DoaError where it is not usable.
        origin: returns in words where its sound comes from.
    """

    open: Callable[[CaptureConfig, MicArray, SourceListener], AudioSource]
    origin: Callable[[CaptureConfig], str]


def _open_device(config: CaptureConfig, array: MicArray, listener: SourceListener) -> AudioSource:
    return DeviceSource(
        array,
        name=config.device,
        block_duration=config.block_duration,
        required=config.required,
        advice=_DEVICE_ADVICE,
        on_change=listener.on_change,
    )


def _open_file(config: CaptureConfig, array: MicArray, listener: SourceListener) -> AudioSource:
    if not config.file:
        raise ConfigError('source file needs the parameter file: the path of a recording')
    # Unlike Path.expanduser, this leaves the home of an unknown user as it is.
    path = Path(os.path.expanduser(config.file))
    return FileSource(
        Recording(path, warn=listener.warn),
        array,
        block_duration=config.block_duration,
        real_time=config.real_time,
        loop=config.loop,
    )


def _open_scene(config: CaptureConfig, array: MicArray, listener: SourceListener) -> AudioSource:
    return SceneSource(
        find_resource('scenes', config.scene),
        array,
        block_duration=config.block_duration,
        real_time=config.real_time,
        loop=config.loop,
    )


SOURCES: Mapping[str, SourceKind] = {
    'device': SourceKind(_open_device, lambda config: f'the device of array {config.array}'),
    'file': SourceKind(_open_file, lambda config: f'the recording {config.file}'),
    'sim': SourceKind(_open_scene, lambda config: f'the simulated scene {config.scene}'),
}
"""By name: the choices of `source` in `CaptureConfig`."""
