#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Record a voice from a known direction, for fine-tuning, from `doa/audio`.

The launch has to publish the sound (`publish_audio:=true`). FOLDER/ROOM/NAME.wav gets all
channels, and FOLDER/labels.csv a row, as `python -m training finetune` takes them. Record in
several rooms, and each room alone, too, without --azimuth. What ends too early is removed.
"""

import argparse
import math
from pathlib import Path
import sys

from rclpy.clock import Clock, ClockType
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.utilities import remove_ros_args
import soundfile

from doa_ros.audio.audio_frame import block_from_audio_frame
from doa_ros.conversions.arrays import array_from_info
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.dashboard.recording_labels import Label, add_label, check_labels
from doa_ros.msg import AudioFrame, MicArrayInfo
from doa_ros.nodes.robot import RobotNode, spin

# How samples are written, so that nothing is lost.
_SUBTYPES = {'signed_16': 'PCM_16', 'signed_32': 'PCM_32', 'float': 'FLOAT'}
# Without sound for this time, it ends [s].
_PATIENCE = 10.0


class RecordLabelled(RobotNode):
    """Records until there is enough."""

    def __init__(self, options: argparse.Namespace):
        path = options.folder / options.room / f'{options.name}.wav'
        if path.exists():
            raise ConfigError(f'{path} is there already: choose another NAME')
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            check_labels(options.folder)
        except OSError as error:
            raise ConfigError(f'{path.parent} cannot be used ({error.strerror})') from None
        super().__init__('record_labelled')
        self._options, self._path = options, path
        angles = math.radians(options.azimuth), math.radians(options.elevation)
        self._label = Label(*angles, options.room)
        self._array: MicArray | None = None
        self._file: soundfile.SoundFile | None = None
        self._next_index = self._checked_index = 0
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(MicArrayInfo, 'doa/array_info', self._on_array, latched)
        self.create_subscription(AudioFrame, 'doa/audio', self._on_audio, 100)
        self.create_timer(_PATIENCE, self._check, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _on_array(self, message: MicArrayInfo) -> None:
        self._array = array_from_info(message)

    def _on_audio(self, message: AudioFrame) -> None:
        if self._array is None:
            return
        block = block_from_audio_frame(message, self._array)
        if self._file is None:
            rate, subtype = block.sampling_frequency, _SUBTYPES[message.format]
            self._file = soundfile.SoundFile(self._path, 'w', rate, message.channel_count, subtype)
        elif block.first_sample_index != self._next_index:
            raise AudioError('sound was lost on the way: record again')
        self._next_index = block.first_sample_index + message.frame_sample_count
        self._file.write(block.samples)
        if self._file.tell() >= self._options.seconds * block.sampling_frequency:
            self._file.close()
            add_label(self._options.folder, self._path, self._array, self._label)
            self._file = None
            raise SystemExit

    def _check(self) -> None:
        if self._next_index == self._checked_index:
            raise AudioError('no sound on doa/audio: launch with publish_audio:=true')
        self._checked_index = self._next_index

    def stop(self) -> None:
        """Remove a recording that has no label."""
        if self._file is not None:
            self._file.close()
            self._path.unlink()


def main() -> int:
    """Record as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, kind in (('folder', Path), ('room', str), ('name', str)):
        parser.add_argument(name, type=kind, metavar=name.upper())
    parser.add_argument(
        '--azimuth', type=float, default=math.nan, metavar='DEG', help='of the voice'
    )
    parser.add_argument(
        '--elevation', type=float, default=math.nan, metavar='DEG', help='if known'
    )
    parser.add_argument('--seconds', type=float, default=20.0, help='%(default)g by default')
    options = parser.parse_args(remove_ros_args(sys.argv)[1:])
    return spin(lambda: RecordLabelled(options))


if __name__ == '__main__':
    sys.exit(main())
