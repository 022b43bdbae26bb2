# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Compare our methods with others' on exactly the same frames.

Without further options: 20 directions between 0 and 60 degrees of elevation, in an anechoic room
at 20 dB and in one of RT60 0.45 s at 10 dB of diffuse noise, simulated by the image method of
pyroomacoustics with the recordings of the demo, so that anyone gets the same numbers.

  --bench rooms                 random rooms at three levels of difficulty, with our goals in them:
                                5 s of speech amid 3 s of noise; 40 rooms each, or --scenes N
  --bench talkers               such rooms with two talkers who speak and pause, 40 degrees or more
                                apart: all estimates are scored against both
  --bench tracks                talkers who walk around the array, past each other or cross, and 10
                                minutes of noise alone: tracks are scored, and the estimates that
                                they are made of
  --scenes N --settings NAME    N random scenes as the settings draw them, none of simulate's
  --recordings FOLDER           labelled recordings, see training/data/recordings.py

--dead N silences N microphones, others in each clip: what is left when they are broken.
--scale S makes the array S times as large: what a network loses that was trained for another size.

--sounds replaces the recordings of the demo by a split of a folder, val or, with --split, test:
decide on val, report on test. Every --model is a line
of the tables; --report writes report.md, report.html, plots, results.csv and all frames.

Of an array that is not flat and horizontal, SRP-PHAT and the networks of --model are scored: those
that ship and the methods of others do not know such arrays. Truths are as far as the array can
tell them.

The best guess of every method is scored over the voiced frames; unanswered frames and answers in
silence are those of its own gate. Of several sources the one nearest to the guess is the truth.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.extractor import FeatureConfig
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.core.localization.classifier import default_features, suited
from doa_ros.resources import find_resource

from .data.clips import Clip
from .data.recordings import load_recordings
from .deployment.costs import feature_cost, measure_cost
from .evaluation.methods.baselines import (
    multi_source_baselines,
    single_source_baselines,
    tracking_baselines,
)
from .evaluation.methods.inputs import BASELINE_RATE, MethodInput
from .evaluation.methods.localizer import (
    DEFAULT_SENSITIVITY,
    LocalizerMethod,
    LocalizerTracks,
    UntrackedEstimates,
    localizer_methods,
)
from .evaluation.methods.method import DirectionMethod
from .evaluation.metrics.frames import collect
from .evaluation.metrics.multi_source import SET_METRICS, collect_sets
from .evaluation.metrics.ratios import RatioReport, print_ratios, ratio_groups, write_ratios
from .evaluation.metrics.short_sounds import score_short_sounds
from .evaluation.metrics.statistics import groups
from .evaluation.metrics.tracking import TRACK_METRICS, Trace, collect_tracks
from .evaluation.report.multi_source_figures import draw_found_and_spurious
from .evaluation.report.report import Report, print_report, write_report
from .evaluation.report.track_figures import draw_traces
from .evaluation.scenes.conditions import CONDITIONS, DIFFICULTIES
from .evaluation.scenes.conversations import conversation_clips
from .evaluation.scenes.rooms import (
    demo_corpus,
    fixed_clips,
    random_clips,
    room_clips,
    with_dead_microphones,
)
from .evaluation.scenes.trajectories import noise_clips, tracking_goals, trajectory_clips
from .settings import load_settings
from .simulation.corpus import TEST, Corpus, load_corpus

_ROOMS = 40
_MODELS = ('uma8_rooms_int8', 'uma8_reference_int8')
# Where there are several talkers, or one who walks.
_MODELS_OF_SEVERAL = ('uma8_several_int8', 'uma8_rooms_int8')
# Benchmarks of random scenes that need no settings.
_RANDOM = ('rooms', 'talkers', 'tracks')
_TALKERS = 2
_NOISE_MINUTES = 10.0


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument(
        '--model', action='append', help='name or path of a model; may be given several times'
    )
    parser.add_argument('--array', default='uma8', help='name or path')
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
        '--no-peers', action='store_true', help='only our methods, which is much faster'
    )
    parser.add_argument('--report', type=Path, help='folder for the report')


