# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-locate: directions in multi-channel recordings, one line per analysis window."""

import sys

from doa_ros.command import doa_locate

if __name__ == '__main__':
    # This runs before the imports, which take a second: a signal may come meanwhile.
    sys.exit(doa_locate())

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from doa_ros.audio.file_source import FileSource
from doa_ros.cli.locate_formats import FORMATS, Format, make_format
from doa_ros.cli.offline_pipeline import OfflinePipeline
from doa_ros.cli.recording_arguments import (
    add_array_arguments,
    add_raw_arguments,
    features_of,
    open_recording,
    with_channels,
    with_progress,
)
from doa_ros.core.array_file import load_array
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.compatibility import adapted_array
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.foxglove.sdk import check_sdk
from doa_ros.network_choice import find_network
from doa_ros.resources import DEFAULT_MODEL, find_resource

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
    add_array_arguments(parser, DEFAULT_MODEL)
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
    add_raw_arguments(parser)
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
    recording = open_recording(arguments, array, name, _warn)
    if arguments.channels is not None:
        array = with_channels(array, arguments.channels, recording)
    source = FileSource(recording, array, block_duration=_BLOCK)
    model = find_network(arguments.model, array) if arguments.method == 'cnn' else None
    array, difference = adapted_array(array, model)
    features = features_of(recording, array, model, arguments.band)
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
    blocks = with_progress(source, _BLOCK)
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


def _warn(sentence: str) -> None:
    print(f'doa-locate: {sentence}', file=sys.stderr)
