# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulate rooms and store labelled features.

Writes shards OUT/{train,val}/NNNNN.npz; shards that are there already are kept, so that an
interrupted run goes on where it stopped, and the same seed gives the same data on any number of
processes.
"""

from concurrent.futures import ProcessPoolExecutor
import multiprocessing
import os
from pathlib import Path

import numpy as np
from tqdm import tqdm
import yaml

from doa_ros.core.config import load_yaml
from doa_ros.core.errors import ConfigError
from doa_ros.core.features import FeatureExtractor
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.core.scoring import silent_frames, voiced_frames
from doa_ros.resources import find_resource

from .material import Material, load_material
from .rooms import Imperfections, draw_scene, simulate, speak
from .settings import Settings, load_settings

_CLIPS_PER_SHARD = 25
SPLITS = ('train', 'val')


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument('--settings', default='uma8_reference', help='name or path')
    parser.add_argument('--sounds', type=Path, required=True, help='folder of speech and noise')
    parser.add_argument('--out', type=Path, required=True, help='folder of the data set')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='processes')


def run(args):
    """Simulate both splits."""
    settings_path = find_resource('training', args.settings)
    settings = load_settings(settings_path)
    array = load_array(find_resource('arrays', settings.array))
    for split in SPLITS:  # A folder without sound is reported before anything is written.
        load_material(args.sounds, split, array.sampling_frequency)
    _remember(settings, args.out)
    clips = {'train': settings.simulate.train_clips, 'val': settings.simulate.val_clips}
    tasks = []
    for split in SPLITS:
        (args.out / split).mkdir(parents=True, exist_ok=True)
        for first in range(0, clips[split], _CLIPS_PER_SHARD):
            count = min(_CLIPS_PER_SHARD, clips[split] - first)
            path = args.out / split / f'{first // _CLIPS_PER_SHARD:05d}.npz'
            if not path.exists():
                tasks.append((path, split, range(first, first + count)))
    # The val split first: training can begin as soon as some of the other is there.
    tasks.sort(key=lambda task: task[1] != 'val')
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(
        args.jobs,
        mp_context=context,
        initializer=_start_worker,
        initargs=(settings, array, args.sounds),
    ) as pool:
        done = pool.map(_simulate_shard, *zip(*tasks, strict=True)) if tasks else ()
        for _ in tqdm(done, total=len(tasks), unit='shard', desc='simulate'):
            pass


def _remember(settings: Settings, out: Path):
    """Store what the data is made of; refuse to mix data of different settings."""
    path = out / 'settings.yaml'
    stored = {
        'array': settings.array,
        'data_features': settings.data_features.to_mapping(),
        'simulate': settings.simulate.to_mapping(),
    }
    if path.exists() and load_yaml(path) != stored:
        raise ConfigError(f'{out} holds data of other settings; choose another folder')
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(stored, sort_keys=False), encoding='utf-8')


_worker: tuple[Settings, MicArray, dict[str, Material]]


def _start_worker(settings: Settings, array: MicArray, sounds: Path):
    global _worker
    material = {s: load_material(sounds, s, array.sampling_frequency) for s in SPLITS}
    _worker = settings, array, material


def _simulate_shard(path: Path, split: str, clips: range):
    settings, array, material = _worker
    examples = [_simulate_clip(settings, array, material[split], split, n) for n in clips]
    columns = {name: np.concatenate([e[name] for e in examples]) for name in examples[0]}
    # Written under another name first: a shard is whole or it is not there.
    partial = path.with_suffix('.partial')
    with partial.open('wb') as file:
        np.savez(file, **columns)
    partial.rename(path)


def _simulate_clip(settings: Settings, array: MicArray, material: Material, split, number):
    config = settings.simulate
    rng = np.random.default_rng([config.seed, SPLITS.index(split), number])
    scene = draw_scene(
        rng,
        rt60=(config.rt60_min, config.rt60_max),
        snr=(config.snr_min, config.snr_max),
        distance=(config.distance_min, config.distance_max),
        elevation=(0.0, np.radians(config.elevation_max_deg)),
    )
    voice = speak(rng, material, config.lead, config.length)
    hop = settings.data_features.hop
    clip = simulate(rng, array, scene, voice, material, hop, Imperfections())
    return label(array, settings, clip, number, config.every)


def label(array: MicArray, settings: Settings, clip, number: int, every: int) -> dict:
    """Return the features of a clip with their labels, one row per kept window."""
    extractor = FeatureExtractor(array, settings.data_features)
    frames = extractor.push(0, clip.audio)[::every]
    block = round(settings.data_features.hop * array.sampling_frequency)
    blocks = np.array([frame.hop_index // block for frame in frames])
    scene = clip.scene
    rows = len(frames)
    return {
        'gcc': np.array([frame.gcc for frame in frames], dtype=np.float16),
        'activity': np.array([frame.activity for frame in frames], dtype=np.float32),
        'voiced': voiced_frames(clip.active)[blocks],
        'silent': silent_frames(clip.audible, settings.data_features.hop)[blocks],
        'azimuth': np.full(rows, scene.azimuth, dtype=np.float32),
        'elevation': np.full(rows, scene.elevation, dtype=np.float32),
        'rt60': np.full(rows, scene.rt60, dtype=np.float32),
        'snr': np.full(rows, scene.snr, dtype=np.float32),
        'distance': np.full(rows, scene.distance, dtype=np.float32),
        'clip': np.full(rows, number, dtype=np.int32),
    }
