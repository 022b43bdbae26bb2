# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Compare our methods with those of others on the same sound.

Without further options, a talker speaks from 20 directions between 0 and 60 degrees of elevation,
in an anechoic room at 20 dB and in a room of RT60 0.45 s at 10 dB of diffuse noise. The image
method of pyroomacoustics simulates it with the recordings of the demo, so that everybody gets the
same numbers.

  --bench rooms                 random rooms at three levels of difficulty, with our goals:
                                5 s of speech amid 3 s of noise; 40 rooms each, or --scenes N
  --bench talkers               such rooms with two talkers who speak and pause, 40 degrees or more
                                apart: all estimates are compared with both
  --bench tracks                talkers who walk around the array, past another who stays, or past
                                each other, and 10 minutes of noise alone: tracks are compared
                                with the talkers, and so are the estimates that tracks are made of
  --bench world                 scenes of many kinds that training draws seldom or never: noise
                                from one direction, reflections taken for talkers, music, halls
                                and others; all estimates and all tracks are compared
  --bench voices                two talkers at a time, one beside noise and one alone: what is
                                separated of each is compared with what they say
  --scenes N --settings NAME    N random scenes of the settings, none of which simulate draws
  --recordings FOLDER           labelled recordings, see training/data/recordings.py

--dead N silences N microphones, other ones in each clip. It shows how methods do with broken ones.
--scale S makes the array S times as large. It shows how networks do that were trained for another
size.

--sounds takes the sounds from a folder instead of the demo: from its split val or, with --split,
from its split test. Decide on val, report on test.

Every --model is a line of the tables. --report writes report.md, report.html, plots, results.csv
and answers.npz, the table that all figures are made of.

Every 0.25 s, the best guess of every method is compared with the talker. If several talk, the one
nearest to the guess counts. Errors are those of all guesses while somebody talks. A method leaves
a guess unanswered, or answers in silence, by its own threshold.

The methods of others are made for flat, horizontal arrays, and so are the shipped networks but
those for every array. With another array, SRP-PHAT and the networks that fit it or are named by
--model are compared. The true directions are folded to those
that the array can tell apart.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
import math
from pathlib import Path

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.array_file import load_array
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.network_choice import find_network
from doa_ros.resources import DEFAULT_ARRAY, DEFAULT_MODEL, find_resource

from .evaluation import benchmarks
from .evaluation.report.report import Report, print_report, write_report
from .settings import load_settings
from .splits import TEST

_MODELS = (DEFAULT_MODEL, 'uma8_reference_int8')
# Where several talk, or one walks.
_MULTI_SOURCE = ('talkers', 'tracks', 'world')
_MULTI_SOURCE_MODELS = ('uma8_several_int8', DEFAULT_MODEL)
# Benchmarks of random scenes that need no settings.
_RANDOM = {
    'rooms': benchmarks.rooms,
    'talkers': benchmarks.conversations,
    'tracks': benchmarks.trajectories,
    'world': benchmarks.world,
    'voices': benchmarks.voices,
}


