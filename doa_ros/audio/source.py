# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What every sound source delivers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from doa_ros.core.samples import as_float

Clock = Callable[[], int]
"""Returns the time now [ns], on the clock that stamps shall be on."""


@dataclass(frozen=True)
class AudioBlock:
    """A piece of a stream.

    Attributes:
        samples: shape (samples, channels); int16, int32 or float32 as the source has them.
        sampling_frequency: [Hz].
        first_sample_index: index of the first sample since stream start; a jump means loss.
        stamp: acquisition time of the first sample [ns].
    """

    samples: np.ndarray
    sampling_frequency: int
    first_sample_index: int
    stamp: int

    def as_float(self) -> np.ndarray:
        """Return the samples as float32; full scale is 1."""
        return as_float(self.samples)


class AudioSource(Protocol):
    """A stream of audio blocks.

    Attributes:
        sampling_frequency: [Hz].
        channel_count: channels of each block.
    """

    sampling_frequency: int
    channel_count: int

    def blocks(self, clock: Clock) -> Iterator[AudioBlock]:
        """Yield blocks until the end or until `close`.

        Raises:
            AudioError: the stream broke off.
        """

    def close(self) -> None:
        """End `blocks`, from any thread."""
