# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The shards of `simulate`: labelled features of random scenes, with or without their audio."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from doa_ros.core.geometry import MicArray

from ..data.audio_files import audio_name, encoded_audio, label_rows
from ..data.clips import labelled_features
from ..data.dataset import Dataset
from ..data.shards import Shard, ShardSpec, packed
from ..settings import Settings
from .corpus import load_corpus
from .shard_jobs import ShardJob
from .simulator import Simulator


@dataclass(frozen=True)
class SimulationJob(ShardJob):
    """What all shards have in common.

    Attributes:
        settings: of the data.
        array: the microphones.
        sounds: folder of the recordings.
        strict: whether a recording that cannot be read is an error.
        audio: whether the audio is wanted.
    """

    settings: Settings
    array: MicArray
    sounds: Path
    strict: bool = False
    audio: bool = False

    rows = Dataset
    clips_per_shard = 25

    def maker(self, split: str) -> Callable[[ShardSpec], Shard]:
        """Return what makes the shards of a split."""
        config = self.settings.simulate
        corpus = load_corpus(self.sounds, split, config.sampling_frequency, strict=self.strict)
        simulator = Simulator(self.array, config, corpus, self.settings.data_features.hop)
        return partial(self._shard, simulator)

    def is_stored(self, spec: ShardSpec, out: Path) -> bool:
        """Return whether a shard is there, and its audio where that is wanted."""
        last = out / 'audio' / spec.split / self._audio_name(spec.clips[-1])
        return super().is_stored(spec, out) and (not self.audio or last.exists())

    def _audio_name(self, clip: int) -> str:
        return audio_name(clip, len(self.array.positions))

    def _shard(self, simulator: Simulator, spec: ShardSpec) -> Shard:
        config, features = self.settings.simulate, self.settings.data_features
        examples: list[Dataset] = []
        audio: dict[str, bytes] = {}
        labels: list[tuple] = []
        for number, rng in spec.generators(config.seed):
            clip = simulator.random_clip(rng, f'{spec.split} {number}')
            examples.append(labelled_features(self.array, features, clip, number, config.every))
            if self.audio:
                name = self._audio_name(number)
                audio[name] = encoded_audio(clip, Path(name).suffix)
                labels += label_rows(clip, name, features.hop)
        content = packed(Dataset.concatenate(examples).columns())
        return Shard(spec, content, audio, labels, dict(simulator.corpus.unusable))
