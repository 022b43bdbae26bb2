# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound of one track while it is made."""

from dataclasses import dataclass
import math

import numpy as np

from doa_ros.core.geometry import unit_vector
from doa_ros.core.separation.directional_masks import DirectionalMasks
from doa_ros.core.separation.short_time_fourier import Synthesis
from doa_ros.core.separation.wiener_filter import WienerFilter
from doa_ros.core.tracking.track import Track

# A track that has turned by no more is where it was [rad]: steering vectors take time.
_SAME_DIRECTION = math.radians(0.5)
# How much of the share of a direction in a frame is that of the frames before: syllables last.
_KEPT_SHARE = np.float32(0.4)


@dataclass(frozen=True)
class Frame:
    """What the microphones hear in a frame.

    Attributes:
        number: of the frame; it begins so many hops after the start of the stream.
        spectra: 0 of dead microphones, shape (microphones, bins), complex64.
        whitened, power: of `DirectionalMasks.whitened`.
    """

    number: int
    spectra: np.ndarray
    whitened: np.ndarray
    power: np.ndarray


class Voice:
    """Filters the sound of a track out of frames.

    Attributes:
        seen: index of the sample at which the track was given last.
        direction: where it is.

    Args:
        track: whose sound it is.
        masks: of the array.
        wiener_filter: that has learnt nothing.
        floor: smallest gain of the post-filter.
    """

    def __init__(
        self, track: Track, masks: DirectionalMasks, wiener_filter: WienerFilter, floor: float
    ):
        self._filter, self._synthesis = wiener_filter, Synthesis()
        self._floor = np.float32(floor)
        self.seen = 0
        self._vector = _vector(track)
        self.direction = masks.direction(self._vector)
        self._share: np.ndarray | None = None

    def follow(self, track: Track, masks: DirectionalMasks) -> None:
        """Look where the track is now."""
        vector = _vector(track)
        if self._vector @ vector < math.cos(_SAME_DIRECTION):
            self._vector, self.direction = vector, masks.direction(vector)

    def leave_out(self, dead: np.ndarray, masks: DirectionalMasks) -> None:
        """Do without dead microphones, shape (microphones,), bool, which the masks leave out."""
        self.direction = masks.direction(self._vector)
        self._filter.leave_out(dead)

    def likelihood(self, frame: Frame) -> np.ndarray:
        """Return how likely the next frame is of this track: see `Direction.likelihood`."""
        share = self.direction.share(frame.whitened, frame.power)
        if self._share is not None:
            share += _KEPT_SHARE * (self._share - share)
        self._share = share
        return self.direction.likelihood(share)

    def learn(self, frame: Frame, mask: np.ndarray) -> None:
        """Take a frame and which share of it is of this track, shape (bins,), float32."""
        beam = self.direction.beam(frame.spectra)
        beam *= mask
        self._filter.add(frame.spectra, beam)

    def solve(self, inverse: np.ndarray) -> None:
        """Renew the filter by the inverse of the covariance of all that is heard."""
        self._filter.solve(inverse)

    def samples(self, frame: Frame, mask: np.ndarray) -> np.ndarray:
        """Return the sound in the first hop of a frame, shape (HOP,), float32."""
        spectrum = self._filter.output(frame.spectra)
        spectrum *= np.maximum(np.sqrt(mask), self._floor)
        return self._synthesis.samples(spectrum)


def _vector(track: Track) -> np.ndarray:
    """Return the direction of a track; one without an elevation is at the array's height."""
    return unit_vector(track.azimuth, track.elevation if math.isfinite(track.elevation) else 0.0)
