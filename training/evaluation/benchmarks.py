# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks: which methods are compared in which scenes, by which metrics."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

from pandas import DataFrame, concat

from doa_ros.core.array_file import load_array
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.compatibility import adapted_array, default_features
from doa_ros.core.localization.model_card import load_card
from doa_ros.resources import DEFAULT_MODEL, find_resource

from ..data.clips import Clip
from ..data.recordings import load_recordings
from ..deployment.costs import feature_cost, measure_cost, separation_cost
from ..sections import SimulateConfig
from ..simulation.corpus import Corpus, load_corpus
from ..splits import TEST
from .methods.baselines import (
    multi_source_baselines,
    single_source_baselines,
    tracking_baselines,
)
from .methods.inputs import BASELINE_RATE
from .methods.localizer import (
    DEFAULT_SENSITIVITY,
    LocalizerTracks,
    TracksAsEstimates,
    UntrackedEstimates,
    localizer_methods,
)
from .methods.method import DirectionMethod, TrackingMethod
from .methods.separation import separation_methods
from .metrics.multi_source import collect_matches
from .metrics.separation import collect_separation
from .metrics.short_sounds import collect_short_sounds, short_sound_notes
from .metrics.single_source.answers import collect_answers
from .metrics.tracking import collect_tracks
from .metrics.world import collect_world
from .report.figure_tables import Goals
from .report.multi_source import multi_source_report
from .report.report import Report
from .report.single_source import single_source_report
from .report.tracking import tracking_report
from .report.voices import voices_report
from .report.world import world_report
from .scenes.conditions import CONDITIONS, DIFFICULTIES
from .scenes.heard import CONVERSATION, SHORT_SOUNDS
from .scenes.rooms import (
    demo_corpus,
    fixed_clips,
    random_clips,
    room_clips,
    with_dead_microphones,
)
from .scenes.trajectories import noise_clips, tracking_goals, trajectory_clips
from .scenes.voices import goals as voices_goals
from .scenes.voices import voices_clips
from .scenes.world import FAMILIES
from .scenes.world.clips import situation_clips
from .scenes.world.situation import Situation

_ROOMS = 40
_TALKERS = 2
_NOISE_MINUTES = 10.0


@dataclass(frozen=True)
class Setup:
    """What all benchmarks have in common.

    Attributes:
        array: the microphones, with z pointing up.
        models: the .tflite files to compare, with their cards beside them.
        baselines: whether methods of others are compared, too.
        sounds: folder of speech and noise; None for the recordings of the demo.
        split: of the sounds.
        scenes: how many random scenes of each kind; None for 40.
        engine: of SimulateConfig; None for that of the benchmark.
        dead: how many microphones are silent in each clip.
    """

    array: MicArray
    models: Sequence[Path]
    baselines: bool = True
    sounds: Path | None = None
    split: str = 'val'
    scenes: int | None = None
    engine: str | None = None
    dead: int = 0

    def corpus(self, rate: int) -> Corpus:
        """Return the sounds at a rate [Hz]."""
        if self.sounds is None:
            return demo_corpus(rate)
        return load_corpus(self.sounds, self.split, rate)

    def drawn_from(
        self, array: MicArray, engine: str = 'pyroomacoustics'
    ) -> tuple[MicArray, Corpus, str, int, str]:
        """Return array, sounds, split, number and engine of random rooms.

        Args:
            array: the microphones, at the rate that is simulated.
            engine: where none is asked for.
        """
        corpus = self.corpus(array.sampling_frequency)
        split = TEST if self.sounds is None else self.split
        return array, corpus, split, self.scenes or _ROOMS, self.engine or engine


def fixed_directions(setup: Setup) -> Report:
    """Compare methods in one room: 20 directions, anechoic and reverberant."""
    clips = fixed_clips(setup.array, setup.corpus(setup.array.sampling_frequency))
    goals = '; '.join(f'{c.name}: {c.goal_mae_deg:g} deg' for c in CONDITIONS)
    shipped = any(path.stem == DEFAULT_MODEL for path in setup.models)
    note = f'Goal for the azimuth MAE of the shipped int8 model: {goals}.'
    return _compare_directions(setup, clips, notes=[note] if shipped else [])


def rooms(setup: Setup) -> Report:
    """Compare methods in random rooms with one talker, and with short sounds."""
    drawn = setup.drawn_from(setup.array)
    short_sounds = room_clips(*drawn, heard=SHORT_SOUNDS)
    goals = {d.name: asdict(d.goals) for d in DIFFICULTIES}
    return _compare_directions(setup, room_clips(*drawn), goals=goals, short_sounds=short_sounds)


def random_scenes(setup: Setup, config: SimulateConfig) -> Report:
    """Compare methods in random scenes.

    Args:
        setup: with a number of scenes.
        config: what they are drawn from.
    """
    config = replace(config, engine=setup.engine or config.engine)
    corpus = setup.corpus(config.sampling_frequency)
    return _compare_directions(
        setup, random_clips(setup.array, config, corpus, setup.scenes or _ROOMS)
    )


def recordings(setup: Setup, folder: Path) -> Report:
    """Compare methods in labelled recordings: see `data/recordings.py`."""
    features = default_features(setup.array, setup.models[0] if setup.models else None)
    clips = (('recordings', clip) for clip in load_recordings(folder, setup.array, features))
    return _compare_directions(setup, clips)


