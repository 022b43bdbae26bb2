# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The directions in a recording, as the nodes give them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from doa_ros.audio.source import AudioBlock
from doa_ros.core.ambiguity import ambiguity_in_frame
from doa_ros.core.errors import AudioError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.localizer import Localizer
from doa_ros.core.localization.spectrum import Spectrum
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.track import Track
from doa_ros.core.tracking.tracker import Tracker
from doa_ros.core.units import NANOSECONDS


class LocatedWindow(NamedTuple):
    """An analysis window and what was found in it.

    Attributes:
        end: [s] from the beginning of the recording.
        directions: the estimates.
        tracks: confirmed tracks; none where they were not asked for.
        spectrum: the probabilities of directions.
    """

    end: float
    directions: WindowDirections
    tracks: tuple[Track, ...]
    spectrum: Spectrum

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The directions, highest confidence first."""
        return self.directions.estimates


class OfflinePipeline:
    """Features, localizer and, where tracks are asked for, tracker.

    Args:
        array: the microphones.
        features: how the features are made.
        localizer: gives the directions.
        tracks: whether to give tracks, too.
    """

    def __init__(
        self, array: MicArray, features: FeatureConfig, localizer: Localizer, *, tracks: bool
    ):
        self._array, self._features, self._localizer = array, features, localizer
        self._extractor = FeatureExtractor(array, features)
        self._tracker = None
        if tracks:
            self._tracker = Tracker(TrackerConfig(), features.hop, ambiguity_in_frame(array))

    def windows(self, blocks: Iterable[AudioBlock], name: str) -> Iterator[LocatedWindow]:
        """Yield what is found in each window of a recording.

        Args:
            blocks: the recording.
            name: of the recording, for errors.

        Raises:
            AudioError: the recording is shorter than a window.
        """
        rate, settings = self._array.sampling_frequency, self._features
        hop = round(settings.hop * rate)
        samples = windows = 0
        for block in blocks:
            samples += len(block.samples)
            for window in self._extractor.push(block.first_sample_index, block.as_float()):
                windows += 1
                located = self._localizer.locate(window)
                tracks: tuple[Track, ...] = ()
                if self._tracker is not None:
                    # The stamp that the nodes give to this window.
                    stamp = window.hop_index * NANOSECONDS // rate
                    updated = self._tracker.update(
                        stamp, located.detections, bool(window.gap), window.sound_age
                    )
                    tracks = tuple(track for track in updated if track.confirmed)
                directions = WindowDirections(
                    located.estimates, settings.window, settings.hop, window.sound_age
                )
                yield LocatedWindow(
                    (window.hop_index + hop) / rate, directions, tracks, located.spectrum
                )
        if windows == 0:
            raise AudioError(
                f'{name}: lasts {samples / rate:.3f} s, less than one analysis window of '
                f'{settings.window:g} s'
            )
