# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What command lines for recordings have in common: their arguments, and what these say."""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import replace
import math
from pathlib import Path
import sys

from doa_ros.audio.file_source import FileSource
from doa_ros.audio.recordings.raw_format import RAW_ENCODINGS, RawFormat
from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.source import AudioBlock
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.compatibility import default_features
from doa_ros.core.localization.localizer import METHODS, LocalizerConfig
from doa_ros.resources import ANY_ARRAY_MODEL, DEFAULT_ARRAY, DEFAULT_MODEL


def add_array_arguments(parser: argparse.ArgumentParser, model: str) -> None:
    """Declare the array, the channels and how directions are found.

    Args:
        parser: of the command line.
        model: the default one.
    """
    parser.add_argument(
        '--array', default=DEFAULT_ARRAY, help='shipped name or YAML path (%(default)s)'
    )
    parser.add_argument(
        '--model',
        default=model,
        help='shipped name or .tflite path (%(default)s'
        + f', or {ANY_ARRAY_MODEL} where that does not fit the array, if it is shipped'
        * (model == DEFAULT_MODEL)
        + ')',
    )
    parser.add_argument(
        '--method',
        choices=METHODS,
        default=LocalizerConfig.method,
        help='cnn: the model; srp_phat: steered response power, for any array (%(default)s)',
    )
    parser.add_argument(
        '--channels',
        help='channels of the recording that are the microphones, in the order of the array '
        'file and counted from 0, like 1,2,3,4,5,6; by default those of the array file',
    )


def add_raw_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how samples without a header are read."""
    raw = parser.add_argument_group('samples without a header', 'least significant byte first')
    raw.add_argument(
        '--raw-format', choices=tuple(RAW_ENCODINGS), help='integers or floats, and bits'
    )
    raw.add_argument(
        '--raw-rate', type=int, help='sampling frequency [Hz] (default: that of the array)'
    )
    raw.add_argument(
        '--raw-channels',
        type=int,
        help="channels of each sample (default: all of the array's device)",
    )


def open_recording(
    arguments: argparse.Namespace, array: MicArray, name: str, warn: Callable[[str], None]
) -> Recording:
    """Open a recording as the arguments of a command line say.

    Args:
        arguments: with those of `add_raw_arguments`.
        array: it was made with.
        name: path, or - for standard input.
        warn: is given sentences for the user.

    Raises:
        AudioError: it cannot be read.
        ConfigError: the arguments do not go together.
    """
    rate, channels = arguments.raw_rate, arguments.raw_channels
    raw = None
    if arguments.raw_format is not None:
        raw = RawFormat(
            arguments.raw_format,
            array.sampling_frequency if rate is None else rate,
            array.channel_count if channels is None else channels,
        )
    elif rate is not None or channels is not None:
        raise ConfigError('--raw-rate and --raw-channels are for samples of a --raw-format')
    return Recording(sys.stdin.buffer if name == '-' else Path(name), raw=raw, warn=warn)


def with_channels(array: MicArray, channels: str, recording: Recording) -> MicArray:
    """Return an array whose microphones are the channels of --channels in a recording.

    Raises:
        AudioError: the recording has no such channels.
        ConfigError: they are not one number for each microphone.
    """
    try:
        numbers = tuple(int(number) for number in channels.split(','))
    except ValueError:
        raise ConfigError(f'--channels takes numbers like 1,2,3 and not {channels!r}') from None
    if len(numbers) != len(array.labels):
        raise ConfigError(
            f'--channels takes one for each of the {len(array.labels)} microphones of array '
            f'{array.name!r}, {", ".join(array.labels)}, and not {channels!r}'
        )
    try:
        return replace(
            array, channels=numbers, channel_count=recording.channel_count, silent_channels=()
        )
    except ConfigError as error:
        raise AudioError(f'{recording.name}: --channels {channels}: {error}') from None


def features_of(
    recording: Recording,
    array: MicArray,
    model: Path | None,
    band: tuple[float, float] | None = None,
) -> FeatureConfig:
    """Return the feature settings for a recording.

    Args:
        recording: that is located in.
        array: it was made with.
        model: that locates; None for SRP-PHAT.
        band: lowest and highest frequency [Hz] where they are asked for.

    Raises:
        AudioError: it holds less than the whole band.
    """
    features = default_features(array, model)
    part = min(1, recording.sampling_frequency / array.sampling_frequency)
    if band is not None:
        band_min, band_max = band
        features = replace(features, band_min=band_min, band_max=band_max)
    elif model is None:
        band_max = min(features.band_max, part * array.highest_frequency)
        features = replace(features, band_max=band_max)
    held = recording.sampling_frequency / 2
    if part < 1 and features.band_max > held:
        raise AudioError(
            f'{recording.name}: holds nothing above {held:g} Hz, and directions need all of the '
            f'band up to {features.band_max:g} Hz'
            + '; --method srp_phat takes a narrower one'
            * (model is not None)
        )
    return features


def with_progress(source: FileSource, block_duration: float) -> Iterable[AudioBlock]:
    """Return the blocks of a source; where they can be seen, with a progress bar.

    Args:
        source: a recording.
        block_duration: length of its blocks [s].
    """
    blocks = source.blocks(lambda: 0)
    # Where the lines go to the screen, they show the progress.
    if sys.stdout.isatty() or not sys.stderr.isatty():
        return blocks
    try:
        from tqdm import tqdm
    except ImportError:
        return blocks
    total = None if source.duration is None else math.ceil(source.duration / block_duration)
    return tqdm(blocks, total=total, unit='block')
