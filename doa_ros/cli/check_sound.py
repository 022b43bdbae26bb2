# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the sound of the steps of doa-check comes from: a device or recordings."""

from collections.abc import Iterator
from dataclasses import replace
import functools
import math
from pathlib import Path
import sys
import time

import numpy as np

from doa_ros.audio.capture.device_source import DeviceSource
from doa_ros.audio.file_source import FileSource
from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.source import AudioBlock
from doa_ros.cli.check_report import say
from doa_ros.cli.check_steps import QUIET, STEPS, Step
from doa_ros.core.errors import AudioError, ConfigError, DoaError
from doa_ros.core.geometry import MicArray

_BLOCK = 0.1
_DEVICE_ADVICE = (
    'otherwise choose another one by --device (--list-devices shows them), or check recordings by '
    '--file'
)


class DeviceRecorder:
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
        say('ok', 'device', f'{self._source.device}, which gives {channels}')
        if warning := self._source.state.warning:
            say('WARN', 'device', warning)
        self._rate = array.sampling_frequency
        self._blocks = self._source.blocks(time.time_ns)

    def record(self, step: Step) -> np.ndarray:
        """Return what is heard in a step."""
        print(f'\n{step.request}', flush=True)
        if step is not QUIET and sys.stdin.isatty():
            _wait_for_enter(f'Press Enter and go on for {step.duration:g} seconds ...')
        start = time.time_ns()
        # The sound from before the person was ready does not count.
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
        # Not AudioError, after which the person would be asked again.
        raise DoaError(
            'the input has ended before the last step, so nothing is written; what was found so '
            'far is above'
        ) from None


class FileRecorder:
    """Cuts the steps out of recordings.

    Args:
        array: as described.
        files: one for each step, or one that holds all of them.
        times: where the steps are in the one recording [s], like 0-12,14-22,24-32; None where each
            step has a recording of its own.

    Raises:
        ConfigError: files or times do not fit the steps.
    """

    def __init__(self, array: MicArray, files: list[Path], times: str | None):
        if times is None and len(files) != len(STEPS):
            raise ConfigError(
                '--file takes three recordings, one for each step, or one with --times'
            )
        if times is not None and len(files) != 1:
            raise ConfigError('--times is for one recording that holds all three steps')
        parts = [(0.0, math.inf)] * len(STEPS) if times is None else _ranges(times)
        places = zip(files * (1 if times is None else len(STEPS)), parts, strict=True)
        self._array, self._places = array, dict(zip(STEPS, places, strict=True))
        # Warn once, even where a recording is opened for each step.
        self._warn = functools.cache(_warn)

    def record(self, step: Step) -> np.ndarray:
        """Return what is heard in a step: all channels, shape (samples, channels).

        Raises:
            AudioError: a recording does not fit the array, or is too short.
        """
        file, (start, end) = self._places[step]
        array, rate = self._array, self._array.sampling_frequency
        source = FileSource(Recording(file, warn=self._warn), array, block_duration=_BLOCK)
        if source.channel_count != array.channel_count:
            raise AudioError(
                f'{source.name}: has {source.channel_count} channels; needed are all '
                f'{array.channel_count} of the device'
            )
        blocks = _from(round(start * rate), source.blocks(lambda: 0))
        samples = _collect(blocks, end - start, rate)
        duration = len(samples) / rate
        if duration < step.least:
            raise AudioError(
                f'{source.name}: {duration:.1f} s are too short; needed are {step.least:g} s of: '
                f'{step.request}'
            )
        return samples


def _warn(sentence: str) -> None:
    print(f'doa-check: {sentence}', file=sys.stderr)


def _ranges(times: str) -> list[tuple[float, float]]:
    parts = (part.split('-') for part in times.split(','))
    try:
        ranges = [(float(start), float(end)) for start, end in parts]
    except ValueError:
        ranges = []
    if len(ranges) != len(STEPS) or not all(0 <= a < b < math.inf for a, b in ranges):
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
