# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-locate: directions in multi-channel recordings, one line per analysis window."""

import sys

from doa_ros.command import doa_locate

if __name__ == '__main__':
    # This runs before the imports, which take a second: a signal may come meanwhile.
    sys.exit(doa_locate())

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
import math
from pathlib import Path
from typing import TYPE_CHECKING

from doa_ros.audio.file_source import FileSource
from doa_ros.audio.recordings.raw_format import RAW_ENCODINGS, RawFormat
from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.source import AudioBlock
from doa_ros.cli.locate_formats import FORMATS, Format, make_format
from doa_ros.cli.offline_pipeline import OfflinePipeline
from doa_ros.core.array_file import load_array
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.compatibility import adapted_array, default_features
from doa_ros.core.localization.localizer import METHODS, Localizer, LocalizerConfig
from doa_ros.foxglove.sdk import check_sdk
from doa_ros.network_choice import find_network
from doa_ros.resources import ANY_ARRAY_MODEL, DEFAULT_ARRAY, DEFAULT_MODEL, find_resource

if TYPE_CHECKING:
    from doa_ros.cli.mcap_file import McapFile

_BLOCK = 0.5


def main() -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args()
    array = load_array(find_resource('arrays', arguments.array))
    form = make_format(
        arguments.format, tracks=arguments.tracks, named=len(arguments.recordings) > 1
    )
    mcap = None if arguments.mcap is None else _mcap_file(arguments)
    status = 0
    for name in arguments.recordings:
        try:
            for line in _lines(arguments, array, name, form, mcap):
                print(line, flush=sys.stdout.isatty())
        except AudioError as error:
            # The other recordings may be usable.
            _warn(str(error))
            status = 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='doa-locate', description=__doc__)
    parser.add_argument(
        'recordings',
        nargs='+',
        metavar='recording',
        help='WAV or FLAC file; - is standard input, which may be a pipe. It is resampled where '
        'its sampling frequency is not that of the array',
    )
    parser.add_argument(
        '--array', default=DEFAULT_ARRAY, help='shipped name or YAML path (%(default)s)'
    )
    parser.add_argument(
        '--model',
        default=DEFAULT_MODEL,
        help='shipped name or .tflite path (%(default)s, or '
        f'{ANY_ARRAY_MODEL} where that does not fit the array, if it is shipped)',
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
    parser.add_argument(
        '--band',
        type=_band,
        metavar='MIN,MAX',
        help='frequencies that are used [Hz], like 300,3400; a model takes only those that it was '
        'trained with, srp_phat by default those that suit the array and the recording',
    )
    parser.add_argument(
        '--sensitivity',
        type=float,
        default=LocalizerConfig.sensitivity,
        help='how readily estimates are given: 0 never, 1 always (%(default)s)',
    )
    parser.add_argument(
        '--delegate',
        default=LocalizerConfig.delegate,
        help='library that runs the model on an accelerator: libedgetpu.so.1 (default: the CPU)',
    )
    parser.add_argument(
        '--tracks',
        action='store_true',
        help='print talkers with an identity, smoothed and through pauses, instead of estimates',
    )
    parser.add_argument(
        '--format',
        choices=FORMATS,
        default='table',
        help='how to print what is found (%(default)s)',
    )
    parser.add_argument(
        '--mcap',
        type=Path,
        metavar='FILE',
        help='file to write for Foxglove, with estimates and tracks; of one recording',
    )
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
    return parser


def _band(text: str) -> tuple[float, float]:
    try:
        lowest, highest = (float(number) for number in text.split(','))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a lowest and a highest frequency, like 300,3400'
        ) from None
    return lowest, highest


def _mcap_file(arguments: argparse.Namespace) -> 'McapFile':
    if len(arguments.recordings) > 1:
        raise ConfigError('--mcap is for one recording: give each a call and a file of its own')
    check_sdk()
    # Not before: nothing else needs foxglove-sdk.
    from doa_ros.cli.mcap_file import McapFile

    return McapFile(arguments.mcap)


def _lines(
    arguments: argparse.Namespace,
    array: MicArray,
    name: str,
    form: Format,
    mcap: 'McapFile | None',
) -> Iterator[str]:
    """Yield what is printed of one recording."""
    recording = _open(arguments, array, name)
    if arguments.channels is not None:
        array = _with_channels(array, arguments.channels, recording)
    source = FileSource(recording, array, block_duration=_BLOCK)
    model = find_network(arguments.model, array) if arguments.method == 'cnn' else None
    array, difference = adapted_array(array, model)
    features = _features(arguments, array, model, recording)
    config = LocalizerConfig(
        method=arguments.method,
        sensitivity=arguments.sensitivity,
        delegate=arguments.delegate,
    )
    localizer = Localizer(array, features, config, model)
    if difference:
        _warn(difference)
    tracks = arguments.tracks or mcap is not None
    pipeline = OfflinePipeline(array, features, localizer, tracks=tracks)
    blocks = _with_progress(source)
    if mcap is None:
        windows = pipeline.windows(blocks, recording.name)
    else:
        windows = mcap.record(pipeline, array, blocks, recording.name)
    begun = False
    for window in windows:
        if not begun:
            yield from form.begin(name)
            begun = True
        yield from form.rows(window, name)


def _features(
    arguments: argparse.Namespace, array: MicArray, model: Path | None, recording: Recording
) -> FeatureConfig:
    """Return the feature settings for a recording, as the arguments say.

    Raises:
        AudioError: it holds less than the whole band.
    """
    features = default_features(array, model)
    part = min(1, recording.sampling_frequency / array.sampling_frequency)
    if arguments.band is not None:
        band_min, band_max = arguments.band
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


def _open(arguments: argparse.Namespace, array: MicArray, name: str) -> Recording:
    """Open a recording as the arguments say."""
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
    return Recording(sys.stdin.buffer if name == '-' else Path(name), raw=raw, warn=_warn)


def _warn(sentence: str) -> None:
    print(f'doa-locate: {sentence}', file=sys.stderr)


def _with_channels(array: MicArray, channels: str, recording: Recording) -> MicArray:
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


def _with_progress(source: FileSource) -> Iterable[AudioBlock]:
    blocks = source.blocks(lambda: 0)
    # Where the lines go to the screen, they show the progress.
    if sys.stdout.isatty() or not sys.stderr.isatty():
        return blocks
    try:
        from tqdm import tqdm
    except ImportError:
        return blocks
    total = None if source.duration is None else math.ceil(source.duration / _BLOCK)
    return tqdm(blocks, total=total, unit='block')
