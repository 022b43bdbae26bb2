# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A multi-channel recording as sound source."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from doa_ros.audio.playback import Playback
from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.recordings.resampling import Resampled
from doa_ros.audio.source import AudioBlock, Clock
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.core.samples import usable


class FileSource:
    """Plays a WAV or FLAC file (or whatever libsndfile reads).

    Args:
        recording: a path, or a recording that is open: all channels of the array's device, or its
            microphones alone. Another sampling frequency than that of the array is changed to it.
        array: the array it was made with.
        block_duration: length of a block [s].
        real_time: deliver at the pace of the clock instead of as fast as possible.
        loop: start again at the end.

    Attributes:
        name: what messages call the recording.
        duration: length of the recording [s]; None where it is known only at the end.

    Raises:
        AudioError: the recording cannot be read or does not fit the array.
    """

    def __init__(
        self,
        recording: Path | Recording,
        array: MicArray,
        *,
        block_duration: float,
        real_time: bool = False,
        loop: bool = False,
    ):
        if isinstance(recording, Path):
            recording = Recording(recording)
        self.name = recording.name
        self._loop = loop
        self._recording: Recording | Resampled = recording
        self.sampling_frequency = array.sampling_frequency
        self.channel_count = recording.channel_count
        self.duration = recording.duration
        try:
            array.microphone_channels(self.channel_count)
        except ConfigError as error:
            raise AudioError(f'{self.name}: {error}') from None
        if recording.sampling_frequency != array.sampling_frequency:
            self._recording = Resampled(recording, array.sampling_frequency)
            recording.warn(_resampled(recording, array))
        self._playback = Playback(self.sampling_frequency, real_time)
        self._block = round(block_duration * self.sampling_frequency)

    def blocks(self, clock: Clock) -> Iterator[AudioBlock]:
        """Yield the recording; stamps count from the first call.

        Raises:
            AudioError: nothing can be read, or values are not finite.
        """
        self._playback.begin(clock)
        while True:
            samples = self._read()
            if len(samples) == 0:
                if not self._loop or self._playback.closed:
                    return
                self._recording.seek(0)
                continue
            block = self._playback.deliver(samples)
            if block is None:
                return
            yield block

    def _read(self) -> np.ndarray:
        samples = self._recording.read(self._block)
        if not usable(samples):
            raise AudioError(
                f'{self.name}: holds samples that are NaN or far beyond full scale 1; '
                'convert it to an integer format'
            )
        return samples

    def close(self) -> None:
        """End `blocks`."""
        self._playback.close()


def _resampled(recording: Recording, array: MicArray) -> str:
    rate, wanted = recording.sampling_frequency, array.sampling_frequency
    sentence = (
        f'{recording.name}: is sampled at {rate} Hz and resampled to the {wanted} Hz of array '
        f'{array.name!r}'
    )
    if rate >= wanted:
        return sentence
    return (
        f'{sentence}; it holds nothing above {rate / 2:g} Hz, so that directions are wrong if '
        'band_max is higher'
    )
