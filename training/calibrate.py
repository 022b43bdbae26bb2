# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Find how a model's outputs are followed from frame to frame, and what its confidence is worth.

Takes a model with an activity output, as quantize makes it of settings with `train: {activity:
true}`, lets it listen to rooms of the benchmark (evaluate --bench rooms) with speech, short sounds
and fans, with the split val of the sounds, and writes what it finds into the model's card: the
azimuths are sharpened by the steered response, and the section `memory` says how frames follow
each other. Without it, every frame stands for itself. A model of several sources, which the
network made by train_filter follows, hears two talkers, too, and gets true confidences,
elevations and deviations alone. With --deviations a model keeps the memory that
it has, and only its standard deviations are made true anew, which takes a fraction of the time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
import math
from pathlib import Path

import numpy as np

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.decoding import Spectrum
from doa_ros.core.localization.model_card import ModelCard, load_card, save_card
from doa_ros.core.localization.recurrent_filter import RecurrentFilter
from doa_ros.resources import find_resource

from .data.clips import Clip, Source
from .data.filter_examples import filter_arguments
from .evaluation.methods.inputs import MethodInput
from .evaluation.scenes.conversations import conversation_clips
from .evaluation.scenes.rooms import room_clips
from .fitting.calibration import Streams, fit_deviations, fit_memory, fit_worth
from .simulation.corpus import Corpus, load_corpus
from .simulation.engines import ENGINES

# Features depend on the band alone.
_RATE = 16000
# Of the steered response; chosen on the val split, where more hardly helps.
_SHARPNESS = 40.0
# Rooms with short sounds and with a fan over those with speech. Fitted to one noise of the val
# split and measured on another, without fans their sound is answered; with 1/4, fewer short sounds
# are.
_SHORT_SOUNDS, _FANS = 1 / 3, 1 / 15


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument('--model', required=True, help='path of the .tflite file')
    parser.add_argument('--array', default='uma8', help='name or path')
    parser.add_argument('--sounds', type=Path, required=True, help='folder of speech and noise')
    parser.add_argument('--scenes', type=int, default=60, help='rooms of each difficulty')
    parser.add_argument(
        '--deviations', action='store_true', help='calibrate the standard deviations alone'
    )


def run(args):
    """Listen, fit, and write the card.

    Raises:
        ConfigError: the model has no activity output, no follower or no memory to keep, or there
            are no scenes.
        ModelError: the model does not fit the array.
    """
    if args.scenes < 1:
        raise ConfigError(f'--scenes must be at least 1, not {args.scenes}')
    path = find_resource('models', args.model)
    card = load_card(path)
    if not {'activity', 'elevation'} <= set(card.outputs):
        raise ConfigError(
            f'{path}: only a model with elevation and activity can be calibrated; train one with '
            'activity: true'
        )
    if card.multilabel and card.follower is None:
        raise ConfigError(
            f'{path}: has nothing to follow several sources with; run train_filter first'
        )
    if args.deviations and card.memory is None:
        raise ConfigError(f'{path}: has no memory yet; calibrate it without --deviations')
    array = load_array(find_resource('arrays', args.array)).unmounted()
    corpus = load_corpus(args.sounds, 'val', _RATE)
    kept = card.memory if args.deviations else None
    plain = _plain(card, kept)
    save_card(plain, path)
    try:
        memory = _calibrated(path, array, corpus, args.scenes, kept)
    except BaseException:
        # Whatever went wrong or interrupted: the model is as it was.
        save_card(card, path)
        raise
    save_card(replace(plain, memory=memory), path)
    print(f'{path.with_suffix(".yaml")}: {memory}')


def _plain(card: ModelCard, kept: Calibration | None) -> ModelCard:
    """Return the card with which a model is listened to."""
    if card.multilabel:
        # Its follower has learnt from its steered response, and its share of the elevation is no
        # matter of outputs that are followed already.
        return replace(card, memory=kept or Calibration(card.memory.elevation_share))
    plain = replace(card, memory=None)
    return replace(plain, steered_response=_SHARPNESS) if kept is None else plain


