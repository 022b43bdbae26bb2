# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A multi-channel recording as sound source."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from doa_ros.audio.mono import check_file
from doa_ros.audio.playback import Playback
from doa_ros.audio.source import AudioBlock, Clock, usable
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.geometry import MicArray

# Integer formats are delivered in the narrowest type that holds them.
_DTYPES = {
    'PCM_S8': 'int16',
    'PCM_U8': 'int16',
    'PCM_16': 'int16',
    'PCM_24': 'int32',
    'PCM_32': 'int32',
}


class FileSource:
    """Plays a WAV or FLAC file (or whatever libsndfile reads).

    Args:
        path: the recording: all channels of the array's device, or its microphones alone.
        array: the array it was made with.
        block_duration: length of a block [s].
        real_time: deliver at the pace of the clock instead of as fast as possible.
        loop: start again at the end.

    Raises:
        AudioError: the file cannot be read or does not fit the array.
    """

    def __init__(
        self,
        path: Path,
        array: MicArray,
        *,
        block_duration: float,
        real_time: bool = False,
        loop: bool = False,
    ):
        self._path = path
        self._loop = loop
        check_file(path)
        try:
            self._file = soundfile.SoundFile(path)
        except (soundfile.LibsndfileError, OSError, TypeError) as error:
            # TypeError: a file named .raw says nothing about what it holds.
            raise AudioError(f'{path}: cannot be read as audio ({error})') from None
        self.sampling_frequency = self._file.samplerate
        self.channel_count = self._file.channels
        if self.sampling_frequency != array.sampling_frequency:
            raise AudioError(
                f'{path}: is sampled at {self.sampling_frequency} Hz, but array {array.name!r} '
                f'runs at {array.sampling_frequency} Hz; resample the recording'
            )
        try:
            array.microphone_channels(self.channel_count)
        except ConfigError as error:
            raise AudioError(f'{path}: {error}') from None
        if self._file.frames == 0:
            raise AudioError(f'{path}: holds no samples')
        self._playback = Playback(self.sampling_frequency, real_time)
        self._block = round(block_duration * self.sampling_frequency)
        self._dtype = _DTYPES.get(self._file.subtype, 'float32')

    @property
    def duration(self) -> float:
        """Length of the recording [s]."""
        return self._file.frames / self.sampling_frequency

    def blocks(self, clock: Clock) -> Iterator[AudioBlock]:
        """Yield the recording; stamps count from the first call.

        Raises:
            AudioError: the file is damaged or holds values that are not finite.
        """
        self._playback.begin(clock)
        empty = True
        while True:
            samples = self._read()
            if len(samples) == 0:
                if not self._loop or self._playback.closed:
                    return
                if empty:
                    raise AudioError(f'{self._path}: damaged (no samples); record it again')
                self._file.seek(0)
                continue
            empty = False
            block = self._playback.deliver(samples)
            if block is None:
                return
            yield block

    def _read(self) -> np.ndarray:
        try:
            samples = self._file.read(self._block, dtype=self._dtype, always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(f'{self._path}: damaged ({error}); record it again') from None
        if not usable(samples):
            raise AudioError(
                f'{self._path}: holds samples that are NaN or far beyond full scale 1; '
                'convert it to an integer format'
            )
        return samples

    def close(self) -> None:
        """End `blocks`."""
        self._playback.close()
