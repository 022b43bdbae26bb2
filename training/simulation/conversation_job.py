# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The shards of `train_filter`: what a multi-source model finds of talkers that walk and pause."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.compatibility import features_for
from doa_ros.core.localization.model_card import ModelCard

from ..data.filter_examples import FilterExamples, filter_example
from ..data.shards import Shard, ShardSpec, packed
from ..sections import SimulateConfig
from ..settings import Settings
from .arrays import Simulators
from .corpus import load_corpus
from .shard_jobs import ShardJob
from .trajectories import walking_scene

# Talkers may be nearer to each other than in what the model has learnt from [deg], and the filter
# has to hear how they end [s].
_SEPARATION_DEG, _TAIL = 20.0, 1.0
_MOST_DEAD = 2


@dataclass(frozen=True)
class ConversationJob(ShardJob):
    """What all shards have in common.

    Attributes:
        settings: `simulate` and `train_filter` say what is drawn.
        array: the microphones; None for random ones.
        card: of the model whose outputs are asked for, without a recurrent filter.
        model: its .tflite file.
        sounds: folder of the recordings.
    """

    settings: Settings
    array: MicArray | None
    card: ModelCard
    model: Path
    sounds: Path

    rows = FilterExamples
    clips_per_shard = 10

    @property
    def scenes(self) -> SimulateConfig:
        """What the scenes are drawn from."""
        return replace(
            self.settings.simulate,
            length=self.settings.train_filter.length,
            tail=_TAIL,
            separation_deg=_SEPARATION_DEG,
        )

    def maker(self, split: str) -> Callable[[ShardSpec], Shard]:
        """Return what makes the shards of a split."""
        corpus = load_corpus(self.sounds, split, self.scenes.sampling_frequency)
        simulators = Simulators(self.array, self.scenes, corpus, self.card.features.hop)
        classifier = None if self.array is None else self._classifier(self.array)
        return partial(self._shard, simulators, classifier)

    def _classifier(self, array: MicArray) -> Classifier:
        return Classifier(self.card, self.model, array, features_for(self.card, array))

    def _shard(
        self, simulators: Simulators, classifier: Classifier | None, spec: ShardSpec
    ) -> Shard:
        config = self.settings.train_filter
        examples: list[FilterExamples] = []
        for number, rng in spec.generators(config.seed):
            scene = walking_scene(rng, self.scenes, config.walking)
            simulator = simulators.draw(rng)
            array = simulator.array
            clip = simulator.clip(rng, scene, f'{spec.split} {number}')
            if rng.random() < config.dead_microphones:
                count = rng.integers(1, _MOST_DEAD + 1)
                clip = clip.without(rng.choice(clip.audio.shape[1], count, replace=False))
            model = classifier or self._classifier(array)
            examples.append(filter_example(array, model, clip, number))
        content = packed(FilterExamples.concatenate(examples).columns())
        return Shard(spec, content, unusable=dict(simulators.corpus.unusable))