def _calibrated(
    model: Path, array: MicArray, corpus: Corpus, scenes: int, kept: Calibration | None
) -> Calibration:
    """Return the memory for a model with a plain card; `kept`, but for its deviations."""
    classifier = Classifier(model, array, load_card(model).features)
    grid, hop, several = classifier.grid, classifier.features.hop, classifier.multilabel
    slow = replace(array, sampling_frequency=_RATE)
    clips = _talkers(slow, corpus, scenes, several)
    if kept is None:
        clips = chain(clips, _others(slow, corpus, scenes))
    heard = (clip for _, clip in clips)
    streams = listen(classifier, array, heard, sources=2 if several else 1)
    if kept is not None:
        return fit_deviations(streams, grid, hop, kept)
    if several:
        return fit_worth(streams, grid, hop, classifier.memory)
    return fit_memory(streams, grid, hop)


def _talkers(
    array: MicArray, corpus: Corpus, scenes: int, several: bool
) -> Iterator[tuple[str, Clip]]:
    """Yield rooms with a talker, and with two of them where told, by both engines."""
    for engine in ENGINES:
        yield from room_clips(array, corpus, 'val', scenes, engine)
        if several:
            yield from conversation_clips(array, corpus, 'val', scenes, engine)


def _others(array: MicArray, corpus: Corpus, scenes: int) -> Iterator[tuple[str, Clip]]:
    """Yield rooms with short sounds and, few, with a fan."""
    short_sounds, fans = math.ceil(_SHORT_SOUNDS * scenes), math.ceil(_FANS * scenes)
    yield from room_clips(array, corpus, 'val', short_sounds, 'fast', heard='short_sounds')
    yield from room_clips(array, corpus, 'val', fans, 'fast', heard='fan')


def listen(
    classifier: Classifier, array: MicArray, clips: Iterable[Clip], *, sources: int
) -> Streams:
    """Return what a network says in clips of one length with so many sources at most.

    Of several sources, it is what is known of them after every frame.
    """
    heads = ('azimuth', 'elevation', 'activity')
    follower = classifier.source_filter() if classifier.multilabel else None
    rows = []
    for clip in clips:
        frames = MethodInput(array, clip).features(classifier.features)
        blocks = np.array(list(frames))
        spectra = list(_spectra(classifier, follower, frames.values()))
        unknown, never = np.full(len(clip.silent), np.nan), np.zeros(len(clip.silent), dtype=bool)
        nobody = Source(unknown, unknown, never, silent=~never)
        heard = [*clip.sources, *[nobody] * sources][:sources]
        truth = [
            np.stack([getattr(source, name)[blocks] for source in heard], axis=1)
            for name in ('azimuth', 'elevation', 'voiced', 'silent')
        ]
        rows.append(
            (
                *(np.stack([getattr(spectrum, head) for spectrum in spectra]) for head in heads),
                np.array([spectrum.coherence for spectrum in spectra]),
                np.array([[frame.activity] for frame in frames.values()]),
                *truth,
                clip.silent[blocks],
                any(source.kind != 'speech' for source in clip.sources),
            )
        )
    *outputs, above_floor, azimuth, elevation, voiced, quiet, silent, brief = (
        np.stack(column) for column in zip(*rows, strict=True)
    )
    lowest = classifier.grid.elevation_min
    spectrum = Spectrum(*outputs[:3], classifier.multilabel, outputs[3], lowest)
    time = classifier.features.hop * np.arange(silent.shape[1])
    return Streams(spectrum, above_floor, azimuth, elevation, voiced, quiet, silent, brief, time)


def _spectra(
    classifier: Classifier, follower: RecurrentFilter | None, frames: Iterable[WindowFeatures]
) -> Iterator[Spectrum]:
    """Yield what is said of the frames of a clip."""
    if follower is None:
        for frame in frames:
            yield classifier.spectrum(frame.gcc)
        return
    follower.reset()
    for frame in frames:
        yield follower.update(*filter_arguments(classifier, frame))
