# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The shards of `train_filter`: what a multi-source model finds of talkers that walk and pause."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.model_card import ModelCard

from ..data.filter_examples import FilterExamples, filter_example
from ..data.shards import Shard, ShardSpec, packed
from ..sections import SimulateConfig
from ..settings import Settings
from .corpus import load_corpus
from .shard_jobs import ShardJob
from .simulator import Simulator
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
        array: the microphones.
        card: of the model whose outputs are asked for, without a recurrent filter.
        model: its .tflite file.
        sounds: folder of the recordings.
    """

    settings: Settings
    array: MicArray
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
        classifier = Classifier(self.card, self.model, self.array, self.card.features)
        corpus = load_corpus(self.sounds, split, self.scenes.sampling_frequency)
        simulator = Simulator(self.array, self.scenes, corpus, classifier.features.hop)
        return partial(self._shard, simulator, classifier)

    def _shard(self, simulator: Simulator, classifier: Classifier, spec: ShardSpec) -> Shard:
        config = self.settings.train_filter
        examples: list[FilterExamples] = []
        for number, rng in spec.generators(config.seed):
            scene = walking_scene(rng, self.scenes, config.walking)
            clip = simulator.clip(rng, scene, f'{spec.split} {number}')
            if rng.random() < config.dead_microphones:
                count = rng.integers(1, _MOST_DEAD + 1)
                clip = clip.without(rng.choice(clip.audio.shape[1], count, replace=False))
            examples.append(filter_example(self.array, classifier, clip, number))
        content = packed(FilterExamples.concatenate(examples).columns())
        return Shard(spec, content, unusable=dict(simulator.corpus.unusable))
