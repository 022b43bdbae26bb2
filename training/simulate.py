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

With `array: any` in the settings, each clip is heard by another random array, and what is stored
are maps over direction, which suit networks for every array.

With --audio the clips are stored as well: OUT/audio/{train,val}/NNNNNN.flac with labels.csv.
With --scheduler the work is done by the workers of a dask cluster, where SOUNDS must be at the
same path and this package installed; OUT is written here.
"""

import argparse
from pathlib import Path
import time

from doa_ros.core.errors import ConfigError

from .data.audio_files import sort_labels
from .data.provenance import store_provenance
from .parallel import CORES
from .settings import Settings, find_settings
from .simulation.corpus import load_corpus
from .simulation.engine_check import check_engines
from .simulation.shard_jobs import make_shards, missing_shards
from .simulation.simulation_job import SimulationJob
from .splits import SPLITS


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
        DoaError: the sounds cannot be used, or no worker is there.
        OSError: a file cannot be written.
    """
    if jobs < 1:
        raise ConfigError(f'--jobs must be at least 1, not {jobs}')
    for split in SPLITS:  # A folder without sound is reported before anything is written.
        load_corpus(sounds, split, settings.simulate.sampling_frequency)
    array = None if settings.any_array else settings.load_array()
    if audio and array is None:
        raise ConfigError('--audio is for the data of one array')
    job = SimulationJob(settings, array, sounds.resolve(), strict, audio)
    store_provenance(out, provenance(settings), 'simulate')
    config = settings.simulate
    clips = {'train': config.train_clips, 'val': config.val_clips}
    missing = missing_shards(job, out, clips)
    begin = time.perf_counter()
    if audio:
        for split in SPLITS:
            redone = {n for spec in missing if spec.split == split for n in spec.clips}
            sort_labels(out, split, without=redone)
    left_out = make_shards(job, missing, out, title='simulate', jobs=jobs, scheduler=scheduler)
    if audio:
        for split in SPLITS:
            sort_labels(out, split)
    seconds = time.perf_counter() - begin
    count = sum(len(spec.clips) for spec in missing)
    print(
        f'{count} clips, {count * config.length:g} s of audio in {seconds:.1f} s: '
        f'{count / max(seconds, 1e-9):.1f} per second'
    )
    if left_out:
        print(f'{left_out} recordings were left out')


def provenance(settings: Settings) -> dict:
    """Return what decides the data, as it is stored beside it."""
    return {
        'array': settings.array,
        'data_features': settings.data_features.to_mapping(),
        'simulate': settings.simulate.to_mapping(),
    }


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
        check_engines(settings.load_array(), settings.simulate.sampling_frequency)
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
