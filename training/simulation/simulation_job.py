# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The shards of `simulate`: labelled features of random scenes, with or without their audio.

What is stored of random arrays are maps over direction, which are alike for all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from doa_ros.core.geometry import MicArray

from ..data.audio_files import audio_name, encoded_audio, label_rows
from ..data.clips import Clip, labelled_features
from ..data.dataset import Dataset
from ..data.inputs import as_maps
from ..data.shards import Shard, ShardSpec, packed
from ..settings import Settings
from .arrays import Simulators
from .corpus import load_corpus
from .shard_jobs import ShardJob


@dataclass(frozen=True)
class SimulationJob(ShardJob):
    """What all shards have in common.

    Attributes:
        settings: of the data.
        array: the microphones; None for random ones, without audio.
        sounds: folder of the recordings.
        strict: whether a recording that cannot be read is an error.
        audio: whether the audio is wanted.
    """

    settings: Settings
    array: MicArray | None
    sounds: Path
    strict: bool = False
    audio: bool = False

    rows = Dataset
    clips_per_shard = 25

    def maker(self, split: str) -> Callable[[ShardSpec], Shard]:
        """Return what makes the shards of a split."""
        config = self.settings.simulate
        corpus = load_corpus(self.sounds, split, config.sampling_frequency, strict=self.strict)
        hop = self.settings.data_features.hop
        return partial(self._shard, Simulators(self.array, config, corpus, hop))

    def is_stored(self, spec: ShardSpec, out: Path) -> bool:
        """Return whether a shard is there, and its audio where that is wanted."""
        if not super().is_stored(spec, out) or not self.audio or self.array is None:
            return super().is_stored(spec, out)
        last = audio_name(spec.clips[-1], len(self.array.positions))
        return (out / 'audio' / spec.split / last).exists()

    def _shard(self, simulators: Simulators, spec: ShardSpec) -> Shard:
        config, hop = self.settings.simulate, self.settings.data_features.hop
        examples: list[Dataset] = []
        audio: dict[str, bytes] = {}
        labels: list[tuple] = []
        for number, rng in spec.generators(config.seed):
            simulator = simulators.draw(rng)
            clip = simulator.random_clip(rng, f'{spec.split} {number}')
            examples.append(self._example(simulator.array, clip, number))
            if self.audio:
                name = audio_name(number, len(simulator.array.positions))
                audio[name] = encoded_audio(clip, Path(name).suffix)
                labels += label_rows(clip, name, hop)
        content = packed(Dataset.concatenate(examples).columns())
        return Shard(spec, content, audio, labels, dict(simulators.corpus.unusable))

    def _example(self, array: MicArray, clip: Clip, number: int) -> Dataset:
        features, every = self.settings.data_features, self.settings.simulate.every
        if self.array is not None:
            return labelled_features(array, features, clip, number, every)
        features = features.reaching(array)
        return as_maps(labelled_features(array, features, clip, number, every), array, features)
