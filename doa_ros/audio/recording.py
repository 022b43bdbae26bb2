# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings as they are, not as their headers say.

The header of a WAV file holds a wrong length where the program that recorded was killed (0), wrote
to a pipe (the largest number) or went beyond 4 GB (the rest that 32 bits can hold), and where the
file was cut off. What is there is read to its end.
"""

from collections.abc import Callable
import contextlib
from dataclasses import dataclass
import math
import os
from pathlib import Path
import stat
import struct
from types import ModuleType
from typing import Any, BinaryIO
import warnings

import numpy as np

from doa_ros.core.errors import AudioError, ConfigError, printable

RAW_ENCODINGS = {'s16': 'PCM_16', 's24': 'PCM_24', 's32': 'PCM_32', 'f32': 'FLOAT'}
"""How samples without a header may be written, and what libsndfile calls it."""

# Integer formats are delivered in the narrowest type that holds them.
_DTYPES = {
    'PCM_S8': 'int16',
    'PCM_U8': 'int16',
    'PCM_16': 'int16',
    'PCM_24': 'int32',
    'PCM_32': 'int32',
}
# What libsndfile calls the samples of a WAV file, by format tag and bits.
_SUBTYPES = {
    (1, 8): 'PCM_U8',
    (1, 16): 'PCM_16',
    (1, 24): 'PCM_24',
    (1, 32): 'PCM_32',
    (3, 32): 'FLOAT',
    (3, 64): 'DOUBLE',
    (6, 8): 'ALAW',
    (7, 8): 'ULAW',
}
# Of libsndfile.
_UNRECOGNISED = 1
_MOST_CHANNELS = 1024
_MOST_RATE = 2**31 - 1
# The format tag that says that the true one comes later.
_EXTENSIBLE = 0xFFFE
# Sizes of 32 bits are those of the data modulo this; the largest says that it is not known here.
_WRAP = 1 << 32
_UNKNOWN = _WRAP - 1
# From here on, what a header of 32 bits says in a pipe is no size but means that there is no end.
_ENDLESS_WAV = 0x7FFF0000
# Chunks after the samples are small [bytes].
_TRAILER = 1 << 20
# As length of a pipe: more than will ever come, but not more than libsndfile can multiply.
_ENDLESS = 1 << 60
# What is damaged is skipped in steps of the usual length of a block [samples].
_FLAC_BLOCK = 4096
# So much of what was read from a pipe can be read again [bytes].
_LEAST_KEPT = 1 << 20
_W64 = b'riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00'


@dataclass(frozen=True)
class RawFormat:
    """What samples without a header do not say of themselves.

    Attributes:
        encoding: one of RAW_ENCODINGS, least significant byte first.
        sampling_frequency: [Hz].
        channel_count: channels; their samples take turns.

    Raises:
        ConfigError: there is no such encoding, rate or number of channels.
    """

    encoding: str
    sampling_frequency: int
    channel_count: int

    def __post_init__(self):
        if self.encoding not in RAW_ENCODINGS:
            raise ConfigError(f'raw samples are one of {", ".join(RAW_ENCODINGS)}')
        if not 0 < self.sampling_frequency <= _MOST_RATE:
            raise ConfigError(f'the rate of raw samples must lie in 1..{_MOST_RATE} Hz')
        if not 0 < self.channel_count <= _MOST_CHANNELS:
            raise ConfigError(f'raw samples must have 1..{_MOST_CHANNELS} channels')


class Recording:
    """A recording that is read from its beginning to the end of what is there.

    Args:
        source: a path to WAV, FLAC or whatever libsndfile reads; or a stream of bytes such as
            standard input, where a pipe may bring WAV and FLAC.
        raw: how the samples are written where there is no header.
        warn: takes a sentence where the header is wrong or the recording is damaged.

    Attributes:
        name: what messages call it.
        sampling_frequency: [Hz].
        channel_count: channels.
        frame_count: samples of each channel; None where only reading tells.

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
        self._soundfile = _import_soundfile()
        with contextlib.ExitStack() as opened:
            try:
                self._bytes = _open(source) if isinstance(source, Path) else _seekable(source)
                opened.callback(self._bytes.close)
                self._samples = _all_of(self._bytes, raw) if raw else _find_samples(self._bytes)
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
        self._warned = False
        # How many there are as the header says; None where it does not.
        self._stated = self._samples.stated if self._samples.raw else self._file.frames
        if self._stated is not None and self._stated >= _ENDLESS:
            self._stated = None
        self.frame_count = self._count()
        if self.frame_count == 0:
            raise AudioError(f'{self.name}: holds no samples')
        if self.frame_count is not None:
            self._compare(self.frame_count)
        if raw is not None:
            self._check_size(raw)

    @property
    def duration(self) -> float | None:
        """How long it is [s]; None where only reading tells."""
        return None if self.frame_count is None else self.frame_count / self.sampling_frequency

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
            damage = _said(error)
            # What was read before it is good.
            count = self._file.tell() - self._position
        self._raise_failure()
        return count, damage

    def _skip(self, damage: str | None) -> bool:
        """Go on after damage; return whether there is something to go on with."""
        here, end = self._position, self.frame_count
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
            f'{self.name}: damaged at {self._seconds(here)} ({damage}); silence stands for what '
            'is lost there and wherever else it is damaged'
        )
        return True

    def seek(self, position: int) -> None:
        """Go to a sample.

        Raises:
            AudioError: there is none, or the recording comes through a pipe.
        """
        if isinstance(self._bytes, _Pipe):
            raise AudioError(f'{self.name}: can be read only once')
        # Opened again, as libsndfile does not find its way back from damage.
        self._reopen()
        try:
            self._position = self._file.seek(position)
        except self._soundfile.LibsndfileError as error:
            raise self._unreadable(_said(error)) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._bytes.close()

    def _reopen(self) -> None:
        """Open what `_samples` says, at its beginning."""
        self._window = _Window(self._bytes, self._samples)
        options = {}
        if self._samples.raw:
            options = {'format': 'RAW', **self._samples.raw}
        try:
            self._file = self._soundfile.SoundFile(self._window, **options)
        except self._soundfile.LibsndfileError as error:
            self._raise_failure()
            raise self._unreadable(_said(error)) from None
        self._position = 0
        # How many samples come before those that can be read, as they are damaged.
        self._lost = 0
        # Otherwise soundfile seeks after it has read, which fails at the end of some FLAC files.
        self._file.seekable = lambda: False

    def _count(self) -> int | None:
        """Return how many samples there are, None where only reading tells."""
        if isinstance(self._bytes, _Pipe):
            return None
        if self._file.format != 'FLAC' or self._stated is None:
            return self._file.frames if self._file.frames < _ENDLESS else None
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
        if size is not None and size % (raw.channel_count * int(raw.encoding[1:]) // 8):
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
                f'{self.name}: damaged after {self._seconds(self._position)}; what comes before '
                'is used'
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

    def _seconds(self, frames: int) -> str:
        return f'{frames / self.sampling_frequency:.3f} s'

    def _warn_once(self, sentence: str) -> None:
        if not self._warned:
            self.warn(sentence)
        self._warned = True

    def _raise_failure(self) -> None:
        """Raise what libsndfile could not pass on."""
        failure = self._window.failure
        if isinstance(failure, (OSError, ValueError)):
            raise self._unreadable(_reason(failure)) from None
        if failure is not None:
            raise failure

    def _unreadable(self, reason) -> AudioError:
        return AudioError(f'{self.name}: cannot be read as audio ({reason})')


def _import_soundfile() -> ModuleType:
    try:
        import soundfile
    except ImportError:
        raise AudioError(
            'the Python package soundfile is not installed; try: pip install soundfile'
        ) from None
    except OSError as error:
        raise AudioError(
            f'the library libsndfile cannot be loaded ({error}); try: sudo apt install libsndfile1'
        ) from None
    return soundfile


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else None
    return (text or str(error)).lower()


def _said(error) -> str:
    """Return what libsndfile says."""
    text = error.error_string.rstrip('.').lower()
    if error.code == _UNRECOGNISED:
        text += '; doa-locate --raw-format reads samples without a header'
    return text


def _open(path: Path) -> BinaryIO:
    # A pipe may never be opened, and a device may never end.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError('not a regular file')
    return path.open('rb')


def _seekable(stream: BinaryIO) -> BinaryIO:
    return stream if stream.seekable() else _Pipe(stream)


class _Pipe:
    """A stream in which one can go back a little: libsndfile reads a header more than once."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._position = 0
        # The latest of what was read, and where it begins.
        self._kept = bytearray()
        self._kept_from = 0

    def read(self, count: int) -> bytes:
        place = self._position - self._kept_from
        if place < 0:
            raise ValueError('this format cannot come through a pipe; give a file')
        data = bytes(self._kept[place : place + count])
        if len(data) < count:
            fresh = self._stream.read(count - len(data))
            self._kept += fresh
            data += fresh
        self._position += len(data)
        if len(self._kept) > 4 * _LEAST_KEPT:
            self._kept_from += len(self._kept) - _LEAST_KEPT
            del self._kept[:-_LEAST_KEPT]
        return data

    def seek(self, position: int) -> None:
        while self._position < position:
            if not self.read(min(position - self._position, _LEAST_KEPT)):
                return
        self._position = position

    def close(self) -> None:
        self._stream.close()


def _size(file: BinaryIO | _Pipe) -> int | None:
    """Return how many bytes there are, None in a pipe."""
    return None if isinstance(file, _Pipe) else file.seek(0, os.SEEK_END)


@dataclass(frozen=True)
class _Chunks:
    """How a WAV file and its relatives are divided into chunks.

    Attributes:
        header: of a chunk: four letters and its size.
        first: where the first one begins.
        overhead: what the size counts besides the content [bytes].
        alignment: a multiple of which each chunk takes [bytes].
    """

    header: struct.Struct
    first: int
    overhead: int = 0
    alignment: int = 2

    @classmethod
    def of(cls, file: BinaryIO | _Pipe) -> '_Chunks | None':
        """Return those of a file; None where it has none."""
        file.seek(0)
        head = file.read(16)
        if head == _W64:
            return cls(struct.Struct('<4s12xQ'), first=40, overhead=24, alignment=8)
        if head[8:12] == b'WAVE' and head[:4] in (b'RIFF', b'RF64', b'BW64'):
            return cls(struct.Struct('<4sI'), first=12)
        if head[8:12] == b'WAVE' and head[:4] == b'RIFX':
            return cls(struct.Struct('>4sI'), first=12)
        return None

    @property
    def order(self) -> str:
        """The order of bytes, as struct writes it."""
        return self.header.format[0]

    def at(self, file: BinaryIO | _Pipe, position: int) -> tuple[bytes, int, int] | None:
        """Return name, begin and size of a chunk; None where there is none."""
        file.seek(position)
        head = file.read(self.header.size)
        if len(head) < self.header.size:
            return None
        name, size = self.header.unpack(head)
        if not all(0x20 <= byte < 0x7F for byte in name):
            return None
        return name, position + self.header.size, max(0, size - self.overhead)

    def after(self, begin: int, size: int) -> int:
        """Return where the next chunk begins."""
        return begin + math.ceil(size / self.alignment) * self.alignment

    def end_samples(self, file: BinaryIO | _Pipe, end: int, size: int | None) -> bool:
        """Return whether nothing but chunks comes after `end`, so that the samples end there.

        In a pipe only the next chunk can be seen.
        """
        position = end
        while size is None or position + self.header.size <= size:
            chunk = self.at(file, position)
            if chunk is None:
                return size is None and not file.read(1)
            _, begin, length = chunk
            if size is None or begin + length > size:
                return length < _TRAILER
            position = self.after(begin, length)
        return True


@dataclass(frozen=True)
class _Samples:
    """Where the samples are in a file.

    Attributes:
        begin: of what libsndfile is to read [bytes].
        size: of it [bytes]; None where a pipe does not say.
        raw: how the samples are written, as options of soundfile; None where libsndfile is to
            read a header.
        stated: how many there are as the header says; None where it does not, or libsndfile knows.
        chunks: what may follow them.
    """

    begin: int
    size: int | None
    raw: dict[str, Any] | None = None
    stated: int | None = None
    chunks: _Chunks | None = None


def _all_of(file: BinaryIO | _Pipe, raw: RawFormat) -> _Samples:
    """Return all of a file as samples."""
    options = {
        'subtype': RAW_ENCODINGS[raw.encoding],
        'samplerate': raw.sampling_frequency,
        'channels': raw.channel_count,
        'endian': 'LITTLE',
    }
    return _Samples(0, _size(file), options)


def _find_samples(file: BinaryIO | _Pipe) -> _Samples:
    """Find the samples in a file that says what it is."""
    chunks, file_size = _Chunks.of(file), _size(file)
    others = _Samples(0, file_size)
    if chunks is None:
        return others
    raw, frame, long_size, position = None, 0, None, chunks.first
    while (chunk := chunks.at(file, position)) is not None:
        name, begin, size = chunk
        if name == b'fmt ':
            raw, frame = _raw_options(file.read(min(size, 40)), chunks.order)
        elif name == b'ds64':
            long_size = int.from_bytes(file.read(16)[8:], 'little')
        elif name == b'data' and raw is not None:
            if chunks.alignment == 2 and size == _UNKNOWN:
                size = long_size
            there = _data_size(file, chunks, begin, size, file_size)
            return _Samples(begin, there, raw, None if size is None else size // frame, chunks)
        elif name == b'data':
            return others
        position = chunks.after(begin, size)
    return others


def _raw_options(content: bytes, order: str) -> tuple[dict[str, Any] | None, int]:
    """Return what the chunk `fmt ` says as options of soundfile, and the bytes of all channels.

    None for what is not simply one sample after the other, or nonsense: libsndfile may know.
    """
    if len(content) < 16:
        return None, 0
    tag, channels, rate, _, frame, bits = struct.unpack(order + 'HHIIHH', content[:16])
    if tag == _EXTENSIBLE and len(content) >= 26:
        (tag,) = struct.unpack(order + 'H', content[24:26])
    subtype = _SUBTYPES.get((tag, bits))
    if subtype is None or not 0 < channels <= _MOST_CHANNELS or not 0 < rate <= _MOST_RATE:
        return None, 0
    if frame != channels * bits // 8:
        return None, 0
    endian = 'BIG' if order == '>' else 'LITTLE'
    return {'subtype': subtype, 'samplerate': rate, 'channels': channels, 'endian': endian}, frame


def _data_size(
    file: BinaryIO | _Pipe, chunks: _Chunks, begin: int, stated: int | None, file_size: int | None
) -> int | None:
    """Return how many bytes of samples there are; None where a pipe does not say.

    Args:
        file: holds them.
        chunks: of the file.
        begin: where they begin.
        stated: how many the header says.
        file_size: all of the file.
    """
    if file_size is None:
        endless = stated is None or stated == 0 or _ENDLESS_WAV <= stated < _WRAP
        return None if endless else stated
    # Above 4 GB, what the header says is the true size modulo 4 GB.
    if stated is not None:
        for size in range(stated, file_size - begin + 1, _WRAP):
            if chunks.end_samples(file, chunks.after(begin, size), file_size):
                return size
    return file_size - begin


class _Window:
    """What libsndfile reads of a file: its samples, or all of it.

    No exception passes through libsndfile, so the first one is kept.

    Attributes:
        failure: the exception.
    """

    def __init__(self, file: BinaryIO | _Pipe, samples: _Samples):
        self._file = file
        self._samples = samples
        self._end = samples.size
        self._position = 0
        self.failure: BaseException | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            pipe = isinstance(self._file, _Pipe)
            offset += _ENDLESS if pipe or self._end is None else self._end
        self._position = max(0, offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer) -> int:
        done = 0
        try:
            self._file.seek(self._samples.begin + self._position)
            while done < len(buffer) and (left := self._left()) > 0:
                data = self._file.read(min(left, len(buffer) - done))
                if not data:
                    break
                buffer[done : done + len(data)] = data
                done += len(data)
                self._position += len(data)
        except BaseException as error:
            self.failure = self.failure or error
        return done

    def _left(self) -> int:
        """Return how many bytes there are still."""
        if self._end is None:
            return _ENDLESS
        if self._position == self._end and isinstance(self._file, _Pipe):
            # The header may have said the true size modulo 4 GB only.
            begin, chunks = self._samples.begin, self._samples.chunks
            goes_on = not chunks.end_samples(self._file, chunks.after(begin, self._end), None)
            self._end += _WRAP * goes_on
            self._file.seek(begin + self._position)
        return self._end - self._position
