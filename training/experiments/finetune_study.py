# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Show what finetune brings, on a board and in rooms that the network was not trained for.

What stands for reality is the image method in full, where the training data usually comes from
the fast engine, and one board with wrong gains, phases and places of the microphones in a housing
that shades and echoes. The network of a run is adapted with 20, 100 and 500 s of labelled speech
from five rooms, and measured in five others with other voices.

Writes OUT/recordings and OUT/test (folders as finetune takes them), a run for each mode and
length, study.csv, study.md and study.png. Run again, it keeps the recordings.
"""

import argparse
from dataclasses import replace
import math
from pathlib import Path

import numpy as np
from pandas import DataFrame
import soundfile
from tqdm import tqdm

from ..data.labels import LABEL_COLUMNS
from ..data.recordings import load_recordings
from ..fitting.adaptation import Accuracy, Recordings, finetune, measure, read_recordings
from ..models.architectures import inputs_of
from ..runs import load_run
from ..sections import SimulateConfig
from ..simulation.corpus import load_corpus
from ..simulation.scenes import Scene, draw_scene
from ..simulation.simulator import Simulator
from ..splits import SPLITS
from ..tables import Row, show_table

SECONDS = (20, 100, 500)
MODES = ('head', 'full')
_TEST_CLIPS = 150
_ROOMS = 5
# Least distance of a talker from the walls [m].
_MARGIN = 0.2


def finetune_study(run: Path, *, data: Path, sounds: Path, out: Path) -> None:
    """Record, adapt, measure, show.

    Args:
        run: folder made by train.
        data: folder made by simulate.
        sounds: folder of speech and noise.
        out: folder of the result.
    """
    _, settings = load_run(run)
    array, inputs = settings.load_array(), inputs_of(settings)
    reality = _reality(settings.simulate)
    voiced = reality.length - reality.lead
    clips = [math.ceil(seconds / voiced) for seconds in SECONDS]
    folders = {
        'recordings': ('train', clips[-1]),
        'test': ('val', _TEST_CLIPS),
    }
    for name, (split, count) in folders.items():
        if not (out / name / 'labels.csv').exists():
            corpus = load_corpus(sounds, split, reality.sampling_frequency)
            simulator = Simulator(array, reality, corpus, settings.features.hop)
            _record(out / name, simulator, reality, count, split)
    recordings, test = (
        read_recordings(load_recordings(out / name, array, settings.features), array, settings)
        for name in folders
    )
    rows: list[Row] = []
    for mode in MODES:
        for seconds, count in zip(SECONDS, clips, strict=True):
            model, settings = load_run(run)
            changed = replace(settings, finetune=replace(settings.finetune, mode=mode))
            before = measure(model, [test.data], settings.train, inputs)
            folder = out / f'{mode}_{seconds}'
            result = finetune(model, changed, _first(recordings, count), data, folder)
            if not rows:
                rows.append(_row('before', 0, before, result.simulated_before, 0.0))
            after = measure(model, [test.data], settings.train, inputs)
            rows.append(_row(mode, seconds, after, result.simulated_after, result.step))
    show_table(
        rows,
        'The other board in other rooms, and the simulated val split',
        out / 'study',
    )
    _draw(out / 'study.png', rows)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--run', type=Path, required=True, help='folder made by train')
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    parser.add_argument('--sounds', type=Path, required=True, help='folder of speech and noise')
    parser.add_argument('--out', type=Path, required=True, help='folder of the result')


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    finetune_study(args.run, data=args.data, sounds=args.sounds, out=args.out)


def _reality(config: SimulateConfig) -> SimulateConfig:
    """Return what stands for reality: another engine, and a bad board in its housing."""
    return replace(
        config,
        seed=2021,
        engine='pyroomacoustics',
        one_board=True,
        gain_db=3.0,
        phase_deg=15.0,
        position=0.002,
        enclosure=0.5,
        rt60_min=0.2,
        rt60_max=0.5,
        snr_min=5.0,
        snr_max=25.0,
        distance_min=0.5,
        distance_max=3.0,
        elevation_max_deg=60.0,
        sources_max=1,
        noise_only=0.0,
        short_sounds=0.0,
        directional_noise=0.0,
        length=4.5,
        lead=1.5,
    )


def _first(recordings: Recordings, count: int) -> Recordings:
    """Return the first recordings."""
    chosen = recordings.data.clip < count
    return Recordings(recordings.data.select(chosen), recordings.groups[chosen])


def _record(
    folder: Path, simulator: Simulator, reality: SimulateConfig, count: int, split: str
) -> None:
    """Write a folder of recordings that one person could make: a few rooms, many directions."""
    rng = np.random.default_rng([reality.seed, SPLITS.index(split)])
    rooms = [draw_scene(rng, reality) for _ in range(_ROOMS)]
    lines = [','.join(LABEL_COLUMNS)]
    for number in tqdm(range(count), desc=f'record {folder.name}', unit='clip'):
        room = f'room{number % _ROOMS}'
        scene = _scene(rng, reality, rooms[number % _ROOMS])
        clip = simulator.clip(rng, scene, room)
        file = folder / room / f'{number:03d}.flac'
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, clip.audio, clip.sampling_frequency, subtype='PCM_24')
        (talker,) = scene.sources
        angles = np.degrees([talker.azimuth, talker.elevation])
        lines.append(
            f'{room}/{file.name},{reality.lead},{reality.length},{angles[0]:.1f},{angles[1]:.1f}'
        )
    (folder / 'labels.csv').write_text('\n'.join(lines) + '\n', encoding='utf-8')


def _scene(rng: np.random.Generator, reality: SimulateConfig, room: Scene) -> Scene:
    """Return another talker in the same room, as seen from the same board."""
    while True:
        drawn = draw_scene(rng, reality)
        scene = replace(drawn, room=room.room, centre=room.centre, heading=room.heading)
        place = scene.position(scene.sources[0])
        if np.all(place >= _MARGIN) and np.all(place <= room.room.size - _MARGIN):
            return scene


def _row(mode: str, seconds: int, real: Accuracy, simulated: Accuracy, step: float) -> Row:
    return {
        'mode': mode,
        'labelled s': seconds,
        **real.cells(),
        **{f'simulated {name}': value for name, value in simulated.cells().items()},
        'step': step,
    }


def _draw(path: Path, rows: list[Row]) -> None:
    from matplotlib.figure import Figure

    table = DataFrame(rows)
    figure = Figure(figsize=(9, 4), layout='constrained')
    for number, error in enumerate(('azimuth MAE [deg]', 'elevation MAE [deg]'), 1):
        axes = figure.add_subplot(1, 2, number, title=error, xlabel='labelled recordings [s]')
        for mode in MODES:
            chosen = table[table['mode'].isin(['before', mode])]
            for domain, style in (('', '-'), ('simulated ', '--')):
                label = f'{mode}, {domain or "other board"}'.rstrip()
                axes.plot(
                    range(len(chosen)), chosen[domain + error], style, marker='o', label=label
                )
            axes.set_xticks(range(len(chosen)), chosen['labelled s'].astype(str))
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
