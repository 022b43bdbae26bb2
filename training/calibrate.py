# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fit the HMM filter and the calibration of a model.

Takes a model with an activity output, as quantize makes it of settings with `train: {outputs:
[azimuth, elevation, activity]}`, runs it in rooms of the benchmark (evaluate --bench rooms) with
speech, short sounds and fans, with the split val of the sounds, and writes what it finds into the
model's card: the weight of SRP-PHAT, the settings of the HMM filter (`hmm`) and the calibration of
its outputs. Without an HMM filter, windows are not joined. A model of several sources, whose
recurrent filter train_filter has made, also hears two talkers, and gets only a calibration. One
with whitened features also hears loud noises from directions of their own, as in training. With
--deviations only the standard deviations are fitted, which takes a fraction of the time.

A network for every array is calibrated with a random one in each room or, with --array, for that
array alone.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
import math
from pathlib import Path

import numpy as np

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.array_file import load_array
from doa_ros.core.array_size import SIZE_STDDEV
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.compatibility import features_for
from doa_ros.core.localization.model_card import ModelCard, load_card, save_card
from doa_ros.core.localization.source_filter import SourceFilter
from doa_ros.core.localization.spectrum import Spectrum
from doa_ros.resources import DEFAULT_ARRAY, find_resource

from .data.clips import Clip, Source
from .evaluation.methods.inputs import MethodInput
from .evaluation.scenes.heard import (
    CONVERSATION,
    CONVERSATION_BESIDE_NOISES,
    FAN,
    NOISES,
    SHORT_SOUNDS,
    SPEECH,
    SPEECH_BESIDE_NOISES,
    Heard,
)
from .evaluation.scenes.rooms import room_clips
from .fitting.calibration import fit_calibration, fit_deviations
from .fitting.hmm import filtered, fit_hmm
from .fitting.labelled_outputs import LabelledOutputs
from .simulation.arrays import draw_array
from .simulation.corpus import Corpus, load_corpus
from .simulation.engines import ENGINES

# Features depend on the band alone.
_RATE = 16000
# Of SRP-PHAT, for a single source; chosen on the val split, where more hardly helps.
_SRP_WEIGHT = 40.0
# Rooms with short sounds and with a fan over those with speech. Fitted to one noise of the val
# split and measured on another, without fans their sound is answered; with 1/4, fewer short sounds
# are.
_SHORT_SOUNDS, _FANS = 1 / 3, 1 / 15
# Rooms with loud noises alone; more than with a fan, as they are of many kinds.
_NOISES = 1 / 6
_ARRAYS_SEED = 41


def calibrate(
    model: Path,
    array: MicArray | None,
    *,
    sounds: Path,
    scenes: int = 60,
    deviations: bool = False,
) -> None:
    """Run a model in simulated rooms, fit its filter and calibration, and write its card.

    Args:
        model: the .tflite file, with its card beside it.
        array: the microphones; None for random ones.
        sounds: folder of speech and noise.
        scenes: rooms of each difficulty.
        deviations: fit the standard deviations alone.

    Raises:
        ConfigError: there are no scenes, or the model has no activity output, no recurrent filter
            of several sources, or no calibration whose rest could stay.
        ModelError: the model is not usable, or does not fit the array.
    """
    if scenes < 1:
        raise ConfigError(f'--scenes must be at least 1, not {scenes}')
    card = load_card(model)
    if not {'activity', 'elevation'} <= set(card.outputs):
        raise ConfigError(
            f'{model}: only a model with elevation and activity can be calibrated; train one with '
            'outputs: [azimuth, elevation, activity]'
        )
    if card.multi_source and card.recurrent_filter is None:
        raise ConfigError(f'{model}: has no recurrent filter; run train_filter first')
    if deviations and card.calibration is None:
        raise ConfigError(f'{model}: has no calibration yet; calibrate it without --deviations')
    if not (card.multi_source or deviations):
        card = replace(card, srp_weight=_SRP_WEIGHT)
    corpus = load_corpus(sounds, 'val', _RATE)
    if array is None:
        seeds = range(scenes)
        arrays = [draw_array(np.random.default_rng([_ARRAYS_SEED, n]), _RATE) for n in seeds]
    else:
        arrays = [array.unmounted()]
    card = _calibrated(card, model, arrays, corpus, scenes, deviations)
    save_card(card, model)
    print(f'{model.with_suffix(".yaml")}: {card.hmm or ""} {card.calibration}')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--model', required=True, help='path of the .tflite file')
    parser.add_argument(
        '--array',
        help=f'name or path (default: {DEFAULT_ARRAY}; of a network for every array, random ones)',
    )
    parser.add_argument('--sounds', type=Path, required=True, help='folder of speech and noise')
    parser.add_argument('--scenes', type=int, default=60, help='rooms of each difficulty')
    parser.add_argument(
        '--deviations', action='store_true', help='calibrate the standard deviations alone'
    )


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    model, array = find_resource('models', args.model), None
    if args.array or load_card(model).array is not None:
        array = load_array(find_resource('arrays', args.array or DEFAULT_ARRAY))
    calibrate(
        model,
        array,
        sounds=args.sounds,
        scenes=args.scenes,
        deviations=args.deviations,
    )


