# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Our methods, as the nodes run them, for the benchmarks."""

from collections.abc import Sequence
from pathlib import Path

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.extractor import FeatureConfig, GccFrame
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.classifier import default_features, suited
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.localizer import Localization, Localizer, LocalizerConfig
from doa_ros.core.localization.model_card import load_card

from ..metrics.frames import AZIMUTH_CLASSES, Listening

GATE = LocalizerConfig().sensitivity
# Every guess is asked for; what the gate would hold back is seen by its confidence.
_ALL = 1.0


class Ours:
    """A method of `Localizer`.

    Args:
        name: for people.
        array: the microphones.
        features: the settings of its features.
        method: of LocalizerConfig.
        model: of method cnn.
        sensitivity: of LocalizerConfig.

    Attributes:
        name, array, features: as given.
    """

    least_confidence = LocalizerConfig().least_confidence
    failures = 0

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
        self.array = array
        self.features = features
        config = LocalizerConfig(method, sensitivity=sensitivity)
        self._localizer = Localizer(array, features, config, model)
        self.azimuth_classes = (
            AZIMUTH_CLASSES if model is None else load_card(model).grid.azimuth_count
        )

    def answer(self, listening: Listening) -> list[Estimate | None]:
        """Return the strongest estimate at every scored frame."""
        estimates = self.follow(listening)
        return [estimates.get(block) for block in listening.blocks]

    def answer_all(self, listening: Listening) -> list[Sequence[Estimate]]:
        """Return all estimates at every scored frame."""
        estimates = self.locate(listening)
        return [estimates.get(block, ()) for block in listening.blocks]

    def follow(self, listening: Listening) -> dict[int, Estimate]:
        """Return the strongest estimate of every frame, by the block that it ends with."""
        found = self.locate(listening).items()
        return {block: estimates[0] for block, estimates in found if estimates}

    def locate(self, listening: Listening) -> dict[int, Sequence[Estimate]]:
        """Return the estimates of every frame, by the block that it ends with."""
        return {block: heard.estimates for block, heard in self.hear(listening).items()}

    def hear(self, listening: Listening) -> dict[int, Localization]:
        """Return all that is found in every frame, by the block that it ends with."""
        self._localizer.reset()
        return {
            block: self._localizer.locate(frame)
            for block, frame in self.features_of(listening).items()
        }

    def features_of(self, listening: Listening) -> dict[int, GccFrame]:
        """Return what the method is given of every frame, by the block that it ends with."""
        return listening.features(self.features, self.array)


def our_methods(array: MicArray, models: list[Path], sensitivity: float = _ALL) -> list[Ours]:
    """Return the networks, and SRP-PHAT on the features of the first of them, if there is one.

    Raises:
        ConfigError: two of the models have the same name.
        ModelError: one does not fit the array.
    """
    if len({path.stem for path in models}) < len(models):
        raise ConfigError('two models have the same file name; rename one to tell them apart')
    ours = []
    for path in models:
        known, _ = suited(array, path)
        features = default_features(known, path)
        ours.append(Ours(path.stem, known, features, 'cnn', path, sensitivity))
    features = default_features(array, models[0] if models else None)
    srp_phat = Ours(
        'SRP-PHAT on our features', array, features, 'srp_phat', sensitivity=sensitivity
    )
    return [*ours, srp_phat]
