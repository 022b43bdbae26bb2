# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-check: check a microphone array, step by step, and write an array file that fits it.

First the room must be quiet for a while: its noise shows levels, dead channels and the order of
the channels. Then somebody speaks from the side opposite the USB cable, then from the right, seen
from above with the cable at the back: their voice shows how the board lies.
"""

import sys

from doa_ros.cli.command import doa_check

if __name__ == '__main__':
    # Before the imports that take a second: a signal may come meanwhile.
    sys.exit(doa_check())

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
import functools
import math
from pathlib import Path
import time

import numpy as np
import yaml

from doa_ros.audio.capture.device_source import DeviceSource
from doa_ros.audio.capture.process import list_devices
from doa_ros.audio.file_source import FileSource
from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.source import AudioBlock, as_float
from doa_ros.cli.output_file import OutputFile
from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.array_check.channel_health import ChannelHealth, Fault, Health
from doa_ros.core.array_check.channel_order import ChannelOrder, order_of_noise, reordered
from doa_ros.core.array_check.orientation import Orientation, find_orientation, spoken_azimuth
from doa_ros.core.config import load_yaml
from doa_ros.core.errors import AudioError, ConfigError, DoaError
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.core.monitoring import Level
from doa_ros.resources import find_resource

_BLOCK = 0.1
# So much of the quiet room is heard before a voice [s].
_BEFORE_VOICE = 3.0
# How often a person is asked to speak.
_ATTEMPTS = 3
_DEVICE_ADVICE = (
    'otherwise choose another one by --device (--list-devices shows them), or check recordings by '
    '--file'
)
# Exit status where the array is not usable as it is.
_FAULTY = 2


@dataclass(frozen=True)
class Step:
    """A part of the check.

    Attributes:
        request: what the person is asked for.
        duration: how long it is listened [s].
        least: how much a recording must hold [s].
    """

    request: str
    duration: float
    least: float


QUIET = Step('Be quiet: the noise of the room is wanted.', 12.0, 10.0)
FRONT = Step('Speak from the side opposite the USB cable, about 1 m away.', 8.0, 3.0)
RIGHT = Step('Speak from the right, seen from above with the cable at the back.', 8.0, 3.0)
_STEPS = (QUIET, FRONT, RIGHT)

Recorder = Callable[[Step], np.ndarray]
"""Returns what is heard in a step: all channels, shape (samples, channels)."""


def main() -> int:
    """Run the command line; return the exit status."""
    return _run(_parser().parse_args())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='doa-check', description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('--array', default='uma8', help='shipped name or YAML path (%(default)s)')
    parser.add_argument(
        '--device',
        default='',
        help='part of its name, USB port (usb:1-1.4), ALSA name or number,\nsee --list-devices',
    )
    parser.add_argument('--list-devices', action='store_true', help='show the sound cards and end')
    parser.add_argument(
        '--file',
        type=Path,
        nargs='+',
        help='recordings instead of a device: three for the three steps,\nor one with --times',
    )
    parser.add_argument(
        '--times',
        help='where the steps are in one recording [s]: 0-12,14-22,24-32',
    )
    parser.add_argument(
        '--out', type=Path, help='array file to write; without it nothing is written'
    )
    return parser


def _run(arguments) -> int:
    if arguments.list_devices:
        print(list_devices())
        return 0
    path = find_resource('arrays', arguments.array)
    array = load_array(path).unmounted()
    if not ambiguity_of(array).horizontal:
        raise ConfigError(
            f'array {array.name!r} is not flat and horizontal: voices do not tell how it lies. '
            'Give its positions as mounted; /diagnostics says how its channels are'
        )
    out = None if arguments.out is None else OutputFile(arguments.out)
    if arguments.file is not None:
        result = check(array, _recorded(array, arguments.file, arguments.times))
    elif arguments.times is not None:
        raise ConfigError('--times is for a recording: give --file, too')
    else:
        device = Device(array, arguments.device)
        try:
            result = check(array, device.record, _ATTEMPTS)
        finally:
            device.close()
    if result.orientation is not None:
        try:
            if out is not None:
                out.write(corrected(path, result).encode())
        finally:
            # Whatever becomes of the file: a person has taken part in finding it out.
            print(f'\n{_summary(result)}\n')
        if out is None:
            print('Give --out FILE to get an array file with this.')
        else:
            print(f'Written: {out}. Use it by array:={arguments.out.resolve()}')
    elif out is not None:
        print(f'\nNot written: {out}, as it would not help.')
    return _FAULTY if result.faulty else 0


@dataclass(frozen=True)
class Result:
    """What was found out about an array.

    Attributes:
        array: as described, with the channels on which its microphones are heard.
        health: of the channels.
        order: of the channels; None where a microphone is dead.
        orientation: of the board; None where a channel has no right place.
    """

    array: MicArray
    health: Health
    order: ChannelOrder | None
    orientation: Orientation | None

    @property
    def faulty(self) -> bool:
        """Whether the array cannot be used, whatever file describes it."""
        return self.orientation is None or self.health.level == Level.ERROR


def check(array: MicArray, record: Recorder, attempts: int = 1) -> Result:
    """Check an array and say what is found.

    Args:
        array: as described.
        record: gives the sound of each step.
        attempts: how often a voice may be asked for.

    Raises:
        AudioError: the sound is not what was asked for.
    """
    quiet = record(QUIET)
    health = _channel_health(array, quiet)
    _report_levels(array, health)
    order = None
    if any(finding.fault == Fault.ROTATED for finding in health.findings):
        return Result(array, health, None, None)
    if any(finding.fault == Fault.DEAD for finding in health.findings):
        _say('?', 'order', 'not known, as microphones are dead')
    else:
        order = order_of_noise(array, as_float(quiet))
        _report_order(array, order)
        if order.sure:
            array = reordered(array, order)
    before = as_float(quiet)[-round(_BEFORE_VOICE * array.sampling_frequency) :]
    azimuths = []
    for step in (FRONT, RIGHT):
        azimuths.append(_voice(array, before, record, step, attempts))
        _say('ok', 'voice', f'at {math.degrees(azimuths[-1]):.0f} degrees on the board')
    orientation = find_orientation(array, *azimuths)
    _report_orientation(orientation)
    return Result(array, health, order, orientation)


def _voice(array: MicArray, before, record: Recorder, step: Step, attempts: int) -> float:
    """Return where the voice of a step comes from [rad]; ask again where it is not clear."""
    while True:
        try:
            return spoken_azimuth(array, before, as_float(record(step)))
        except AudioError as error:
            attempts -= 1
            if not attempts:
                raise
            _say('?', 'voice', f'{error}; once more')


def _channel_health(array: MicArray, quiet: np.ndarray) -> Health:
    watch = ChannelHealth(array)
    watch.push(0, quiet)
    return watch.health


def _say(mark: str, topic: str, text: str) -> None:
    print(f'{mark:>5}  {topic:<12}{text}', flush=True)


def _report_levels(array: MicArray, health: Health) -> None:
    count = len(health.levels_dbfs)
    levels = health.levels_dbfs[array.microphone_channels(count)]
    _say('ok', 'channels', f'{count} at {array.sampling_frequency} Hz')
    _say('ok', 'levels', f'{levels.min():.0f} to {levels.max():.0f} dBFS at the microphones')
    for finding in health.findings:
        _say('ERROR' if finding.level == Level.ERROR else 'WARN', finding.fault, finding.message)
    if not health.findings:
        _say('ok', 'health', 'no channel has a fault')


def _report_order(array: MicArray, order: ChannelOrder) -> None:
    if not order.sure:
        _say(
            '?',
            'order',
            'cannot be told: the noise comes from one direction or is too low '
            f'({100 * max(order.explained, 0):.0f} % explained); try another room',
        )
    elif order.as_described:
        _say('ok', 'order', 'as described, or turned or mirrored as a whole')
    else:
        moves = ', '.join(
            f'channel {array.channels[i]} is {array.labels[order.microphones[i]]}'
            for i in order.moved
        )
        _say('WARN', 'order', f'{moves}, against the array file')


def _report_orientation(orientation: Orientation) -> None:
    degrees = math.degrees(orientation.rotation)
    if orientation.face_down:
        _say('WARN', 'mirroring', 'left and right are exchanged: mounting face_down')
    else:
        _say('ok', 'mirroring', 'none: mounting face_up')
    as_described = abs(degrees) < 0.5
    _say('ok' if as_described else 'WARN', 'rotation', f'{degrees:.0f} degrees')
    if not orientation.regular:
        _say(
            '?',
            'rotation',
            'no order of the channels explains it: was the voice where it was asked for?',
        )
    _say('ok', 'accuracy', f'the voices fit to {math.degrees(orientation.deviation):.0f} degrees')


def corrected(path: Path, result: Result) -> str:
    """Return an array file for what was found.

    Args:
        path: the array file that described the array.
        result: what was found.
    """
    content = load_yaml(path)
    for microphone, channel in zip(content['microphones'], result.array.channels, strict=True):
        microphone['channel'] = channel
    content['mounting'] = 'face_down' if result.orientation.face_down else 'face_up'
    content['rotation_deg'] = _degrees(result.orientation)
    head = f'# Written by doa-check from {path.stem}.\n'
    return head + yaml.safe_dump(content, sort_keys=False, default_flow_style=None)


def _summary(result: Result) -> str:
    face = 'face_down' if result.orientation.face_down else 'face_up'
    lines = [f'mounting: {face}', f'rotation_deg: {_degrees(result.orientation)}']
    if result.order is not None and result.order.sure and not result.order.as_described:
        lines += [
            f'{label}: channel {channel}'
            for label, channel in zip(result.array.labels, result.array.channels, strict=True)
        ]
    return '\n'.join(lines)


def _degrees(orientation: Orientation) -> float:
    # Tenths of degrees are more than anyone can stand.
    return round(math.degrees(orientation.rotation), 1) + 0.0


class Device:
    """Asks the person and listens to a device.

    Args:
        array: as described.
        name: part of the name of the device; empty takes that of the array file.

    Raises:
        AudioError: there is no such device, or it does not fit the array.
    """

    def __init__(self, array: MicArray, name: str):
        self._source = DeviceSource(array, name=name, block_duration=_BLOCK, advice=_DEVICE_ADVICE)
        channels = f'all {array.channel_count} channels'
        _say('ok', 'device', f'{self._source.device}, which gives {channels}')
        if warning := self._source.state.warning:
            _say('WARN', 'device', warning)
        self._rate = array.sampling_frequency
        self._blocks = self._source.blocks(time.time_ns)

    def record(self, step: Step) -> np.ndarray:
        """Return what is heard in a step."""
        print(f'\n{step.request}', flush=True)
        if step is not QUIET and sys.stdin.isatty():
            _wait_for_enter(f'Press Enter and go on for {step.duration:g} seconds ...')
        start = time.time_ns()
        # What was heard while the person got ready is of no interest.
        fresh = (block for block in self._blocks if block.stamp >= start)
        return _collect(fresh, step.duration, self._rate)

    def close(self) -> None:
        """Release the device."""
        self._source.close()


def _wait_for_enter(prompt: str) -> None:
    try:
        input(prompt)
    except EOFError:
        print()
        # No AudioError: asking again would not help.
        raise DoaError(
            'the input has ended before the last step, so nothing is written; what was found so '
            'far is above'
        ) from None


def _recorded(array: MicArray, files: list[Path], times: str | None) -> Recorder:
    """Return a recorder that cuts the steps out of recordings."""
    if times is None and len(files) != len(_STEPS):
        raise ConfigError('--file takes three recordings, one for each step, or one with --times')
    if times is not None and len(files) != 1:
        raise ConfigError('--times is for one recording that holds all three steps')
    parts = [(0.0, math.inf)] * len(_STEPS) if times is None else _ranges(times)
    places = zip(_STEPS, files * (1 if times is None else len(_STEPS)), parts, strict=True)
    by_step = {step.request: (file, part) for step, file, part in places}

    @functools.cache  # Once, however often a recording is opened.
    def warn(sentence: str) -> None:
        print(f'doa-check: {sentence}', file=sys.stderr)

    def record(step: Step) -> np.ndarray:
        file, (start, end) = by_step[step.request]
        source = FileSource(Recording(file, warn=warn), array, block_duration=_BLOCK)
        if source.channel_count != array.channel_count:
            raise AudioError(
                f'{source.name}: has {source.channel_count} channels; needed are all '
                f'{array.channel_count} of the device'
            )
        rate = array.sampling_frequency
        blocks = _from(round(start * rate), source.blocks(lambda: 0))
        samples = _collect(blocks, end - start, rate)
        duration = len(samples) / rate
        if duration < step.least:
            raise AudioError(
                f'{source.name}: {duration:.1f} s are too short; needed are {step.least:g} s of: '
                f'{step.request}'
            )
        return samples

    return record


def _ranges(times: str) -> list[tuple[float, float]]:
    try:
        ranges = [tuple(float(t) for t in part.split('-')) for part in times.split(',')]
    except ValueError:
        ranges = []
    if len(ranges) != len(_STEPS) or any(
        len(r) != 2 or not 0 <= r[0] < r[1] < math.inf for r in ranges
    ):
        raise ConfigError(
            f'--times takes three ranges in seconds, like 0-12,14-22,24-32, and not {times!r}'
        )
    return ranges


def _from(first: int, blocks: Iterator[AudioBlock]) -> Iterator[AudioBlock]:
    """Yield the blocks of a stream from a sample on."""
    for block in blocks:
        skipped = max(0, first - block.first_sample_index)
        if skipped < len(block.samples):
            index = block.first_sample_index + skipped
            yield replace(block, samples=block.samples[skipped:], first_sample_index=index)


def _collect(blocks: Iterator[AudioBlock], duration: float, rate: int) -> np.ndarray:
    """Return the first seconds of a stream, or all of it where there are fewer."""
    wanted, count, parts, expected = duration * rate, 0, [], None
    for block in blocks:
        if expected is not None and block.first_sample_index != expected:
            raise AudioError('samples were lost on the way; close other programs and try again')
        expected = block.first_sample_index + len(block.samples)
        parts.append(block.samples)
        count += len(block.samples)
        if count >= wanted:
            break
    samples = np.concatenate(parts) if parts else np.zeros((0, 0))
    return samples[: round(min(wanted, count))]
