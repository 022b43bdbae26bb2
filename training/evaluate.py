# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Compare our methods with others' on exactly the same frames.

Without further options: 20 directions between 0 and 60 degrees of elevation, in an anechoic room
at 20 dB and in one of RT60 0.45 s at 10 dB of diffuse noise, simulated by the image method of
pyroomacoustics with the recordings of the demo, so that anyone gets the same numbers.

  --bench rooms                 random rooms at three levels of difficulty, with our goals in them:
                                5 s of speech amid 3 s of noise; 40 rooms each, or --scenes N
  --scenes N --settings NAME    N random scenes as the settings draw them, none of simulate's
  --recordings FOLDER           labelled recordings, see training/examples/recordings.py

--dead N silences N microphones, others in each clip: what is left when they are broken.

--sounds replaces the recordings of the demo by a split of a folder, val or, with --split, test:
decide on val, report on test. Every --model is a line
of the tables; --report writes report.md, report.html, plots, results.csv and all frames.

The best guess of every method is scored over the voiced frames; unanswered frames and answers in
silence are those of its own gate. Of several sources the one nearest to the guess is the truth.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from doa_ros.core.classifier import load_card
from doa_ros.core.decoding import Estimate
from doa_ros.core.errors import ConfigError
from doa_ros.core.features import FeatureConfig
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.core.localizer import Localizer, LocalizerConfig
from doa_ros.resources import find_resource

from .examples.clips import Clip
from .examples.recordings import load_recordings
from .rooms.material import TEST, Material, load_material
from .scores.benchmark import (
    CONDITIONS,
    DIFFICULTIES,
    demo_material,
    fixed_clips,
    random_clips,
    room_clips,
    with_dead_microphones,
)
from .scores.claps import score_claps
from .scores.frames import AZIMUTH_CLASSES, Listening, collect
from .scores.peers import make_peers
from .scores.report import Report, print_report, write_report
from .scores.statistics import groups
from .scores.variants import measure_cost
from .settings import load_settings

_ROOMS = 40
_MODELS = ('uma8_rooms_int8', 'uma8_reference_int8')


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument(
        '--model', action='append', help='name or path of a model; may be given several times'
    )
    parser.add_argument('--array', default='uma8', help='name or path')
    parser.add_argument('--bench', choices=('fixed', 'rooms'), default='fixed')
    parser.add_argument('--sounds', type=Path, help='folder of speech and noise')
    parser.add_argument('--split', choices=('val', TEST), default='val', help='of the sounds')
    parser.add_argument(
        '--scenes', type=int, help='how many random scenes; needs --settings or --bench rooms'
    )
    parser.add_argument('--settings', help='name or path of training settings')
    parser.add_argument(
        '--engine', choices=('fast', 'pyroomacoustics'), help='instead of that of the settings'
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
    rooms = args.bench == 'rooms'
    if rooms and (args.recordings or args.settings):
        raise ConfigError('--bench rooms excludes --recordings and --settings')
    if args.scenes is not None and (not (args.settings or rooms) or args.scenes < 1):
        raise ConfigError('--scenes needs a positive number, and --settings or --bench rooms')
    if args.scenes is None and (args.settings or (args.engine and not rooms)):
        raise ConfigError('--settings and --engine are for random scenes: give --scenes, too')
    # Directions are labelled, and networks trained, in the frame of the board.
    array = replace(load_array(find_resource('arrays', args.array)), face_down=False)
    most = len(array.positions) - 2
    if not 0 <= args.dead <= most:
        raise ConfigError(f'--dead must lie in 0..{most}: an array needs two microphones')
    paths = [find_resource('models', name) for name in args.model or _MODELS]
    peers, notes = ([], []) if args.no_peers else make_peers(array)
    features = load_card(paths[0]).features
    clips = with_dead_microphones(_clips(args, array, features), args.dead)
    ours = our_methods(array, paths)
    frames = collect(array, [*ours, *peers], clips)
    notes += [
        f'{peer.name} failed numerically on {peer.failures} frames, which count as unanswered.'
        for peer in peers
        if peer.failures
    ]
    fixed = not rooms and args.recordings is None and args.scenes is None
    if fixed and _MODELS[0] in frames.method:
        goals = '; '.join(f'{c.name}: {c.goal_mae_deg:g} deg' for c in CONDITIONS)
        notes.append(f'Goal for the azimuth MAE of the shipped int8 model: {goals}.')
    if rooms:
        notes += _clap_notes(args, array, ours)
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
            array, config, _material(args, config.sampling_frequency), args.scenes
        )
    else:
        yield from fixed_clips(array, _material(args, array.sampling_frequency))


