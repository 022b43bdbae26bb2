# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings, which are read to the end of the file, whatever the header says."""

from collections.abc import Callable
import contextlib
from pathlib import Path
from typing import BinaryIO
import warnings

import numpy as np

from doa_ros.audio.recordings.byte_stream import Pipe, byte_stream, open_file
from doa_ros.audio.recordings.libsndfile import (
    ENDLESS,
    SampleFile,
    import_soundfile,
    libsndfile_reason,
)
from doa_ros.audio.recordings.raw_format import RawFormat
from doa_ros.audio.recordings.wav_chunks import SampleRegion, find_samples
from doa_ros.core.errors import AudioError, printable

# Integer formats are delivered in the narrowest type that holds them.
_DTYPES = {
    'PCM_S8': 'int16',
    'PCM_U8': 'int16',
    'PCM_16': 'int16',
    'PCM_24': 'int32',
    'PCM_32': 'int32',
}
# What is damaged is skipped in steps of the usual length of a block [samples].
_FLAC_BLOCK = 4096


class Recording:
    """A recording that is read from its beginning to the end of the file.

    Args:
        source: a path to WAV, FLAC or whatever libsndfile reads; or a stream of bytes such as
            standard input, where a pipe may bring WAV and FLAC.
        raw: how the samples are written where there is no header.
        warn: takes a sentence where the header is wrong or the recording is damaged.

    Attributes:
        name: what messages call it.
        sampling_frequency: [Hz].
        channel_count: channels.
        sample_count: length of each channel; None where it is known only at the end.

    Raises:
        AudioError: it cannot be read.
    """

    def __init__(
        self,
        source: Path | BinaryIO,
        *,
        raw: RawFormat | None = None,
        warn: Callable[[str], None] = warnings.warn,
    ):
        self.name = printable(source) if isinstance(source, Path) else 'standard input'
        self.warn = warn
        self._soundfile = import_soundfile()
        self._warned = False
        # Which sample comes next, and how many come before those that can be read again, as they
        # are damaged.
        self._position = self._lost = 0
        with contextlib.ExitStack() as opened:
            try:
                self._bytes = (
                    open_file(source) if isinstance(source, Path) else byte_stream(source)
                )
                opened.callback(self._bytes.close)
                self._samples = (
                    SampleRegion.of_raw(self._bytes, raw) if raw else find_samples(self._bytes)
                )
            except (OSError, ValueError) as error:
                raise self._unreadable(_reason(error)) from None
            self._examine(raw)
            # It stays open.
            opened.pop_all()

    def _examine(self, raw: RawFormat | None) -> None:
        """Find out what there is, and warn where the header says something else."""
        self._reopen()
        self.sampling_frequency = self._file.samplerate
        self.channel_count = self._file.channels
        self._dtype = np.dtype(_DTYPES.get(self._file.subtype, 'float32'))
        # How many there are as the header says; None where it does not.
        self._stated = self._samples.stated if self._samples.raw else self._file.frames
        if self._stated is not None and self._stated >= ENDLESS:
            self._stated = None
        self.sample_count = self._count()
        if self.sample_count == 0:
            raise AudioError(f'{self.name}: holds no samples')
        if self.sample_count is not None:
            self._compare(self.sample_count)
        if raw is not None:
            self._check_size(raw)

    @property
    def duration(self) -> float | None:
        """How long it is [s]; None where it is known only at the end."""
        return None if self.sample_count is None else self.sample_count / self.sampling_frequency

    def read(self, count: int) -> np.ndarray:
        """Return the next samples; fewer than `count` at the end, then none.

        Returns:
            Shape (samples, channels); int16, int32 or float32 as they were recorded.

        Raises:
            AudioError: there is nothing that can be read.
        """
        # Silence stands for what is lost.
        samples = np.zeros((count, self.channel_count), dtype=self._dtype)
        filled, ended = 0, False
        while filled < count and not ended:
            if self._lost:
                step = min(self._lost, count - filled)
                self._lost -= step
                self._position += step
            else:
                step, damage = self._read_into(samples[filled:])
                self._position += step
                ended = filled + step < count and not self._skip(damage)
            filled += step
        if ended:
            self._end(damage)
        return samples[:filled]

    def _read_into(self, samples: np.ndarray) -> tuple[int, str | None]:
        """Fill as much as there is; return how much that was, and what is damaged then."""
        damage = None
        try:
            count = len(self._file.read(out=samples))
        except self._soundfile.LibsndfileError as error:
            damage = libsndfile_reason(error)
            # What was read before it is good.
            count = self._file.tell() - self._position
        self._raise_failure()
        return count, damage

    def _skip(self, damage: str | None) -> bool:
        """Go on after damage; return whether there is something to go on with."""
        here, end = self._position, self.sample_count
        if damage is None or end is None or here >= end:
            return False
        for place in (*range(here + _FLAC_BLOCK, end, _FLAC_BLOCK), end - 1):
            with contextlib.suppress(AudioError):
                self.seek(place)
                break
        else:
            return False
        self._lost, self._position = place - here, here
        self._warn_once(
            f'{self.name}: damaged at {self._seconds(here)} ({damage}); silence replaces '
            'what is lost there and at other damaged places'
        )
        return True

    def seek(self, position: int) -> None:
        """Go to a sample.

        Raises:
            AudioError: there is none, or the recording comes through a pipe.
        """
        if isinstance(self._bytes, Pipe):
            raise AudioError(f'{self.name}: can be read only once')
        # Opened again, as libsndfile does not find its way back from damage.
        self._reopen()
        try:
            self._position = self._file.seek(position)
        except self._soundfile.LibsndfileError as error:
            raise self._unreadable(libsndfile_reason(error)) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._bytes.close()

    def _reopen(self) -> None:
        """Open what `_samples` says, at its beginning."""
        self._readable = SampleFile(self._bytes, self._samples)
        options = {}
        if self._samples.raw:
            options = {'format': 'RAW', **self._samples.raw}
        try:
            self._file = self._soundfile.SoundFile(self._readable, **options)
        except self._soundfile.LibsndfileError as error:
            self._raise_failure()
            raise self._unreadable(libsndfile_reason(error)) from None
        self._position = self._lost = 0
        # Otherwise soundfile seeks after it has read, which fails at the end of some FLAC files.
        self._file.seekable = lambda: False

    def _count(self) -> int | None:
        """Return how many samples there are, None where it is known only at the end."""
        if isinstance(self._bytes, Pipe):
            return None
        if self._file.format != 'FLAC' or self._stated is None:
            return self._file.frames if self._file.frames < ENDLESS else None
        # A FLAC file that was cut off does not say so until its end.
        try:
            self._file.seek(self._stated - 1)
            complete = len(self._file.read(1)) == 1
        except self._soundfile.LibsndfileError:
            complete = False
        self._reopen()
        return self._stated if complete else None

    def _check_size(self, raw: RawFormat) -> None:
        """Warn where the bytes do not fit what they are said to be."""
        size = self._samples.size
        if size is not None and size % raw.sample_bytes:
            self._warn_once(
                f'{self.name}: its {size} bytes are no whole number of samples of '
                f'{raw.channel_count} channels in {raw.encoding}; is it something else, or cut '
                'off?'
            )

    def _end(self, damage: str | None) -> None:
        """Say what is wrong once the end is reached."""
        if self._position == 0:
            raise AudioError(f'{self.name}: damaged ({damage or "no samples"}); record it again')
        if self._stated is not None:
            self._compare(self._position)
        elif damage is not None:
            self._warn_once(
                f'{self.name}: damaged after {self._seconds(self._position)}; only the part '
                'before that is used'
            )

    def _compare(self, there: int) -> None:
        """Say once where the header is wrong."""
        if self._stated is not None and self._stated != there:
            reason = (
                'it was cut off or damaged'
                if there < self._stated
                else 'its recorder was killed, or it is larger than a WAV header can say'
            )
            stated, sound = self._seconds(self._stated), self._seconds(there)
            if stated == sound:
                stated, sound = f'{self._stated} samples', f'{there} samples'
            self._warn_once(
                f'{self.name}: its header says {stated}, but {sound} of sound can be read and '
                f'are used: {reason}'
            )

    def _seconds(self, samples: int) -> str:
        return f'{samples / self.sampling_frequency:.3f} s'

    def _warn_once(self, sentence: str) -> None:
        if not self._warned:
            self.warn(sentence)
        self._warned = True

    def _raise_failure(self) -> None:
        """Raise what libsndfile could not pass on."""
        failure = self._readable.failure
        if isinstance(failure, (OSError, ValueError)):
            raise self._unreadable(_reason(failure)) from None
        if failure is not None:
            raise failure

    def _unreadable(self, reason) -> AudioError:
        return AudioError(f'{self.name}: cannot be read as audio ({reason})')


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) else None
    return (text or str(error)).lower()
