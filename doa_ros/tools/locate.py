# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-locate: directions in a multi-channel recording, one line per analysis window."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
import json
import math
import os
from pathlib import Path
import signal
import sys

import soundfile
from tqdm import tqdm

from doa_ros.audio.file import FileSource
from doa_ros.core.classifier import default_features
from doa_ros.core.decoding import Estimate
from doa_ros.core.errors import AudioError, ConfigError, DoaError
from doa_ros.core.features import FeatureExtractor
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.core.localizer import Localizer, LocalizerConfig
from doa_ros.resources import find_resource

_BLOCK = 0.5


def main() -> int:
    """Run the command line; return the exit status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = _parser().parse_args()
    try:
        for line in _lines(arguments):
            print(line, flush=sys.stdout.isatty())
        sys.stdout.flush()
    except DoaError as error:
        print(f'doa-locate: {error}', file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has enough (| head); keep Python from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Once is enough.
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='doa-locate', description=__doc__)
    parser.add_argument('recording', type=Path, help='WAV or FLAC file')
    parser.add_argument('--array', default='uma8', help='shipped name or YAML path (%(default)s)')
    parser.add_argument(
        '--model',
        default='uma8_rooms_int8',
        help='shipped name or .tflite path (%(default)s)',
    )
    parser.add_argument('--method', choices=('cnn', 'srp_phat'), default='cnn')
    parser.add_argument(
        '--channels',
        help='channels of the recording that are the microphones, in the order of the array '
        'file, counted from 0: 1,2,3,4,5,6; by default those of the array file',
    )
    parser.add_argument(
        '--sensitivity',
        type=float,
        default=LocalizerConfig.sensitivity,
        help='0 answers never, 1 always (%(default)s)',
    )
    parser.add_argument(
        '--delegate',
        default=LocalizerConfig.delegate,
        help='library that runs the model on an accelerator: libedgetpu.so.1 (default: the CPU)',
    )
    parser.add_argument('--format', choices=('table', 'jsonl', 'csv'), default='table')
    return parser


def _lines(arguments) -> Iterator[str]:
    array = load_array(find_resource('arrays', arguments.array))
    if arguments.channels is not None:
        array = _with_channels(array, arguments.channels, arguments.recording)
    source = FileSource(arguments.recording, array, block_duration=_BLOCK)
    model = find_resource('models', arguments.model) if arguments.method == 'cnn' else None
    features = default_features(array, model)
    config = LocalizerConfig(
        method=arguments.method,
        sensitivity=arguments.sensitivity,
        delegate=arguments.delegate,
    )
    localizer = Localizer(array, features, config, model)
    extractor = FeatureExtractor(array, features)
    hop = round(features.hop * array.sampling_frequency)
    form = _FORMATS[arguments.format]
    if source.duration < features.window:
        raise AudioError(
            f'{arguments.recording}: lasts {source.duration:.3f} s, less than one analysis window '
            f'of {features.window:g} s'
        )
    yield from form.header
    for block in _with_progress(source):
        for frame in extractor.push(block.first_sample_index, block.as_float()):
            stamp = (frame.hop_index + hop) / array.sampling_frequency
            yield from form.rows(stamp, localizer.locate(frame).estimates)


def _with_channels(array: MicArray, channels: str, recording: Path) -> MicArray:
    try:
        numbers = tuple(int(number) for number in channels.split(','))
    except ValueError:
        raise ConfigError(f'--channels takes numbers like 1,2,3 and not {channels!r}') from None
    try:
        count = soundfile.info(recording).channels
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f'{recording}: cannot be read as audio ({error})') from None
    return replace(array, channels=numbers, channel_count=count)


def _with_progress(source: FileSource):
    # Where the lines themselves are on the screen, they are the progress.
    hidden = sys.stdout.isatty() or not sys.stderr.isatty()
    total = math.ceil(source.duration / _BLOCK)
    return tqdm(source.blocks(lambda: 0), total=total, disable=hidden, unit='block')


def _degrees(angle: float) -> float | None:
    return None if math.isnan(angle) else round(math.degrees(angle), 2)


class _Table:
    header = ['  time [s]  azimuth [deg]  elevation [deg]  confidence']

    @staticmethod
    def rows(stamp: float, estimates: tuple[Estimate, ...]) -> Iterator[str]:
        if not estimates:
            yield f'{stamp:10.2f}{"-":>15}{"-":>17}{"-":>12}'
        for e in estimates:
            yield (
                f'{stamp:10.2f}{math.degrees(e.azimuth):15.1f}'
                f'{math.degrees(e.elevation):17.1f}{e.confidence:12.2f}'
            )


class _JsonLines:
    header: list[str] = []

    @staticmethod
    def rows(stamp: float, estimates: tuple[Estimate, ...]) -> Iterator[str]:
        yield json.dumps(
            {
                'stamp': round(stamp, 6),
                'estimates': [
                    {
                        'azimuth_deg': _degrees(e.azimuth),
                        'elevation_deg': _degrees(e.elevation),
                        'confidence': round(e.confidence, 3),
                    }
                    for e in estimates
                ],
            }
        )


class _Csv:
    header = ['stamp,azimuth_deg,elevation_deg,confidence']

    @staticmethod
    def rows(stamp: float, estimates: tuple[Estimate, ...]) -> Iterator[str]:
        if not estimates:
            yield f'{stamp:.6f},,,'
        for e in estimates:
            elevation = _degrees(e.elevation)
            yield (
                f'{stamp:.6f},{_degrees(e.azimuth)},{"" if elevation is None else elevation},'
                f'{e.confidence:.3f}'
            )


_FORMATS = {'table': _Table, 'jsonl': _JsonLines, 'csv': _Csv}


if __name__ == '__main__':
    sys.exit(main())
