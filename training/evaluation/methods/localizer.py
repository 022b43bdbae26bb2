# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The methods of this package, as the nodes run them."""

from collections.abc import Sequence
from pathlib import Path

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.compatibility import adapted_array, default_features
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.model_card import load_card
from doa_ros.core.localization.source_filter import Localization
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.track import Track
from doa_ros.core.tracking.tracker import Tracker

from ..scenes.blocks import HOP
from .inputs import MethodInput
from .method import DirectionMethod, TrackingMethod, Tracks

DEFAULT_SENSITIVITY = LocalizerConfig().sensitivity
# The attribute of estimates that are made of tracks.
PREDICTED = 'predicted'
# Every guess is given; whether a node would have held it back is seen by its confidence.
_ALL = 1.0


class LocalizerMethod(DirectionMethod):
    """A method of `Localizer`.

    Args:
        name: for people.
        array: the microphones.
        features: the settings of its features.
        method: of LocalizerConfig.
        model: of method cnn.
        sensitivity: of LocalizerConfig.
    """

    least_confidence = LocalizerConfig().least_confidence()

    def __init__(
        self,
        name: str,
        array: MicArray,
        features: FeatureConfig,
        method: str,
        model: Path | None = None,
        sensitivity: float = _ALL,
    ):
        self.name = name
        self._array = array
        self._features = features
        config = LocalizerConfig(method, sensitivity=sensitivity)
        self._localizer = Localizer(array, features, config, model)
        self.sensitivity_power = self._localizer.sensitivity_power
        # What was found in the last clip: tracks and estimates are made of the same.
        self._located: tuple[MethodInput, dict[int, Localization]] | None = None
        if model is not None:
            self.azimuth_classes = load_card(model).grid.azimuth_count

    def estimates(self, clip: MethodInput) -> list[Sequence[Estimate]]:
        """See DirectionMethod."""
        localizations = self.localizations(clip)
        return [
            localizations[block].estimates if block in localizations else ()
            for block in clip.blocks
        ]

    def localizations(self, clip: MethodInput) -> dict[int, Localization]:
        """Return what is found in every window, by the block that it ends with."""
        if self._located is None or self._located[0] is not clip:
            self._localizer.reset()
            windows = clip.features(self._features, self._array)
            found = {block: self._localizer.locate(window) for block, window in windows.items()}
            self._located = clip, found
        return self._located[1]

    def confirmed_tracks(self, clip: MethodInput, config: TrackerConfig) -> list[Sequence[Track]]:
        """Return the confirmed tracks at the end of every block of a clip."""
        tracker = Tracker(config, HOP, ambiguity_of(clip.array))
        tracks: list[Sequence[Track]] = [()] * clip.block_count
        windows = clip.features(self._features, self._array)
        for block, found in self.localizations(clip).items():
            stamp, window = round(block * HOP * 1e9), windows[block]
            updated = tracker.update(stamp, found.detections, bool(window.gap), window.sound_age)
            tracks[block] = [track for track in updated if track.confirmed]
        return tracks


class LocalizerTracks(TrackingMethod):
    """The confirmed tracks made of the detections of a method of this package."""

    def __init__(self, method: LocalizerMethod):
        self.name = f'{method.name}, tracks'
        self._method = method

    def tracks(self, clip: MethodInput) -> list[Tracks]:
        """See TrackingMethod."""
        tracks = self._method.confirmed_tracks(clip, TrackerConfig())
        return [[(track.id, track.azimuth) for track in here] for here in tracks]


class TracksAsEstimates(DirectionMethod):
    """The confirmed tracks, compared as estimates are; the most confident one is the best."""

    def __init__(self, method: LocalizerMethod):
        self.name = f'{method.name}, tracks'
        self._method = method

    def estimates(self, clip: MethodInput) -> list[Sequence[Estimate]]:
        """See DirectionMethod. The attribute `predicted` of an estimate is 1 or 0."""
        tracks = self._method.confirmed_tracks(clip, TrackerConfig())
        return [[_as_estimate(track) for track in tracks[block]] for block in clip.blocks]


class UntrackedEstimates(TrackingMethod):
    """The estimates of a method of this package, to be compared with its tracks."""

    has_identities = False

    def __init__(self, method: LocalizerMethod):
        self.name = f'{method.name}, untracked'
        self._method = method

    def tracks(self, clip: MethodInput) -> list[Tracks]:
        """See TrackingMethod."""
        localizations = self._method.localizations(clip)
        return [
            [(0, estimate.azimuth) for estimate in localizations[block].estimates]
            if block in localizations
            else ()
            for block in range(clip.block_count)
        ]


def _as_estimate(track: Track) -> Estimate:
    return Estimate(
        track.azimuth,
        track.elevation,
        track.azimuth_stddev,
        track.elevation_stddev,
        track.confidence,
        {PREDICTED: float(track.predicted)},
    )


def localizer_methods(
    array: MicArray, models: Sequence[Path], sensitivity: float = _ALL
) -> list[LocalizerMethod]:
    """Return the networks, and SRP-PHAT on the features of the first of them, if there is one.

    Raises:
        ConfigError: two of the models have the same name.
        ModelError: one does not fit the array.
    """
    if len({path.stem for path in models}) < len(models):
        raise ConfigError('two models have the same file name; rename one to tell them apart')
    methods = []
    for path in models:
        known, _ = adapted_array(array, path)
        features = default_features(known, path)
        methods.append(LocalizerMethod(path.stem, known, features, 'cnn', path, sensitivity))
    features = default_features(array, models[0] if models else None)
    srp_phat = LocalizerMethod(
        'SRP-PHAT on our features', array, features, 'srp_phat', sensitivity=sensitivity
    )
    return [*methods, srp_phat]