def evaluate(
    array: str = DEFAULT_ARRAY,
    *,
    models: Sequence[str | Path] = (),
    bench: str = 'fixed',
    scenes: int | None = None,
    settings: str | None = None,
    engine: str | None = None,
    recordings: Path | None = None,
    sounds: Path | None = None,
    split: str = 'val',
    scale: float = 1.0,
    dead: int = 0,
    baselines: bool = True,
    out: Path | None = None,
) -> Report:
    """Compare methods, print the tables and, where there is a folder, write the report.

    Args:
        array: name or path.
        models: names or paths; without any the shipped ones that suit the benchmark.
        bench: 'fixed', 'rooms', 'talkers', 'tracks', 'world' or 'voices'.
        scenes: how many random scenes of each kind; needs `settings` or such a `bench`.
        settings: name or path of training settings that random scenes are drawn from.
        engine: of SimulateConfig, instead of that of the benchmark or the settings.
        recordings: folder of labelled recordings.
        sounds: folder of speech and noise, instead of the recordings of the demo.
        split: of the sounds: 'val' or 'test'.
        scale: how much larger the array is than its file says.
        dead: how many microphones are silent.
        baselines: whether methods of others are compared, too.
        out: folder for the report.

    Raises:
        ConfigError: options do not go together, or a file cannot be used.
        ModelError: a model does not fit the array.
        AudioError: a recording cannot be read.
    """
    if recordings is not None and scenes is not None:
        raise ConfigError('--recordings and --scenes exclude each other')
    if bench in _RANDOM and (recordings or settings):
        raise ConfigError(f'--bench {bench} excludes --recordings and --settings')
    if scenes is not None and (not (settings or bench in _RANDOM) or scenes < 1):
        raise ConfigError('--scenes needs a positive number, and --settings or such a --bench')
    if scenes is None and (settings or (engine and bench not in _RANDOM)):
        raise ConfigError('--settings and --engine are for random scenes: give --scenes, too')
    microphones = _scaled(array, scale)
    most = len(microphones.positions) - 2
    if not 0 <= dead <= most:
        raise ConfigError(f'--dead must lie in 0..{most}: an array needs two microphones')
    flat = ambiguity_of(microphones).horizontal
    names = models or _default_models(microphones, bench)
    setup = benchmarks.Setup(
        microphones,
        [find_resource('models', str(name)) for name in names],
        baselines=baselines and flat,
        sounds=sounds,
        split=split,
        scenes=scenes,
        engine=engine,
        dead=dead,
    )
    if bench in _RANDOM:
        report = _RANDOM[bench](setup)
    elif recordings is not None:
        report = benchmarks.recordings(setup, recordings)
    elif settings is not None:
        config = load_settings(find_resource('training', settings)).simulate
        report = benchmarks.random_scenes(setup, config)
    else:
        report = benchmarks.fixed_directions(setup)
    print_report(report)
    if out is not None:
        write_report(out, report)
    return report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        '--model', action='append', help='name or path of a model; may be given several times'
    )
    parser.add_argument('--array', default=DEFAULT_ARRAY, help='name or path')
    parser.add_argument('--bench', choices=('fixed', *_RANDOM), default='fixed')
    parser.add_argument('--sounds', type=Path, help='folder of speech and noise')
    parser.add_argument('--split', choices=('val', TEST), default='val', help='of the sounds')
    parser.add_argument(
        '--scenes', type=int, help='how many random scenes; needs --settings or such a --bench'
    )
    parser.add_argument('--settings', help='name or path of training settings')
    parser.add_argument(
        '--engine', choices=('fast', 'pyroomacoustics'), help='instead of that of the settings'
    )
    parser.add_argument(
        '--scale', type=float, default=1.0, help='how much larger the array is than its file says'
    )
    parser.add_argument('--dead', type=int, default=0, help='how many microphones are silent')
    parser.add_argument('--recordings', type=Path, help='folder of labelled recordings')
    parser.add_argument(
        '--no-baselines', action='store_true', help='only our methods, which is much faster'
    )
    parser.add_argument('--no-peers', action='store_true', help=argparse.SUPPRESS)
    parser.add_argument('--report', type=Path, help='folder for the report')


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    if args.no_peers:
        raise ConfigError('--no-peers is called --no-baselines now')
    evaluate(
        args.array,
        models=args.model or (),
        bench=args.bench,
        scenes=args.scenes,
        settings=args.settings,
        engine=args.engine,
        recordings=args.recordings,
        sounds=args.sounds,
        split=args.split,
        scale=args.scale,
        dead=args.dead,
        baselines=not args.no_baselines,
        out=args.report,
    )


def _default_models(array: MicArray, bench: str) -> Sequence[str]:
    """Return the shipped models that suit an array and a benchmark."""
    ambiguity = ambiguity_of(array)
    if math.isnan(ambiguity.elevation_min):
        return ()
    network = find_network(DEFAULT_MODEL, array).stem
    if network != DEFAULT_MODEL:
        return (network,)
    if not ambiguity.horizontal:
        return ()
    if bench == 'voices':
        # Each model would have to separate all clips twice.
        return _MULTI_SOURCE_MODELS[:1]
    return _MULTI_SOURCE_MODELS if bench in _MULTI_SOURCE else _MODELS


def _scaled(name: str, scale: float) -> MicArray:
    """Return an array, as many times as large, in the frame that directions are labelled in."""
    if not 0.5 <= scale <= 2:
        raise ConfigError(f'--scale must lie in 0.5..2, not {scale:g}')
    array = load_array(find_resource('arrays', name)).unmounted()
    return replace(array, positions=scale * array.positions) if scale != 1 else array