def _room_clips(args, array: MicArray, *, heard: str = 'speech') -> Iterator[tuple[str, Clip]]:
    return room_clips(
        array,
        _material(args, array.sampling_frequency),
        TEST if args.sounds is None else args.split,
        args.scenes or _ROOMS,
        args.engine or 'pyroomacoustics',
        heard=heard,
    )


def _material(args, rate: int) -> Material:
    if args.sounds is None:
        return demo_material(rate)
    return load_material(args.sounds, args.split, rate)


class Ours:
    """A method of `Localizer`, as the nodes run it.

    Args:
        name: for people.
        array: the microphones.
        features: the settings of its features.
        method: of LocalizerConfig.
        model: of method cnn.
    """

    least_confidence = LocalizerConfig().least_confidence
    failures = 0

    def __init__(
        self,
        name: str,
        array: MicArray,
        features: FeatureConfig,
        method: str,
        model: Path | None = None,
    ):
        self.name = name
        self._features = features
        # Every guess is asked for; what the gate holds back is seen by its confidence.
        config = LocalizerConfig(method, sensitivity=1.0)
        self._localizer = Localizer(array, features, config, model)
        self.azimuth_classes = (
            AZIMUTH_CLASSES if model is None else load_card(model).grid.azimuth_count
        )

    def answer(self, listening: Listening) -> list[Estimate | None]:
        """Return the strongest estimate at every scored frame."""
        estimates = self.follow(listening)
        return [estimates.get(block) for block in listening.blocks]

    def follow(self, listening: Listening) -> dict[int, Estimate]:
        """Return the strongest estimate of every frame, by the block that it ends with."""
        self._localizer.reset()
        return {
            block: self._localizer.locate(frame).estimates[0]
            for block, frame in listening.features(self._features).items()
        }


def our_methods(array: MicArray, models: list[Path]) -> list[Ours]:
    """Return the networks, and SRP-PHAT on the features of the first of them.

    Raises:
        ConfigError: two of the models have the same name.
        ModelError: one does not fit the array.
    """
    if len({path.stem for path in models}) < len(models):
        raise ConfigError('two models have the same file name; rename one to tell them apart')
    ours = [
        Ours(path.stem, array, load_card(path).features, 'cnn', path) for path in models
    ]
    features = load_card(models[0]).features
    return [*ours, Ours('SRP-PHAT on our features', array, features, 'srp_phat')]


def _clap_notes(args, array: MicArray, methods: list[Ours]) -> list[str]:
    """Return what there is to say about claps in the rooms of the benchmark."""
    answers: dict[tuple[str, str], list] = {}
    clips = _room_clips(args, array, heard='claps')
    for condition, clip in with_dead_microphones(clips, args.dead):
        listening = Listening(array, clip)
        for method in methods:
            pair = clip.sources[0], method.follow(listening)
            answers.setdefault((condition, method.name), []).append(pair)
    scores = {key: score_claps(pairs, Ours.least_confidence) for key, pairs in answers.items()}
    return [
        f'{method}, claps in {condition}: {100 * score.right:.1f} % of {score.claps} are found '
        f'within 10 deg and 150 ms, {100 * score.answered:.1f} % answered.'
        for (condition, method), score in scores.items()
    ]