def run(args):
    """Collect the answers, print the tables and, on request, write the report."""
    if args.recordings is not None and args.scenes is not None:
        raise ConfigError('--recordings and --scenes exclude each other')
    random = args.bench in _RANDOM
    if random and (args.recordings or args.settings):
        raise ConfigError(f'--bench {args.bench} excludes --recordings and --settings')
    if args.scenes is not None and (not (args.settings or random) or args.scenes < 1):
        raise ConfigError('--scenes needs a positive number, and --settings or such a --bench')
    if args.scenes is None and (args.settings or (args.engine and not random)):
        raise ConfigError('--settings and --engine are for random scenes: give --scenes, too')
    # Directions are labelled, and networks trained, in the frame of the board.
    array = load_array(find_resource('arrays', args.array)).unmounted()
    if not 0.5 <= args.scale <= 2:
        raise ConfigError(f'--scale must lie in 0.5..2, not {args.scale:g}')
    if args.scale != 1:
        array = replace(array, positions=args.scale * array.positions)
    most = len(array.positions) - 2
    if not 0 <= args.dead <= most:
        raise ConfigError(f'--dead must lie in 0..{most}: an array needs two microphones')
    shipped = _MODELS_OF_SEVERAL if args.bench in ('talkers', 'tracks') else _MODELS
    if not ambiguity_of(array).horizontal:
        shipped, args.no_peers = (), True
    paths = [find_resource('models', name) for name in args.model or shipped]
    runs = {'talkers': _run_talkers, 'tracks': _run_tracks}
    runs.get(args.bench, _run_frames)(args, array, paths)


def _run_talkers(args, array: MicArray, paths: list[Path]):
    baselines, notes = ([], []) if args.no_peers else multi_source_baselines(array, _TALKERS)
    drawn = _drawn_from(args, array.sampling_frequency)
    clips = with_dead_microphones(conversation_clips(array, *drawn), args.dead)
    sets = collect_sets(
        array, [*localizer_methods(array, paths, DEFAULT_SENSITIVITY), *baselines], clips
    )
    report = RatioReport(
        table=sets,
        groups=tuple(ratio_groups(sets, SET_METRICS)),
        metrics=SET_METRICS,
        goals={d.name: asdict(d.multi_source_goals) for d in DIFFICULTIES},
        notes=(*notes, *_failures(baselines)),
    )
    print_ratios(report)
    if args.report is not None:
        write_ratios(args.report, report, draw_found_and_spurious(report))


def _run_tracks(args, array: MicArray, paths: list[Path]):
    odas, notes = ([], []) if args.no_peers else tracking_baselines(array)
    ours = localizer_methods(array, paths, DEFAULT_SENSITIVITY)
    methods = [*map(LocalizerTracks, ours), *map(UntrackedEstimates, ours), *odas]
    # Nothing of what is heard lies above half of this rate, and walks take time to simulate.
    array = replace(array, sampling_frequency=BASELINE_RATE)
    corpus, split, count, engine = _drawn_from(args, BASELINE_RATE, 'fast')
    clips = chain(
        trajectory_clips(array, corpus, split, count, engine),
        noise_clips(array, corpus, split, _NOISE_MINUTES, engine),
    )
    traces: list[Trace] = []
    tracks = collect_tracks(array, methods, with_dead_microphones(clips, args.dead), traces)
    report = RatioReport(
        table=tracks,
        groups=tuple(ratio_groups(tracks, TRACK_METRICS)),
        metrics=TRACK_METRICS,
        goals=tracking_goals(),
        notes=notes,
    )
    print_ratios(report)
    if args.report is not None:
        write_ratios(args.report, report, draw_traces(traces))