def _calibrated(
    card: ModelCard,
    model: Path,
    arrays: Sequence[MicArray],
    corpus: Corpus,
    scenes: int,
    deviations: bool,
) -> ModelCard:
    """Return the card with a new calibration and, of a single source, with its HMM filter."""
    # The HMM filter is fitted to the outputs of the network; the recurrent filter has its own.
    unfiltered = replace(card, hmm=None, calibration=None)
    grid, hop = card.grid, card.features.hop
    parts = []
    for number, array in enumerate(arrays):
        classifier = Classifier(unfiltered, model, array, features_for(card, array))
        slow = replace(array, sampling_frequency=_RATE)
        # Each array is in rooms of its own.
        which = slice(number, None, len(arrays))
        clips = _talkers(card, slow, corpus, scenes, which)
        if not deviations:
            clips = chain(clips, _others(card, slow, corpus, scenes, which))
        heard = (clip for _, clip in clips)
        sources = 2 if card.multi_source else 1
        parts.append(label_outputs(classifier, array, heard, sources=sources))
    labelled = LabelledOutputs.concatenate(parts)
    if deviations and card.calibration is not None:
        if card.hmm is not None:
            labelled = filtered(labelled, grid, hop, card.hmm)
        return replace(card, calibration=fit_deviations(labelled, card.calibration))
    if card.multi_source:
        return replace(card, calibration=fit_calibration(labelled))
    hmm, calibration = fit_hmm(labelled, grid, hop)
    return replace(card, hmm=hmm, calibration=calibration)


def _talkers(
    card: ModelCard, array: MicArray, corpus: Corpus, scenes: int, which: slice
) -> Iterator[tuple[str, Clip]]:
    """Yield rooms with one talker, and with two of them where the model knows several sources."""
    for engine in ENGINES:
        yield from _rooms(array, corpus, scenes, engine, SPEECH, which)
        if card.multi_source:
            yield from _rooms(array, corpus, scenes, engine, CONVERSATION, which)
    # As many of the fast engine as without: networks train with loud noise in half of their clips.
    if card.features.whitening:
        for heard in (SPEECH_BESIDE_NOISES, CONVERSATION_BESIDE_NOISES)[: 1 + card.multi_source]:
            yield from _rooms(array, corpus, scenes, 'fast', heard, which)


def _others(
    card: ModelCard, array: MicArray, corpus: Corpus, scenes: int, which: slice
) -> Iterator[tuple[str, Clip]]:
    """Yield rooms with short sounds and, few, with noise that nothing may be answered to."""
    kinds = [(_SHORT_SOUNDS, SHORT_SOUNDS), (_FANS, FAN)]
    if card.features.whitening:
        kinds.append((_NOISES, NOISES))
    for share, heard in kinds:
        yield from _rooms(array, corpus, math.ceil(share * scenes), 'fast', heard, which)


def _rooms(
    array: MicArray, corpus: Corpus, count: int, engine: str, heard: Heard, which: slice
) -> Iterator[tuple[str, Clip]]:
    """Yield rooms of the split val, in which no array is quite as large as its file says."""
    return room_clips(array, corpus, 'val', count, engine, heard, which, size=SIZE_STDDEV)


def label_outputs(
    classifier: Classifier, array: MicArray, clips: Iterable[Clip], *, sources: int
) -> LabelledOutputs:
    """Return the outputs of a model in clips of one length, beside the truth.

    Args:
        classifier: the model; of several sources, the outputs are those of its recurrent filter.
        array: the microphones.
        clips: with so many sources at most.
        sources: how many of them each window has a place for.
    """
    heads = ('azimuth', 'elevation', 'activity')
    source_filter = classifier.source_filter()
    rows = []
    for clip in clips:
        windows = MethodInput(array, clip).features(classifier.features)
        blocks = np.array(list(windows))
        spectra = list(_spectra(classifier, source_filter, windows.values()))
        unknown, never = np.full(len(clip.silent), np.nan), np.zeros(len(clip.silent), dtype=bool)
        none = Source(unknown, unknown, never, silent=~never)
        heard = [*clip.sources, *[none] * sources][:sources]
        truth = [
            np.stack([getattr(source, name)[blocks] for source in heard], axis=1)
            for name in ('azimuth', 'elevation', 'voiced', 'silent')
        ]
        rows.append(
            (
                *(np.stack([getattr(spectrum, head) for spectrum in spectra]) for head in heads),
                np.array([spectrum.coherence for spectrum in spectra]),
                np.array([[window.activity] for window in windows.values()]),
                *truth,
                clip.silent[blocks],
                any(source.kind != 'speech' for source in clip.sources),
            )
        )
    *outputs, coherence, above_floor, azimuth, elevation, voiced, quiet, silent, brief = (
        np.stack(column) for column in zip(*rows, strict=True)
    )
    spectrum = replace(
        spectra[0],
        **dict(zip(heads, outputs, strict=True)),
        coherence=coherence,
        elevation_min=classifier.grid.elevation_min,
        attributes={},
    )
    time = classifier.features.hop * np.arange(silent.shape[1])
    return LabelledOutputs(
        spectrum,
        above_floor,
        azimuth,
        elevation,
        voiced,
        quiet,
        silent,
        brief,
        np.full(len(rows), ambiguity_of(array), dtype=object),
        time,
    )


def _spectra(
    classifier: Classifier, source_filter: SourceFilter, windows: Iterable[WindowFeatures]
) -> Iterator[Spectrum]:
    """Yield the outputs of a model in the windows of a clip."""
    source_filter.reset()
    for window in windows:
        yield source_filter.update(classifier.spectra(window)).spectrum
