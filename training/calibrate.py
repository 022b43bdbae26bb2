# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Find how a model's outputs are followed from frame to frame, and what its confidence is worth.

Takes a model with an activity output, as quantize makes it of settings with `train: {activity:
true}`, lets it listen to rooms of the benchmark (evaluate --bench rooms), with the split val of
the sounds, and writes what it finds into the model's card, section `memory`. Without it, every
frame stands for itself.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from doa_ros.core.classifier import Classifier, load_card
from doa_ros.core.decoding import Spectrum
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.resources import find_resource

from .examples.clips import Clip
from .networks.calibration import Streams, fit_memory
from .rooms.material import load_material
from .scores.benchmark import room_clips
from .scores.frames import Listening

# Features depend on the band alone.
_RATE = 16000


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument('--model', required=True, help='path of the .tflite file')
    parser.add_argument('--array', default='uma8', help='name or path')
    parser.add_argument('--sounds', type=Path, required=True, help='folder of speech and noise')
    parser.add_argument('--scenes', type=int, default=60, help='rooms of each difficulty')


def run(args):
    """Listen, fit, and write the card.

    Raises:
        ConfigError: the model has no activity output.
        ModelError: the model does not fit the array.
    """
    path = find_resource('models', args.model)
    card = load_card(path)
    if card.multilabel or not {'activity', 'elevation'} <= set(card.outputs):
        raise ConfigError(
            f'{path}: only a model of a single source with elevation and activity can be '
            'calibrated; train one with activity: true'
        )
    array = replace(load_array(find_resource('arrays', args.array)), face_down=False)
    classifier = Classifier(path, array, card.features)
    material = load_material(args.sounds, 'val', _RATE)
    clips = room_clips(
        replace(array, sampling_frequency=_RATE), material, 'val', args.scenes, 'fast'
    )
    streams = listen(classifier, array, [clip for _, clip in clips])
    memory = fit_memory(streams, card.grid, card.features.hop)
    text = yaml.safe_dump(replace(card, memory=memory).to_mapping(), sort_keys=False, width=95)
    path.with_suffix('.yaml').write_text(text, encoding='utf-8')
    print(f'{path.with_suffix(".yaml")}: {memory}')


def listen(classifier: Classifier, array: MicArray, clips: list[Clip]) -> Streams:
    """Return what a network says in clips of one length, each with one source."""
    heads = ('azimuth', 'elevation', 'activity')
    rows = []
    for clip in clips:
        frames = Listening(array, clip).features(classifier.features)
        blocks = np.array(list(frames))
        spectra = [classifier.spectrum(frame.gcc) for frame in frames.values()]
        (source,) = clip.sources
        rows.append(
            (
                *(np.stack([getattr(spectrum, head) for spectrum in spectra]) for head in heads),
                np.array([[frame.activity] for frame in frames.values()]),
                source.azimuth[blocks],
                source.elevation[blocks],
                source.voiced[blocks],
                clip.silent[blocks],
            )
        )
    azimuth, elevation, activity, *rest = (np.stack(column) for column in zip(*rows, strict=True))
    time = classifier.features.hop * np.arange(azimuth.shape[1])
    return Streams(Spectrum(azimuth, elevation, activity), *rest, time)
