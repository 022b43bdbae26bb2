# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulate rooms and store labelled features.

Writes shards OUT/{train,val}/NNNNN.npz of 25 clips. Shards that are there are kept, so that an
interrupted run goes on where it stopped, and more clips are added by raising train_clips or
val_clips. The same seed gives the same data on any number of processes or machines.

SOUNDS holds recordings of any format that libsndfile reads, at any rate: a manifest.json with a
list `files` of `file`, `kind` and `split`; or folders train/speech, train/noise, val/speech and
val/noise; or folders speech and noise, with a subfolder per speaker or corpus, each of which goes
into one split. The kind impulse (claps, knocks) may be missing.

With --audio the clips are stored as well: OUT/audio/{train,val}/NNNNNN.flac with labels.csv.
With --scheduler the work is done by the workers of a dask cluster, where SOUNDS must be at the
same path and this package installed; OUT is written here.
"""

import argparse
from dataclasses import dataclass
from functools import lru_cache
import io
import math
from pathlib import Path
import pickle
import time

import numpy as np

from doa_ros.core.errors import ConfigError, DoaError
from doa_ros.core.geometry import MicArray

from .data import storage
from .data.clips import labelled_features
from .parallel import CORES, run_tasks
from .settings import Settings, find_settings
from .simulation.corpus import SPLITS, load_corpus
from .simulation.engines import compare_engines
from .simulation.simulator import Simulator
from .tables import Row, show_table

_CLIPS_PER_SHARD = 25
_CHECKED = (0.2, 0.4, 0.6, 0.8)


def simulate(
    settings: Settings,
    *,
    sounds: Path,
    out: Path,
    audio: bool = False,
    strict: bool = False,
    jobs: int = CORES,
    scheduler: str | None = None,
) -> None:
    """Simulate what is missing in a data set.

    Args:
        settings: of the data.
        sounds: folder of the recordings.
        out: folder of the data set.
        audio: store the audio as well.
        strict: stop at a recording that cannot be read instead of leaving it out.
        jobs: processes on this machine.
        scheduler: address of a dask scheduler, to use its workers instead.

    Raises:
        ConfigError: the folder holds data of other settings.
        DoaError: a file cannot be written, the sounds cannot be used, or no worker is there.
    """
    if jobs < 1:
        raise ConfigError(f'--jobs must be at least 1, not {jobs}')
    for split in SPLITS:  # A folder without sound is reported before anything is written.
        load_corpus(sounds, split, settings.simulate.sampling_frequency)
    job = Job(settings, settings.load_array(), sounds.resolve(), strict, audio)
    storage.remember(settings, out)
    _simulate(job, out, jobs=jobs, scheduler=scheduler)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--settings', default='uma8_reference', help='name or path')
    parser.add_argument('--sounds', type=Path, help='folder of speech and noise')
    parser.add_argument('--out', type=Path, help='folder of the data set')
    parser.add_argument('--audio', action='store_true', help='store the audio as well')
    parser.add_argument(
        '--strict', action='store_true', help='stop at a recording that cannot be read'
    )
    parser.add_argument('--jobs', type=int, default=CORES, help='processes')
    parser.add_argument('--scheduler', metavar='ADDRESS', help='of a dask cluster to use instead')
    parser.add_argument(
        '--check-engines',
        action='store_true',
        help='compare the fast engine with the reference, and do nothing else',
    )


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    settings = find_settings(args.settings)
    if args.check_engines:
        check_engines(settings)
        return
    if args.sounds is None or args.out is None:
        raise ConfigError('--sounds and --out are needed')
    simulate(
        settings,
        sounds=args.sounds,
        out=args.out,
        audio=args.audio,
        strict=args.strict,
        jobs=args.jobs,
        scheduler=args.scheduler,
    )


@dataclass(frozen=True)
class Job:
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


def _simulate(job: Job, out: Path, *, jobs: int, scheduler: str | None) -> None:
    config = job.settings.simulate
    clips = {'train': config.train_clips, 'val': config.val_clips}
    # The val split first: training can begin as soon as some of the other is there.
    tasks = [t for split in reversed(SPLITS) for t in _missing(job, out, split, clips[split])]
    count = sum(len(clips) for *_, clips in tasks)
    begin = time.perf_counter()
    try:
        for split in SPLITS:
            (out / split).mkdir(parents=True, exist_ok=True)
            if job.audio:
                redone = {n for _, where, _, clips in tasks if where == split for n in clips}
                storage.rewrite_labels(out, split, without=redone)
        shards = run_tasks(simulate_shard, tasks, jobs=jobs, scheduler=scheduler)
        left_out = storage.write_all(shards, out, count, 'simulate')
        if job.audio:
            for split in SPLITS:
                storage.rewrite_labels(out, split)
    except OSError as error:
        raise DoaError(
            f'{out}: cannot be written ({error.strerror or error}); what is finished stays, run '
            'simulate again to go on'
        ) from None
    seconds = time.perf_counter() - begin
    print(
        f'{count} clips, {count * config.length:g} s of audio in {seconds:.1f} s: '
        f'{count / max(seconds, 1e-9):.1f} per second'
    )
    if left_out:
        print(f'{left_out} recordings were left out')


def _missing(job: Job, out: Path, split: str, count: int) -> list[tuple[Job, str, int, range]]:
    """Return the arguments of `simulate_shard` for the shards that are not there as a whole."""
    tasks = []
    for number in range(math.ceil(count / _CLIPS_PER_SHARD)):
        first = number * _CLIPS_PER_SHARD
        clips = range(first, min(first + _CLIPS_PER_SHARD, count))
        stored = storage.stored_clips(out, split, number)
        last = storage.audio_name(clips[-1], len(job.array.positions))
        heard = not job.audio or (out / 'audio' / split / last).exists()
        if stored < len(clips) or not heard:
            tasks.append((job, split, number, clips))
    return tasks


def simulate_shard(job: Job, split: str, number: int, clips: range) -> storage.Shard:
    """Return a shard of some clips; each of them has a random generator of its own."""
    simulator = _simulator(pickle.dumps(job), split)
    config, features = job.settings.simulate, job.settings.data_features
    examples, audio, labels = [], {}, []
    for which in clips:
        rng = np.random.default_rng([config.seed, SPLITS.index(split), which])
        clip = simulator.random_clip(rng, f'{split} {which}')
        examples.append(labelled_features(job.array, features, clip, which, config.every))
        if job.audio:
            name = storage.audio_name(which, len(job.array.positions))
            audio[name] = storage.encoded(clip, Path(name).suffix)
            labels += storage.stretches(clip, name, features.hop)
    content = io.BytesIO()
    np.savez(content, **{n: np.concatenate([e[n] for e in examples]) for n in examples[0]})
    return storage.Shard(
        split=split,
        number=number,
        clips=len(clips),
        content=content.getvalue(),
        audio=audio,
        labels=labels,
        unusable=dict(simulator.corpus.unusable),
    )


@lru_cache(maxsize=len(SPLITS))
def _simulator(pickled: bytes, split: str) -> Simulator:
    """Return what a worker keeps between shards; a job has no hash, but its pickle has."""
    job = pickle.loads(pickled)
    config = job.settings.simulate
    corpus = load_corpus(job.sounds, split, config.sampling_frequency, strict=job.strict)
    return Simulator(job.array, config, corpus, job.settings.data_features.hop)


def check_engines(settings: Settings) -> None:
    """Print how the fast engine compares with the reference."""
    array, rate = settings.load_array(), settings.simulate.sampling_frequency
    rows: list[Row] = []
    for rt60 in _CHECKED:
        check = compare_engines(array, rate, rt60)
        rows.append(
            {
                'RT60': f'{rt60:g} s',
                'early correlation': f'{check.correlation:.5f}',
                'T20 fast': f'{check.t20:.3f} s',
                'T20 reference': f'{check.reference_t20:.3f} s',
                'ms': f'{1e3 * check.seconds:.2f}',
                'times faster': f'{check.reference_seconds / check.seconds:.0f}',
            }
        )
    show_table(rows, 'Engine fast beside pyroomacoustics, one core, medians of five rooms')