def _run_frames(args, array: MicArray, paths: list[Path]):
    rooms = args.bench == 'rooms'
    baselines, notes = ([], []) if args.no_peers else single_source_baselines(array)
    features = default_features(array, paths[0] if paths else None)
    clips = with_dead_microphones(_clips(args, array, features), args.dead)
    ours = localizer_methods(array, paths)
    frames = collect(array, [*ours, *baselines], clips)
    notes += _failures(baselines)
    fixed = not rooms and args.recordings is None and args.scenes is None
    if fixed and _MODELS[0] in frames.method:
        goals = '; '.join(f'{c.name}: {c.goal_mae_deg:g} deg' for c in CONDITIONS)
        notes.append(f'Goal for the azimuth MAE of the shipped int8 model: {goals}.')
    if rooms:
        notes += _short_sound_notes(args, array, ours)
    for path in paths:
        known, difference = suited(array, path)
        cost = feature_cost(known, default_features(known, path))
        notes.append(f'Features of {path.stem}: {cost:.4f} CPU s per s of audio.')
        notes += [f'{path.stem}: {difference}.'] * bool(difference)
    report = Report(
        frames=frames,
        groups=tuple(groups(frames)),
        costs={path.stem: measure_cost(path) for path in paths},
        notes=tuple(notes),
        goals={d.name: asdict(d.goals) for d in DIFFICULTIES} if rooms else {},
    )
    print_report(report)
    if args.report is not None:
        write_report(args.report, report)


def _clips(args, array: MicArray, features: FeatureConfig) -> Iterator[tuple[str, Clip]]:
    if args.recordings is not None:
        for clip in load_recordings(args.recordings, array, features):
            yield 'recordings', clip
    elif args.bench == 'rooms':
        yield from _room_clips(args, array)
    elif args.scenes is not None:
        config = load_settings(find_resource('training', args.settings)).simulate
        config = replace(config, engine=args.engine or config.engine)
        yield from random_clips(
            array, config, _corpus(args, config.sampling_frequency), args.scenes
        )
    else:
        yield from fixed_clips(array, _corpus(args, array.sampling_frequency))


def _room_clips(args, array: MicArray, *, heard: str = 'speech') -> Iterator[tuple[str, Clip]]:
    return room_clips(array, *_drawn_from(args, array.sampling_frequency), heard=heard)


def _drawn_from(args, rate: int, engine: str = 'pyroomacoustics') -> tuple[Corpus, str, int, str]:
    """Return the sounds, their split, the number of rooms and the engine of a benchmark.

    Args:
        args: of the command line.
        rate: of the sounds [Hz].
        engine: where none is asked for.
    """
    return (
        _corpus(args, rate),
        TEST if args.sounds is None else args.split,
        args.scenes or _ROOMS,
        args.engine or engine,
    )


def _failures(methods: Iterable[DirectionMethod]) -> list[str]:
    return [
        f'{method.name} failed numerically on {method.failures} frames, which count as unanswered.'
        for method in methods
        if method.failures
    ]


def _corpus(args, rate: int) -> Corpus:
    if args.sounds is None:
        return demo_corpus(rate)
    return load_corpus(args.sounds, args.split, rate)


def _short_sound_notes(args, array: MicArray, methods: list[LocalizerMethod]) -> list[str]:
    """Return what there is to say about short sounds in the rooms of the benchmark."""
    answers: dict[tuple[str, str], list] = {}
    clips = _room_clips(args, array, heard='short_sounds')
    for condition, clip in with_dead_microphones(clips, args.dead):
        inputs = MethodInput(array, clip)
        for method in methods:
            found = method.localizations(inputs).items()
            pair = clip.sources[0], {block: heard.estimates for block, heard in found}
            answers.setdefault((condition, method.name), []).append(pair)
    scores = {
        key: score_short_sounds(pairs, LocalizerMethod.least_confidence)
        for key, pairs in answers.items()
    }
    return [
        f'{method}, short sounds in {condition}: {100 * score.right:.1f} % of {score.count} are '
        f'found within 10 deg and 150 ms, {100 * score.answered:.1f} % answered.'
        for (condition, method), score in scores.items()
    ]
