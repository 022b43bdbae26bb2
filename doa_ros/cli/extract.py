# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-extract: the sound of each talker in a multi-channel recording, as a WAV file of 16 kHz."""

import sys

from doa_ros.command import doa_extract

if __name__ == '__main__':
    # This runs before the imports, which take a second: a signal may come meanwhile.
    sys.exit(doa_extract())

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from doa_ros.audio.file_source import FileSource
from doa_ros.audio.source import AudioBlock
from doa_ros.cli.offline_pipeline import OfflinePipeline
from doa_ros.cli.recording_arguments import (
    add_array_arguments,
    add_raw_arguments,
    features_of,
    open_recording,
    with_channels,
    with_progress,
)
from doa_ros.cli.track_files import TrackFiles
from doa_ros.core.array_file import load_array
from doa_ros.core.localization.compatibility import adapted_array
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.separation.config import SeparationConfig
from doa_ros.core.separation.separator import SourceSeparator
from doa_ros.core.tracking.track import Track
from doa_ros.network_choice import find_network
from doa_ros.resources import find_resource

_MODEL = 'uma8_several_int8'
_BLOCK = 0.5


def main() -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args()
    array = load_array(find_resource('arrays', arguments.array))
    config = SeparationConfig(post_filter_db=arguments.post_filter_db)
    recording = open_recording(arguments, array, arguments.recording, _warn)
    if arguments.channels is not None:
        array = with_channels(array, arguments.channels, recording)
    source = FileSource(recording, array, block_duration=_BLOCK)
    model = find_network(arguments.model, array) if arguments.method == 'cnn' else None
    known, difference = adapted_array(array, model)
    features = features_of(recording, known, model)
    localizer = Localizer(known, features, LocalizerConfig(method=arguments.method), model)
    if difference:
        _warn(difference)
    pipeline = OfflinePipeline(known, features, localizer, tracks=True)
    files = TrackFiles(arguments.out)
    separation = _Separation(SourceSeparator(array, config), files)
    blocks = separation.separated(with_progress(source, _BLOCK))
    for window in pipeline.windows(blocks, recording.name):
        index = round((window.end - features.hop) * array.sampling_frequency)
        separation.follow(index, window.tracks)
    for line in files.write_table():
        print(line)
    return 0


class _Separation:
    """Separates each block of a recording when all tracks in it are known.

    Args:
        separator: makes the sounds.
        files: take them.
    """

    def __init__(self, separator: SourceSeparator, files: TrackFiles):
        self._separator, self._files = separator, files

    def follow(self, index: int, tracks: tuple[Track, ...]) -> None:
        """Take the tracks at a sample."""
        self._separator.update(index, tracks)
        self._files.follow(tracks)

    def separated(self, blocks: Iterable[AudioBlock]) -> Iterator[AudioBlock]:
        """Yield blocks; whoever takes the next one has followed the tracks in all before it."""
        for block in blocks:
            yield block
            self._files.write(self._separator.push(block.first_sample_index, block.as_float()))
        self._files.write(self._separator.close())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='doa-extract', description=__doc__)
    parser.add_argument(
        'recording',
        help='WAV or FLAC file; - is standard input, which may be a pipe. It is resampled where '
        'its sampling frequency is not that of the array',
    )
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='FOLDER',
        help='where the files are written, with a table, tracks.csv; it is made if there is none',
    )
    add_array_arguments(parser, _MODEL)
    parser.add_argument(
        '--post-filter-db',
        type=float,
        default=SeparationConfig.post_filter_db,
        metavar='DB',
        help='the most that the post-filter attenuates a frequency; 0 switches it off '
        '(%(default)s)',
    )
    add_raw_arguments(parser)
    return parser


def _warn(sentence: str) -> None:
    print(f'doa-extract: {sentence}', file=sys.stderr)
