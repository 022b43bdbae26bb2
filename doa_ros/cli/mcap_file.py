# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files that command lines write for Foxglove; imported only where they are asked for."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from foxglove import Context, open_mcap
import numpy as np

from doa_ros.audio.source import AudioBlock
from doa_ros.cli.offline_pipeline import LocatedWindow, OfflinePipeline
from doa_ros.cli.output_file import OutputFile
from doa_ros.core.geometry import MicArray
from doa_ros.core.units import NANOSECONDS
from doa_ros.foxglove.channels import Channels

# The one that the nodes have by default.
_FRAME = 'mic_array'


class McapFile:
    """What is found in a recording, for Foxglove; its place is tried before the work begins.

    Times are those from the beginning of the recording.

    Args:
        path: where it shall be; what is there is replaced.

    Raises:
        DoaError: it cannot be written there.
    """

    def __init__(self, path: Path):
        self._file = OutputFile(path)

    def record(
        self, pipeline: OfflinePipeline, array: MicArray, blocks: Iterable[AudioBlock], name: str
    ) -> Iterator[LocatedWindow]:
        """Yield what is found in each window of a recording; after the last, write the file.

        Args:
            pipeline: finds it.
            array: the microphones.
            blocks, name: as for `OfflinePipeline.windows`.

        Raises:
            AudioError: of `OfflinePipeline.windows`.
            DoaError: the file cannot be written.
        """
        context = Context()
        channels = Channels(context)
        with self._file.spool() as spool:
            stream = _Stream(spool)
            with open_mcap(stream, context=context):
                channels.log_array(0, _FRAME, array)
                for window in pipeline.windows(_with_levels(blocks, channels, array), name):
                    _log(window, channels)
                    if stream.error is not None:
                        break
                    yield window
            if stream.error is not None:
                raise self._file.error(stream.error.strerror or str(stream.error))
            self._file.write_from(spool)


class _Stream:
    """A stream that keeps its first error, of which foxglove-sdk would tell with every message."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes | bytearray) -> int:
        try:
            if self.error is None:
                self._file.write(data)
        except OSError as error:
            self.error = error
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def flush(self) -> None:
        try:
            if self.error is None:
                self._file.flush()
        except OSError as error:
            self.error = error


def _with_levels(
    blocks: Iterable[AudioBlock], channels: Channels, array: MicArray
) -> Iterator[AudioBlock]:
    for block in blocks:
        stamp = block.first_sample_index * NANOSECONDS // block.sampling_frequency
        channels.log_sound(stamp, array, block.samples)
        yield block


def _log(window: LocatedWindow, channels: Channels) -> None:
    stamp = round(window.end * NANOSECONDS)
    channels.log_estimates(stamp, _FRAME, window.estimates)
    channels.log_tracks(stamp, _FRAME, window.tracks)
    probability = window.spectrum.azimuth_distribution
    azimuths = np.linspace(0, 2 * np.pi, len(probability), endpoint=False)
    channels.log_spectrum(stamp, _FRAME, azimuths, probability)