def conversations(setup: Setup) -> Report:
    """Compare methods in random rooms with two talkers who speak and pause."""
    others, notes = multi_source_baselines(setup.array, _TALKERS) if setup.baselines else ([], [])
    ours = localizer_methods(setup.array, setup.models, DEFAULT_SENSITIVITY)
    clips = room_clips(*setup.drawn_from(setup.array), heard=CONVERSATION)
    matches = collect_matches(
        setup.array, [*ours, *others], with_dead_microphones(clips, setup.dead)
    )
    return multi_source_report(
        matches,
        goals={d.name: asdict(d.multi_source_goals) for d in DIFFICULTIES},
        notes=[*notes, *_failures(others)],
    )


def trajectories(setup: Setup) -> Report:
    """Compare methods in random rooms with talkers who walk, and in noise alone."""
    others, notes = tracking_baselines(setup.array) if setup.baselines else ([], [])
    ours = localizer_methods(setup.array, setup.models, DEFAULT_SENSITIVITY)
    methods: list[TrackingMethod] = [
        *map(LocalizerTracks, ours),
        *map(UntrackedEstimates, ours),
        *others,
    ]
    # Nothing of what is heard lies above half of this rate, and walks take time to simulate.
    array = replace(setup.array, sampling_frequency=BASELINE_RATE)
    _, corpus, split, count, engine = drawn = setup.drawn_from(array, 'fast')
    clips = chain(
        trajectory_clips(*drawn), noise_clips(array, corpus, split, _NOISE_MINUTES, engine)
    )
    matches, traces = collect_tracks(array, methods, with_dead_microphones(clips, setup.dead))
    return tracking_report(matches, traces, goals=tracking_goals(), notes=notes)


def voices(setup: Setup) -> Report:
    """Compare the separated sounds of talkers with what they say."""
    array = replace(setup.array, sampling_frequency=BASELINE_RATE)
    localizers = localizer_methods(array, setup.models, DEFAULT_SENSITIVITY)
    methods = separation_methods(array, localizers[: len(setup.models)] or localizers)
    clips = with_dead_microphones(voices_clips(*setup.drawn_from(array, 'fast')), setup.dead)
    return voices_report(
        collect_separation(methods, clips),
        goals=voices_goals(),
        notes=[_separation_cost(setup.array, talkers) for talkers in (1, 3)],
    )


def world(setup: Setup) -> Report:
    """Compare methods in scenes of many kinds; all estimates and the tracks count."""
    notes: dict[str, None] = {}
    situations = [situation for family in FAMILIES for situation in family.situations]
    matches = [_compare_in_situation(setup, situation, notes) for situation in situations]
    return world_report(concat(matches, ignore_index=True), FAMILIES, notes=list(notes))


def _compare_in_situation(setup: Setup, situation: Situation, notes: dict[str, None]) -> DataFrame:
    """Return what is found in a situation; what readers should know becomes a key of the notes."""
    array, models = setup.array, setup.models
    if situation.array:
        array = load_array(find_resource('arrays', situation.array)).unmounted()
        models = [path for path in models if load_card(path).array is None]
    # Nothing of what is heard lies above half of this rate.
    array = replace(array, sampling_frequency=BASELINE_RATE)
    others, left_out = (
        multi_source_baselines(array, situation.directions) if setup.baselines else ([], [])
    )
    ours = localizer_methods(array, models, DEFAULT_SENSITIVITY)
    array, corpus, split, count, engine = setup.drawn_from(array, 'fast')
    clips = situation_clips(array, situation, corpus, split, count, engine)
    found = collect_world(
        array,
        [*ours, *map(TracksAsEstimates, ours), *others],
        with_dead_microphones(clips, setup.dead),
        situation.noise_begin,
    )
    notes.update(dict.fromkeys([*left_out, *_failures(others)]))
    return found


def _compare_directions(
    setup: Setup,
    clips: Iterator[tuple[str, Clip]],
    *,
    goals: Goals | None = None,
    notes: Sequence[str] = (),
    short_sounds: Iterator[tuple[str, Clip]] | None = None,
) -> Report:
    """Compare methods in clips of one source each."""
    others, left_out = single_source_baselines(setup.array) if setup.baselines else ([], [])
    ours = localizer_methods(setup.array, setup.models)
    answers = collect_answers(
        setup.array, [*ours, *others], with_dead_microphones(clips, setup.dead)
    )
    notes = [*left_out, *_failures(others), *notes]
    if short_sounds is not None:
        short_sounds = with_dead_microphones(short_sounds, setup.dead)
        notes += short_sound_notes(collect_short_sounds(setup.array, ours, short_sounds))
    for path in setup.models:
        notes += _model_notes(setup.array, path)
    return single_source_report(
        answers,
        costs={path.stem: measure_cost(path) for path in setup.models},
        goals=goals or {},
        notes=notes,
    )


def _failures(methods: Iterable[DirectionMethod]) -> list[str]:
    return [
        f'{method.name} failed numerically on {method.failures} windows; they count as unanswered.'
        for method in methods
        if method.failures
    ]


def _separation_cost(array: MicArray, tracks: int) -> str:
    rate = array.sampling_frequency
    return (
        f'Separation of {tracks} track{"s" * (tracks > 1)} at {rate} Hz: '
        f'{separation_cost(array, tracks):.4f} CPU s per s of audio.'
    )


def _model_notes(array: MicArray, path: Path) -> list[str]:
    """Return what the features of a model cost, and how its array differs from the one given."""
    known, difference = adapted_array(array, path)
    cost = feature_cost(known, default_features(known, path))
    notes = [f'Features of {path.stem}: {cost:.4f} CPU s per s of audio.']
    return [*notes, f'{path.stem}: {difference}.'] if difference else notes
