# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples without a header."""

from dataclasses import dataclass

from doa_ros.core.errors import ConfigError

RAW_ENCODINGS = {'s16': 'PCM_16', 's24': 'PCM_24', 's32': 'PCM_32', 'f32': 'FLOAT'}
"""How samples without a header may be written, and what libsndfile calls it."""

# Limits of libsndfile.
MOST_CHANNELS = 1024
MOST_RATE = 2**31 - 1


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
        if not 0 < self.sampling_frequency <= MOST_RATE:
            raise ConfigError(f'the rate of raw samples must lie in 1..{MOST_RATE} Hz')
        if not 0 < self.channel_count <= MOST_CHANNELS:
            raise ConfigError(f'raw samples must have 1..{MOST_CHANNELS} channels')

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channel_count * int(self.encoding[1:]) // 8

    @property
    def options(self) -> dict[str, str | int]:
        """The same as options of soundfile."""
        return {
            'subtype': RAW_ENCODINGS[self.encoding],
            'samplerate': self.sampling_frequency,
            'channels': self.channel_count,
            'endian': 'LITTLE',
        }
