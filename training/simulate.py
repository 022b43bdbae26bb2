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

import csv
from dataclasses import dataclass
from functools import lru_cache
import io
import math
import os
from pathlib import Path
import pickle
import time
from zipfile import BadZipFile

import numpy as np
import soundfile
from tqdm import tqdm
import yaml

from doa_ros.core.config import load_yaml
from doa_ros.core.errors import ConfigError, DoaError
from doa_ros.core.geometry import MicArray
from doa_ros.resources import find_resource

from .examples.clips import Clip, labelled_features
from .examples.recordings import LABELS
from .rooms.engines import compare_engines
from .rooms.material import SPLITS, load_material
from .rooms.simulator import Simulator
from .rooms.workers import run_tasks
from .settings import Settings, load_settings

_CLIPS_PER_SHARD = 25
_CHECKED = (0.2, 0.4, 0.6, 0.8)
# Stretches of a source with a shorter pause are one [s]; each begins so long before it counts.
_PAUSE, _ONSET = 1.0, 0.2


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument('--settings', default='uma8_reference', help='name or path')
    parser.add_argument('--sounds', type=Path, help='folder of speech and noise')
    parser.add_argument('--out', type=Path, help='folder of the data set')
    parser.add_argument('--audio', action='store_true', help='store the audio as well')
    parser.add_argument(
        '--strict', action='store_true', help='stop at a recording that cannot be read'
    )
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='processes')
    parser.add_argument('--scheduler', metavar='ADDRESS', help='of a dask cluster to use instead')
    parser.add_argument(
        '--check-engines',
        action='store_true',
        help='compare the fast engine with the reference, and do nothing else',
    )


def run(args):
    """Simulate both splits."""
    settings = load_settings(find_resource('training', args.settings))
    if args.check_engines:
        _check_engines(settings)
        return
    if args.sounds is None or args.out is None:
        raise ConfigError('--sounds and --out are needed')
    if args.jobs < 1:
        raise ConfigError(f'--jobs must be at least 1, not {args.jobs}')
    for split in SPLITS:  # A folder without sound is reported before anything is written.
        load_material(args.sounds, split, settings.simulate.sampling_frequency)
    job = Job(settings, settings.load_array(), args.sounds.resolve(), args.strict, args.audio)
    _remember(settings, args.out)
    simulate(job, args.out, jobs=args.jobs, scheduler=args.scheduler)


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


@dataclass(frozen=True)
class Shard:
    """Some simulated clips on their way to the disk.

    Attributes:
        split, number: which it is.
        clips: how many it holds.
        content: of its npz file.
        audio: contents of its FLAC files by name.
        labels: rows of labels.csv.
        unusable: why recordings were left out, by path.
    """

    split: str
    number: int
    clips: int
    content: bytes
    audio: dict[str, bytes]
    labels: list[tuple]
    unusable: dict[Path, str]


def simulate(job: Job, out: Path, *, jobs: int = 1, scheduler: str | None = None) -> None:
    """Simulate what is missing in a data set.

    Args:
        job: what to simulate.
        out: folder of the data set.
        jobs: processes on this machine.
        scheduler: address of a dask scheduler, to use its workers instead.

    Raises:
        DoaError: a file cannot be written, the sounds cannot be used, or no worker is there.
    """
    config = job.settings.simulate
    clips = {'train': config.train_clips, 'val': config.val_clips}
    # The val split first: training can begin as soon as some of the other is there.
    tasks = [t for split in reversed(SPLITS) for t in _missing(job, out, split, clips[split])]
    count = sum(len(clips) for *_, clips in tasks)
    begin = time.perf_counter()
    unusable: dict[Path, str] = {}
    try:
        for split in SPLITS:
            (out / split).mkdir(parents=True, exist_ok=True)
            if job.audio:
                redone = {n for _, where, _, clips in tasks if where == split for n in clips}
                _rewrite_labels(out, split, without=redone)
        with tqdm(total=count, unit='clip', desc='simulate') as progress:
            for shard in run_tasks(simulate_shard, tasks, jobs=jobs, scheduler=scheduler):
                _write(shard, out)
                for path in shard.unusable.keys() - unusable.keys():
                    tqdm.write(f'left out: {shard.unusable[path]}')
                unusable.update(shard.unusable)
                progress.update(shard.clips)
        if job.audio:
            for split in SPLITS:
                _rewrite_labels(out, split)
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
    if unusable:
        print(f'{len(unusable)} recordings were left out')


def _remember(settings: Settings, out: Path):
    """Store what the data is made of; refuse to mix data of different settings."""
    path = out / 'settings.yaml'
    stored = {
        'array': settings.array,
        'data_features': settings.data_features.to_mapping(),
        'simulate': settings.simulate.to_mapping(),
    }
    if path.exists():
        before = load_yaml(path)
        # More clips may be asked for at any time.
        counts = {f'{split}_clips': stored['simulate'][f'{split}_clips'] for split in SPLITS}
        before['simulate'] = {**(before.get('simulate') or {}), **counts}
        if before != stored:
            raise ConfigError(f'{out} holds data of other settings; choose another folder')
    try:
        out.mkdir(parents=True, exist_ok=True)
        _replace(path, yaml.safe_dump(stored, sort_keys=False).encode())
    except OSError as error:
        raise DoaError(f'{out}: cannot be written ({error.strerror or error})') from None


