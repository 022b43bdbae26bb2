# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the samples are in a file, whatever its header says.

The header of a WAV file holds a wrong length where the program that recorded was killed (0), wrote
to a pipe (the largest number) or went beyond 4 GB (the rest that 32 bits can hold), and where the
file was cut off.
"""

from dataclasses import dataclass
import math
import struct

from doa_ros.audio.recordings.byte_stream import ByteStream, Pipe, size_of
from doa_ros.audio.recordings.raw_format import MOST_CHANNELS, MOST_RATE, RawFormat

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
# The format tag that says that the true one comes later.
_EXTENSIBLE = 0xFFFE
# Sizes of 32 bits are those of the data modulo this; the largest says that it is not known here.
WRAP = 1 << 32
_UNKNOWN = WRAP - 1
# From here on, what a header of 32 bits says in a pipe is no size but means that there is no end.
_ENDLESS_WAV = 0x7FFF0000
# Chunks after the samples are small [bytes].
_TRAILER = 1 << 20
_W64 = b'riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00'


@dataclass(frozen=True)
class Chunks:
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
    def of(cls, file: ByteStream) -> 'Chunks | None':
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

    def at(self, file: ByteStream, position: int) -> tuple[bytes, int, int] | None:
        """Return name, begin and size of the content of a chunk; None where there is none.

        Args:
            file: holds it.
            position: where its header begins [bytes].
        """
        file.seek(position)
        head = file.read(self.header.size)
        if len(head) < self.header.size:
            return None
        name, size = self.header.unpack(head)
        if not all(0x20 <= byte < 0x7F for byte in name):
            return None
        return name, position + self.header.size, max(0, size - self.overhead)

    def after(self, begin: int, size: int) -> int:
        """Return where the next chunk begins [bytes].

        Args:
            begin, size: of the content of a chunk [bytes].
        """
        return begin + math.ceil(size / self.alignment) * self.alignment

    def end_samples(self, file: ByteStream, end: int, size: int | None) -> bool:
        """Return whether nothing but chunks comes after `end`, so that the samples end there.

        In a pipe only the next chunk can be seen.

        Args:
            file: holds the samples.
            end: where they may end [bytes].
            size: of the file [bytes]; None for a pipe.
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
class SampleRegion:
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
    raw: dict[str, str | int] | None = None
    stated: int | None = None
    chunks: Chunks | None = None

    def end_at(self, pipe: Pipe, size: int) -> bool:
        """Return whether the samples that come through a pipe end after so many bytes."""
        if self.chunks is None:
            return True
        return self.chunks.end_samples(pipe, self.chunks.after(self.begin, size), None)

    @classmethod
    def of_raw(cls, file: ByteStream, raw: RawFormat) -> 'SampleRegion':
        """Return all of a file without a header."""
        return cls(0, size_of(file), raw.options)


def find_samples(file: ByteStream) -> SampleRegion:
    """Find the samples in a file that says what it is."""
    chunks, file_size = Chunks.of(file), size_of(file)
    others = SampleRegion(0, file_size)
    if chunks is None:
        return others
    found: _SampleFormat | None = None
    long_size: int | None = None
    position = chunks.first
    while (chunk := chunks.at(file, position)) is not None:
        name, begin, size = chunk
        if name == b'fmt ':
            found = _format(file.read(min(size, 40)), chunks.order)
        elif name == b'ds64':
            long_size = int.from_bytes(file.read(16)[8:], 'little')
        elif name == b'data' and found is not None:
            stated = long_size if chunks.alignment == 2 and size == _UNKNOWN else size
            there = _data_size(file, chunks, begin, stated, file_size)
            count = None if stated is None else stated // found.sample_bytes
            return SampleRegion(begin, there, found.options, count, chunks)
        elif name == b'data':
            return others
        position = chunks.after(begin, size)
    return others


@dataclass(frozen=True)
class _SampleFormat:
    """How samples are written: as options of soundfile, and the bytes of all channels of one."""

    options: dict[str, str | int]
    sample_bytes: int


def _format(content: bytes, order: str) -> _SampleFormat | None:
    """Return what the chunk `fmt ` says.

    None for what is not simply one sample after the other, or nonsense: libsndfile may know.
    """
    if len(content) < 16:
        return None
    tag, channels, rate, _, sample_bytes, bits = struct.unpack(order + 'HHIIHH', content[:16])
    if tag == _EXTENSIBLE and len(content) >= 26:
        (tag,) = struct.unpack(order + 'H', content[24:26])
    subtype = _SUBTYPES.get((tag, bits))
    if subtype is None or not 0 < channels <= MOST_CHANNELS or not 0 < rate <= MOST_RATE:
        return None
    if sample_bytes != channels * bits // 8:
        return None
    endian = 'BIG' if order == '>' else 'LITTLE'
    options = {'subtype': subtype, 'samplerate': rate, 'channels': channels, 'endian': endian}
    return _SampleFormat(options, sample_bytes)


def _data_size(
    file: ByteStream, chunks: Chunks, begin: int, stated: int | None, file_size: int | None
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
        endless = stated is None or stated == 0 or _ENDLESS_WAV <= stated < WRAP
        return None if endless else stated
    # Above 4 GB, what the header says is the true size modulo 4 GB.
    if stated is not None:
        for size in range(stated, file_size - begin + 1, WRAP):
            if chunks.end_samples(file, chunks.after(begin, size), file_size):
                return size
    return file_size - begin
