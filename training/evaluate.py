# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Compare our methods with others' on simulated speech.

20 directions between 0 and 60 degrees of elevation, in an anechoic room at 20 dB and in one of
RT60 0.45 s at 10 dB of diffuse noise, simulated by the image method of pyroomacoustics. All
methods are scored on the same voiced frames. Without --sounds the recordings of the demo are used,
so that anyone gets the same numbers.
"""

from dataclasses import dataclass
import math
from pathlib import Path

import numpy as np
from tqdm import tqdm

from doa_ros.core.classifier import load_card
from doa_ros.core.features import FeatureConfig, FeatureExtractor
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.core.localizer import Localizer, LocalizerConfig
from doa_ros.core.scoring import Score, Scorer, silent_frames, voiced_frames
from doa_ros.resources import config_directory, find_resource

from .material import Material, load_material
from .peers import PEERS, Peer, for_peers, window_before
from .rooms import Clip, Imperfections, Scene, simulate

_DIRECTIONS = 20
_SEED = 7
_LENGTH, _LEAD = 4.5, 1.5
# Peers are slow: they, and we beside them, are scored every 0.25 s.
_EVERY = 5
_HOP = FeatureConfig.hop


@dataclass(frozen=True)
class Condition:
    """A room and a noise level, with the least we ask of ourselves in it."""

    name: str
    rt60: float
    snr: float
    goal_mae_deg: float


CONDITIONS = (
    Condition('anechoic, 20 dB', 0.0, 20.0, 2.5),
    Condition('RT60 0.45 s, 10 dB', 0.45, 10.0, 5.0),
)


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument(
        '--model', action='append', help='name or path of a model; may be given several times'
    )
    parser.add_argument('--array', default='uma8', help='name or path')
    parser.add_argument('--sounds', type=Path, help='folder of speech and noise, split val')
    parser.add_argument('--report', type=Path, help='folder for report.md and errors.png')


def run(args):
    """Simulate, score, print and, on request, write the report."""
    from rich.console import Console
    from rich.table import Table

    array = load_array(find_resource('arrays', args.array))
    models = args.model or ['uma8_reference_int8', 'uma8_reference_float32']
    material = demo_material(array) if args.sounds is None else load_material(
        args.sounds, 'val', array.sampling_frequency
    )
    rows = []
    for condition in CONDITIONS:
        clips = [make_clip(array, material, condition, k) for k in _progress(condition)]
        for method, (free, gated) in score_methods(array, models, clips).items():
            rows.append((condition, method, free, gated))

    goals = '; '.join(f'{c.name}: {c.goal_mae_deg:g}' for c in CONDITIONS)
    table = Table(
        title='Errors in degrees on the same voiced frames',
        caption=f'Goal for the azimuth MAE of the shipped int8 model: {goals}',
    )
    for header in _HEADERS:
        table.add_column(header, justify='left' if header in _HEADERS[:2] else 'right')
    for row in rows:
        table.add_row(*_cells(*row))
    Console(width=140).print(table)
    if args.report is not None:
        _write_report(args.report, rows)


def _progress(condition: Condition):
    return tqdm(range(_DIRECTIONS), desc=f'simulate {condition.name}', unit='clip')


def demo_material(array: MicArray) -> Material:
    """Return the recordings that come with the demo scene."""
    folder = config_directory() / 'scenes'
    files = {'speech': [folder / 'speech.flac'], 'noise': [folder / 'noise.flac']}
    return Material(files, array.sampling_frequency)


def make_clip(array: MicArray, material: Material, condition: Condition, number: int) -> Clip:
    """Simulate one direction of a condition."""
    rng = np.random.default_rng([_SEED, number])
    scene = Scene(
        size=np.array([6.0, 5.0, 3.0]),
        centre=np.array([2.8, 2.3, 1.0]),
        heading=rng.uniform(-math.pi, math.pi),
        # The golden angle spreads any number of directions evenly.
        azimuth=math.remainder(number * math.pi * (3 - math.sqrt(5)), 2 * math.pi),
        elevation=math.radians(60) * number / (_DIRECTIONS - 1),
        distance=1.5,
        rt60=condition.rt60,
        snr=condition.snr,
    )
    rate = array.sampling_frequency
    recording = material.draw('speech', rng)
    speech = np.roll(recording, -int(rng.integers(len(recording))))
    lead = np.zeros(round(_LEAD * rate), dtype=np.float32)
    voice = np.concatenate([lead, np.resize(speech, round((_LENGTH - _LEAD) * rate))])
    return simulate(rng, array, scene, voice, material, _HOP, Imperfections())


def score_methods(array: MicArray, models, clips) -> dict[str, tuple[Score, Score]]:
    """Score every method on the same frames.

    Returns:
        Per method, the score when it answers always and when it answers through the gate; the
        peers have none.
    """
    scores = {}
    for model in models:
        path = find_resource('models', model)
        scores[path.stem] = _score_ours(array, 'cnn', path, clips)
    first = find_resource('models', models[0])
    scores['SRP-PHAT on our features'] = _score_ours(array, 'srp_phat', first, clips)
    for name, algorithm in PEERS.items():
        score = _score_peer(Peer(algorithm, array), array, clips)
        scores[name] = score, score
    return scores


def _score_ours(array: MicArray, method: str, model: Path, clips) -> tuple[Score, Score]:
    features = load_card(model).features
    least = LocalizerConfig().least_confidence
    localizer = Localizer(array, features, LocalizerConfig(method, sensitivity=1.0), model)
    free, gated = Scorer(), Scorer()
    block = round(_HOP * array.sampling_frequency)
    for clip in clips:
        labels = _labels(clip)
        for frame in FeatureExtractor(array, features).push(0, clip.audio):
            number = frame.hop_index // block
            if number not in labels:
                continue
            estimates = localizer.locate(frame).estimates
            heard = [e for e in estimates if e.confidence >= least]
            for scorer, given in ((free, estimates), (gated, heard)):
                scorer.add(given, clip.scene.azimuth, clip.scene.elevation, **labels[number])
    return free.score(), gated.score()


def _score_peer(peer: Peer, array: MicArray, clips) -> Score:
    scorer = Scorer()
    for clip in clips:
        audio = for_peers(clip.audio, array.sampling_frequency)
        for number, label in _labels(clip).items():
            estimate = peer.locate(window_before(audio, (number + 1) * _HOP))
            scorer.add([estimate], clip.scene.azimuth, clip.scene.elevation, **label)
    return scorer.score()


def _labels(clip: Clip) -> dict[int, dict[str, bool]]:
    """Return whether the scored blocks are voiced or silent, by number of the block."""
    voiced, silent = voiced_frames(clip.active), silent_frames(clip.active, _HOP)
    # From 0.5 s on, the peers' windows are whole.
    return {
        k: {'voiced': bool(voiced[k]), 'silent': bool(silent[k])}
        for k in range(9, len(voiced), _EVERY)
    }


_HEADERS = (
    'condition',
    'method',
    'azimuth MAE',
    'elevation MAE',
    'within 10 deg',
    'answered',
    'azimuth MAE of these',
    'silence answered',
)


def _cells(condition: Condition, method: str, free: Score, gated: Score) -> list[str]:
    return [
        condition.name,
        method,
        f'{free.azimuth_mae_deg:.1f}',
        f'{free.elevation_mae_deg:.1f}',
        f'{free.within_10:.3f}',
        f'{gated.answered:.2f}',
        f'{gated.azimuth_mae_deg:.1f}',
        f'{gated.silence_answered:.3f}',
    ]


def _write_report(folder: Path, rows):
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    lines = ['| ' + ' | '.join(_HEADERS) + ' |', '|' + ' --- |' * len(_HEADERS)]
    lines += ['| ' + ' | '.join(_cells(*row)) + ' |' for row in rows]
    (folder / 'report.md').write_text('\n'.join(lines) + '\n', encoding='utf-8')

    methods = list(dict.fromkeys(row[1] for row in rows))
    figure = Figure(figsize=(9, 4), layout='constrained')
    places = np.arange(len(methods))
    for panel, (title, value) in enumerate(
        (
            ('azimuth MAE [deg]', lambda score: score.azimuth_mae_deg),
            ('elevation MAE [deg]', lambda score: score.elevation_mae_deg),
        )
    ):
        axes = figure.add_subplot(1, 2, panel + 1, title=title)
        for k, condition in enumerate(CONDITIONS):
            heights = [value(row[2]) for row in rows if row[0] is condition]
            axes.barh(places + 0.4 * k, heights, height=0.38, label=condition.name)
        labels = methods if panel == 0 else [''] * len(methods)
        axes.set_yticks(places + 0.2, labels)
        axes.invert_yaxis()
        axes.legend()
        axes.grid(axis='x', alpha=0.3)
    figure.savefig(folder / 'errors.png', dpi=120)
