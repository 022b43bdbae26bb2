# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-locate: directions in multi-channel recordings, one line per analysis window."""

import sys

from doa_ros.cli.command import doa_locate

if __name__ == '__main__':
    # Before the imports that take a second: a signal may come meanwhile.
    sys.exit(doa_locate())

import argparse
from collections.abc import Callable, Iterator, Sequence
import csv
from dataclasses import dataclass, replace
import io
import json
import math
from pathlib import Path
from typing import NamedTuple

from doa_ros.audio.file_source import FileSource
from doa_ros.audio.recordings.raw_format import RAW_ENCODINGS, RawFormat
from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.source import NANOSECONDS
from doa_ros.core.ambiguity import ambiguity_in_frame
from doa_ros.core.errors import AudioError, ConfigError, printable
from doa_ros.core.features.extractor import FeatureConfig, FeatureExtractor
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.core.localization.classifier import default_features, suited
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.track import Track
from doa_ros.core.tracking.tracker import Tracker
from doa_ros.resources import find_resource

_BLOCK = 0.5


def main() -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args()
    array = load_array(find_resource('arrays', arguments.array))
    form = _form(arguments)
    status = 0
    for name in arguments.recordings:
        try:
            for line in _lines(arguments, array, name, form):
                print(line, flush=sys.stdout.isatty())
        except AudioError as error:
            # The others are not worse for it.
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
    parser.add_argument('--array', default='uma8', help='shipped name or YAML path (%(default)s)')
    parser.add_argument(
        '--model',
        default='uma8_rooms_int8',
        help='shipped name or .tflite path (%(default)s)',
    )
    parser.add_argument(
        '--method',
        choices=('cnn', 'srp_phat'),
        default='cnn',
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
        choices=('table', 'jsonl', 'csv'),
        default='table',
        help='how to print what is found (%(default)s)',
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


def _form(arguments) -> '_Format':
    contents = _TRACKS if arguments.tracks else _ESTIMATES
    named = len(arguments.recordings) > 1
    if named:
        contents = replace(contents, window_columns=(*contents.window_columns, _FILE))
    return _FORMATS[arguments.format](contents, named)


def _lines(arguments, array: MicArray, name: str, form: '_Format') -> Iterator[str]:
    """Yield what is printed of one recording."""
    recording = _open(arguments, array, name)
    if arguments.channels is not None:
        array = _with_channels(array, arguments.channels, recording)
    source = FileSource(recording, array, block_duration=_BLOCK)
    model = find_resource('models', arguments.model) if arguments.method == 'cnn' else None
    array, difference = suited(array, model)
    features = _features(arguments, array, model, recording)
    config = LocalizerConfig(
        method=arguments.method,
        sensitivity=arguments.sensitivity,
        delegate=arguments.delegate,
    )
    localizer = Localizer(array, features, config, model)
    if difference:
        _warn(difference)
    extractor = FeatureExtractor(array, features)
    hop = round(features.hop * array.sampling_frequency)
    tracker = None
    if arguments.tracks:
        tracker = Tracker(TrackerConfig(), features.hop, ambiguity_in_frame(array))
    samples = windows = 0
    for block in _with_progress(source):
        samples += len(block.samples)
        for frame in extractor.push(block.first_sample_index, block.as_float()):
            if windows == 0:
                yield from form.begin(name)
            windows += 1
            heard = localizer.locate(frame)
            found = heard.estimates
            if tracker is not None:
                # The stamp that the nodes give to this window.
                begin = frame.hop_index * NANOSECONDS // array.sampling_frequency
                tracks = tracker.update(begin, heard.detections, bool(frame.gap), frame.sound_age)
                found = tuple(track for track in tracks if track.confirmed)
            end = (frame.hop_index + hop) / array.sampling_frequency
            yield from form.rows(_Window(end, features.window, frame.sound_age, name), found)
    if windows == 0:
        raise AudioError(
            f'{recording.name}: lasts {samples / array.sampling_frequency:.3f} s, less than one '
            f'analysis window of {features.window:g} s'
        )


def _features(
    arguments, array: MicArray, model: Path | None, recording: Recording
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


def _open(arguments, array: MicArray, name: str) -> Recording:
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


def _with_progress(source: FileSource):
    blocks = source.blocks(lambda: 0)
    # Where the lines themselves are on the screen, they are the progress.
    if sys.stdout.isatty() or not sys.stderr.isatty():
        return blocks
    try:
        from tqdm import tqdm
    except ImportError:
        return blocks
    total = None if source.duration is None else math.ceil(source.duration / _BLOCK)
    return tqdm(blocks, total=total, unit='block')


def _degrees(angle: float) -> float | None:
    return round(math.degrees(angle), 2) if math.isfinite(angle) else None


class _Window(NamedTuple):
    """An analysis window.

    Attributes:
        stamp: its end [s].
        duration: its length [s].
        sound_age: how much older than the window its sound is, averaged over time [s].
        file: the recording, as it was given.
    """

    stamp: float
    duration: float
    sound_age: float
    file: str


@dataclass(frozen=True)
class _Column:
    """What is printed of an estimate, a track or a window.

    Attributes:
        name: in JSON lines and CSV.
        value: of what it is a column of; None where it is not known.
        heading: in the table; None where it is not shown there.
        decimals: in the table, of what is not a whole number.
    """

    name: str
    value: Callable
    heading: str | None = None
    decimals: int | None = None


@dataclass(frozen=True)
class _Contents:
    """What is printed: all that the messages hold.

    Attributes:
        name: in JSON lines.
        columns: of each estimate or track.
        window_columns: of each window, besides its stamp.
    """

    name: str
    columns: tuple[_Column, ...]
    window_columns: tuple[_Column, ...] = ()


_DIRECTION = (
    _Column('azimuth_deg', lambda e: _degrees(e.azimuth), 'azimuth [deg]', 1),
    _Column('elevation_deg', lambda e: _degrees(e.elevation), 'elevation [deg]', 1),
    _Column('confidence', lambda e: round(e.confidence, 3), 'confidence', 2),
)
_DEVIATION = (
    _Column('azimuth_stddev_deg', lambda e: _degrees(e.azimuth_stddev)),
    _Column('elevation_stddev_deg', lambda e: _degrees(e.elevation_stddev)),
)
_ESTIMATES = _Contents(
    'estimates',
    (*_DIRECTION, *_DEVIATION),
    (
        _Column('window_duration', lambda w: w.duration),
        _Column('sound_age', lambda w: round(w.sound_age, 3)),
    ),
)
# Where there are several.
_FILE = _Column('file', lambda w: w.file)
_TRACKS = _Contents(
    'tracks',
    (
        _Column('track_id', lambda t: t.id, 'track'),
        *_DIRECTION,
        _Column('azimuth_rate_deg', lambda t: _degrees(t.azimuth_rate), 'azimuth [deg/s]', 1),
        _Column(
            'elevation_rate_deg', lambda t: _degrees(t.elevation_rate), 'elevation [deg/s]', 1
        ),
        _Column('age', lambda t: round(t.age, 3), 'age [s]', 2),
        _Column('predicted', lambda t: t.predicted, 'predicted'),
        *_DEVIATION,
        _Column('azimuth_rate_stddev_deg', lambda t: _degrees(t.azimuth_rate_stddev)),
        _Column('elevation_rate_stddev_deg', lambda t: _degrees(t.elevation_rate_stddev)),
    ),
)


def _plain(value, unknown: str) -> str:
    if value is None:
        return unknown
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(columns: Sequence[_Column], of) -> dict:
    return {column.name: column.value(of) for column in columns}


class _Format:
    """Turns what was found into lines.

    Args:
        contents: what they hold.
        named: whether they say which recording they are of.
    """

    def __init__(self, contents: _Contents, named: bool):
        self._contents, self._named = contents, named

    def begin(self, name: str) -> Iterator[str]:
        """Yield the lines before those of a recording."""
        yield from ()

    def rows(self, window: _Window, found: Sequence[Estimate | Track]) -> Iterator[str]:
        """Yield the lines of a window."""
        raise NotImplementedError


class _Table(_Format):
    def __init__(self, contents: _Contents, named: bool):
        super().__init__(contents, named)
        self._shown = [c for c in contents.columns if c.heading is not None]

    def begin(self, name):
        if self._named:
            yield f'{printable(name)}:'
        yield '  '.join(['  time [s]', *(c.heading for c in self._shown)])

    def rows(self, window, found):
        for one in found or [None]:
            cells = (self._cell(column, one) for column in self._shown)
            yield f'{window.stamp:10.2f}' + ''.join(cells)

    @staticmethod
    def _cell(column: _Column, one) -> str:
        value = None if one is None else column.value(one)
        if value is not None and column.decimals is not None:
            value = f'{value:.{column.decimals}f}'
        return f'{_plain(value, "-"):>{len(column.heading) + 2}}'


class _JsonLines(_Format):
    def rows(self, window, found):
        contents = self._contents
        entries = [_values(contents.columns, one) for one in found]
        stamp = {'stamp': round(window.stamp, 6)}
        yield json.dumps(
            stamp | _values(contents.window_columns, window) | {contents.name: entries}
        )


class _Csv(_Format):
    def __init__(self, contents: _Contents, named: bool):
        super().__init__(contents, named)
        columns = (*contents.columns, *contents.window_columns)
        self._header = [_csv_line(['stamp', *(c.name for c in columns)])]

    def begin(self, name):
        # One table of all recordings.
        yield from self._header
        self._header = []

    def rows(self, window, found):
        contents = self._contents
        nothing = dict.fromkeys(column.name for column in contents.columns)
        for one in found or [None]:
            values = nothing if one is None else _values(contents.columns, one)
            values = values | _values(contents.window_columns, window)
            yield _csv_line([f'{window.stamp:.6f}', *(_plain(v, '') for v in values.values())])


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator='').writerow(cells)
    return line.getvalue()


_FORMATS = {'table': _Table, 'jsonl': _JsonLines, 'csv': _Csv}