def _missing(job: Job, out: Path, split: str, count: int) -> list[tuple[Job, str, int, range]]:
    """Return the arguments of `simulate_shard` for the shards that are not there as a whole."""
    tasks = []
    for number in range(math.ceil(count / _CLIPS_PER_SHARD)):
        first = number * _CLIPS_PER_SHARD
        clips = range(first, min(first + _CLIPS_PER_SHARD, count))
        stored = _stored_clips(_shard_path(out, split, number))
        heard = not job.audio or (out / 'audio' / split / _audio_name(job, clips[-1])).exists()
        if stored < len(clips) or not heard:
            tasks.append((job, split, number, clips))
    return tasks


def _stored_clips(path: Path) -> int:
    """Return how many clips a shard holds; 0 if it is not there or damaged."""
    try:
        with np.load(path) as content:
            return len(np.unique(content['clip']))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return 0


def _shard_path(out: Path, split: str, number: int) -> Path:
    return out / split / f'{number:05d}.npz'


def _audio_name(job: Job, number: int) -> str:
    # FLAC has room for eight channels.
    return f'{number:06d}.{"flac" if len(job.array.positions) <= 8 else "wav"}'


def simulate_shard(job: Job, split: str, number: int, clips: range) -> Shard:
    """Return a shard of some clips; each of them has a random generator of its own."""
    simulator = _simulator(pickle.dumps(job), split)
    config, features = job.settings.simulate, job.settings.data_features
    examples, audio, labels = [], {}, []
    for which in clips:
        rng = np.random.default_rng([config.seed, SPLITS.index(split), which])
        clip = simulator.random_clip(rng, f'{split} {which}')
        examples.append(labelled_features(job.array, features, clip, which, config.every))
        if job.audio:
            name = _audio_name(job, which)
            audio[name] = _encoded(clip, Path(name).suffix)
            labels += _stretches(clip, name, features.hop)
    content = io.BytesIO()
    np.savez(content, **{n: np.concatenate([e[n] for e in examples]) for n in examples[0]})
    return Shard(
        split=split,
        number=number,
        clips=len(clips),
        content=content.getvalue(),
        audio=audio,
        labels=labels,
        unusable=dict(simulator.material.unusable),
    )


@lru_cache(maxsize=len(SPLITS))
def _simulator(pickled: bytes, split: str) -> Simulator:
    """Return what a worker keeps between shards; a job has no hash, but its pickle has."""
    job = pickle.loads(pickled)
    config = job.settings.simulate
    material = load_material(job.sounds, split, config.sampling_frequency, strict=job.strict)
    return Simulator(job.array, config, material, job.settings.data_features.hop)


def _encoded(clip: Clip, suffix: str) -> bytes:
    """Return the audio as a file of 24 bit."""
    buffer = io.BytesIO()
    soundfile.write(
        buffer, clip.audio, clip.sampling_frequency, format=suffix[1:], subtype='PCM_24'
    )
    return buffer.getvalue()


def _stretches(clip: Clip, name: str, hop: float) -> list[tuple]:
    """Return the rows of labels.csv for a clip: when a source is heard, with short pauses."""
    rows = []
    for source in clip.sources:
        voiced = np.flatnonzero(source.voiced)
        for part in np.split(voiced, np.flatnonzero(np.diff(voiced) * hop > _PAUSE) + 1):
            if not len(part):
                continue
            rows.append(
                (
                    name,
                    # A block counts as voiced only some time after the beginning of a sound.
                    f'{max(0.0, part[0] * hop - _ONSET):.3f}',
                    f'{(part[-1] + 1) * hop:.3f}',
                    f'{np.degrees(source.azimuth[part[0]]):.2f}',
                    f'{np.degrees(source.elevation[part[0]]):.2f}',
                )
            )
    # Where no direction is given, nobody speaks.
    return rows or [(name, '', '', '', '')]


def _write(shard: Shard, out: Path):
    """Write a shard; its npz file comes last and says that the rest is there."""
    folder = out / 'audio' / shard.split
    for name, content in shard.audio.items():
        _replace(folder / name, content)
    if shard.labels:
        with (folder / 'labels.csv').open('a', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows(shard.labels)
    _replace(_shard_path(out, shard.split, shard.number), shard.content)


def _replace(path: Path, content: bytes):
    """Write a file under another name first: it is whole or it is not there."""
    partial = path.with_name(path.name + '.partial')
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _rewrite_labels(out: Path, split: str, without=frozenset()):
    """Put the rows of labels.csv in order, and leave out those of some clips."""
    path = out / 'audio' / split / 'labels.csv'
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    if path.exists():
        with path.open(newline='', encoding='utf-8') as file:
            # The last row may have been cut off.
            rows = [row for row in csv.reader(file) if len(row) == len(LABELS)]
        rows = [row for row in rows if row[0][:6].isdigit() and int(row[0][:6]) not in without]
    # Columns are numbers or empty.
    rows.sort(key=lambda row: (row[0], float(row[1] or 0), row[3]))
    text = io.StringIO(newline='')
    csv.writer(text).writerows([LABELS, *rows])
    _replace(path, text.getvalue().encode())


def _check_engines(settings: Settings):
    """Print how the fast engine compares with the reference."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title='Engine fast beside pyroomacoustics, one core, medians of five rooms')
    for header in ('RT60', 'early correlation', 'T20 fast', 'T20 reference', 'ms', 'times faster'):
        table.add_column(header, justify='right')
    array, rate = settings.load_array(), settings.simulate.sampling_frequency
    for rt60 in _CHECKED:
        check = compare_engines(array, rate, rt60)
        table.add_row(
            f'{rt60:g} s',
            f'{check.correlation:.5f}',
            f'{check.t20:.3f} s',
            f'{check.reference_t20:.3f} s',
            f'{1e3 * check.seconds:.2f}',
            f'{check.reference_seconds / check.seconds:.0f}',
        )
    Console(width=100).print(table)
