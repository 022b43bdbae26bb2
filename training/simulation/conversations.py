# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated people who stand, walk and talk, and what a model of several sources says of them."""

from dataclasses import dataclass, replace
from functools import lru_cache
import io
import math
from pathlib import Path
import pickle

import numpy as np

from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.model_card import load_card

from ..data import storage
from ..data.clips import Clip
from ..data.sequences import COLUMNS, Sequences, concatenate, sequence
from ..parallel import run_tasks
from ..settings import Settings, SimulateConfig
from .corpus import SPLITS, load_corpus
from .simulator import Simulator
from .trajectories import walking_scene

_CLIPS_PER_SHARD = 10
# People may stand nearer to each other than in what the model has learnt from [deg], and it has to
# be heard how they end [s].
_SEPARATION_DEG, _TAIL = 20.0, 1.0
_MOST_DEAD = 2


@dataclass(frozen=True)
class Job:
    """What all shards have in common.

    Attributes:
        settings: `simulate` and `train_filter` say what is drawn.
        array: the microphones.
        model: the .tflite file that listens, with its card beside it.
        sounds: folder of the recordings.
    """

    settings: Settings
    array: MicArray
    model: Path
    sounds: Path

    @property
    def scenes(self) -> SimulateConfig:
        """What the scenes are drawn from."""
        return replace(
            self.settings.simulate,
            length=self.settings.train_filter.length,
            tail=_TAIL,
            separation_deg=_SEPARATION_DEG,
        )


def simulate_talks(job: Job, out: Path, *, jobs: int) -> None:
    """Simulate what is missing of the shards OUT/{train,val}/NNNNN.npz.

    Args:
        job: what to simulate.
        out: folder of the shards.
        jobs: processes.

    Raises:
        DoaError: the sounds cannot be used, or a worker died.
        OSError: a file cannot be written.
    """
    config = job.settings.train_filter
    clips = {'train': config.train_clips, 'val': config.val_clips}
    tasks = []
    for split in SPLITS:
        (out / split).mkdir(parents=True, exist_ok=True)
        tasks += [(job, *task) for task in _missing(out, split, clips[split])]
    count = sum(len(which) for *_, which in tasks)
    storage.write_all(run_tasks(simulate_shard, tasks, jobs=jobs), out, count, 'listen')


def _missing(out: Path, split: str, count: int) -> list[tuple[str, int, range]]:
    """Return split, number and clips of the shards that are not there as a whole."""
    tasks = []
    for number in range(math.ceil(count / _CLIPS_PER_SHARD)):
        first = number * _CLIPS_PER_SHARD
        clips = range(first, min(first + _CLIPS_PER_SHARD, count))
        if storage.stored_clips(out, split, number) < len(clips):
            tasks.append((split, number, clips))
    return tasks


def simulate_shard(job: Job, split: str, number: int, clips: range) -> storage.Shard:
    """Return a shard of some clips; each of them has a random generator of its own."""
    simulator, classifier = _tools(pickle.dumps(job), split)
    config = job.settings.train_filter
    rows: list[Sequences] = []
    for which in clips:
        rng = np.random.default_rng([config.seed, SPLITS.index(split), which])
        scene = walking_scene(rng, job.scenes, config.walking)
        clip = simulator.clip(rng, scene, f'{split} {which}')
        if rng.random() < config.dead_microphones:
            clip = _with_dead(rng, clip)
        rows.append(sequence(job.array, classifier, clip, which))
    content = io.BytesIO()
    found = concatenate(rows)
    np.savez(content, **{name: getattr(found, name) for name in COLUMNS})
    return storage.Shard(
        split=split,
        number=number,
        clips=len(clips),
        content=content.getvalue(),
        audio={},
        labels=[],
        unusable=dict(simulator.corpus.unusable),
    )


def _with_dead(rng: np.random.Generator, clip: Clip) -> Clip:
    """Return a clip in which one or two of the microphones are dead."""
    audio = clip.audio.copy()
    dead = rng.choice(audio.shape[1], rng.integers(1, _MOST_DEAD + 1), replace=False)
    audio[:, dead] = 0
    return replace(clip, audio=audio)


@lru_cache(maxsize=len(SPLITS))
def _tools(pickled: bytes, split: str) -> tuple[Simulator, Classifier]:
    """Return what a worker keeps between shards; a job has no hash, but its pickle has."""
    job = pickle.loads(pickled)
    classifier = Classifier(job.model, job.array, load_card(job.model).features)
    corpus = load_corpus(job.sounds, split, job.scenes.sampling_frequency)
    simulator = Simulator(job.array, job.scenes, corpus, classifier.features.hop)
    return simulator, classifier
