# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Train the recurrent filter of a model of several sources.

Takes a model as quantize makes it of settings with `train: {multi_source: true, outputs: [azimuth,
elevation, activity]}` and `features: {residual: true}`, runs it in simulated rooms in which people
stand, walk and talk, and trains a recurrent network on its outputs. Writes NAME_filter.tflite
beside the model NAME.tflite, and its SHA-256 into the card; calibrate comes next.

In OUT are shards {train,val}/NNNNN.npz of 10 clips, filter.keras (the best epoch), history.csv and
curves.png. Run again after an interruption, it goes on where it stopped. See simulate for SOUNDS.
"""

import argparse
from dataclasses import replace
import hashlib
from pathlib import Path
from typing import Any

import keras

from doa_ros.core.errors import ConfigError
from doa_ros.core.files import write_whole
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.compatibility import features_for
from doa_ros.core.localization.model_card import ModelCard, filter_file, load_card, save_card
from doa_ros.core.localization.recurrent_filter import RecurrentFilterConfig
from doa_ros.resources import find_resource

from .data.filter_examples import load_filter_examples
from .data.provenance import store_provenance
from .deployment.conversion import to_tflite
from .fitting.recurrent_filter import fit_recurrent_filter
from .models.recurrent_filter import step_model
from .parallel import CORES
from .settings import Settings, find_settings
from .simulation.conversation_job import ConversationJob
from .simulation.corpus import load_corpus
from .simulation.shard_jobs import make_shards, missing_shards
from .splits import SPLITS

# Of SRP-PHAT, which doubts reflections that a network takes for talkers.
_SRP_WEIGHT = 0.5
# Windows overlap: about five of them are one independent observation of the elevation.
_ELEVATION_SHARE = 0.2
# What of the settings makes the clips; the rest may change.
_OF_CLIPS = ('seed', 'train_clips', 'val_clips', 'length', 'walking', 'dead_microphones')


def train_filter(
    settings: Settings, model: Path, *, sounds: Path, out: Path, jobs: int = CORES
) -> None:
    """Simulate, train, and write the network of the filter and the card.

    Args:
        settings: `simulate` and `train_filter` say how.
        model: the .tflite file of several sources, with its card beside it.
        sounds: folder of speech and noise.
        out: folder of what is simulated and trained.
        jobs: processes on this machine.

    Raises:
        ConfigError: the model cannot have a recurrent filter, or OUT holds clips of other
            settings.
        ModelError: the model is not usable, or does not fit the array.
    """
    if jobs < 1:
        raise ConfigError(f'--jobs must be at least 1, not {jobs}')
    card = load_card(model)
    _check(model, card)
    # Without the filter that it has had so far.
    card = replace(card, srp_weight=_SRP_WEIGHT, recurrent_filter=None, calibration=None)
    array = None if settings.any_array else settings.load_array().unmounted()
    job = ConversationJob(settings, array, card, model.resolve(), sounds.resolve())
    for split in SPLITS:  # A folder without sound is reported before anything is simulated.
        load_corpus(sounds, split, settings.simulate.sampling_frequency)
    if array is not None:  # So is a model that does not fit.
        Classifier(card, model, array, features_for(card, array))
    store_provenance(out, _made_of(job), 'train_filter')
    config = settings.train_filter
    clips = {'train': config.train_clips, 'val': config.val_clips}
    make_shards(job, missing_shards(job, out, clips), out, title='simulate', jobs=jobs)
    train, val = (load_filter_examples(out, split, clips[split]) for split in SPLITS)
    network = out / 'filter.keras'
    fit_recurrent_filter(config, train, val, network)
    trained = keras.models.load_model(network, compile=False)
    content = to_tflite(step_model(trained), 'float16')
    recurrent_filter = RecurrentFilterConfig(hashlib.sha256(content).hexdigest(), _ELEVATION_SHARE)
    file = filter_file(model)
    write_whole(file, content)
    save_card(replace(card, recurrent_filter=recurrent_filter), model)
    print(f'{file}: {len(content) / 1024:.0f} KiB; calibrate {model.name} next')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--settings', default='uma8_several', help='name or path')
    parser.add_argument('--model', required=True, help='path of the .tflite file')
    parser.add_argument('--sounds', type=Path, required=True, help='folder of speech and noise')
    parser.add_argument('--out', type=Path, required=True, help='folder of the result')
    parser.add_argument('--jobs', type=int, default=CORES, help='processes')


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    train_filter(
        find_settings(args.settings),
        find_resource('models', args.model),
        sounds=args.sounds,
        out=args.out,
        jobs=args.jobs,
    )


def _check(path: Path, card: ModelCard) -> None:
    if not (card.multi_source and {'activity', 'elevation'} <= set(card.outputs)):
        raise ConfigError(
            f'{path}: only a model of several sources with elevation and activity can have a '
            'recurrent filter; train one with multi_source: true and '
            'outputs: [azimuth, elevation, activity]'
        )
    if not card.features.residual:
        raise ConfigError(
            f'{path}: a recurrent filter needs the features without the loudest direction; '
            'quantize with features: {residual: true} in the settings of the run'
        )


def _made_of(job: ConversationJob) -> dict[str, Any]:
    """Return what the clips in OUT are made of."""
    config = job.settings.train_filter.to_mapping()
    return {
        'array': job.settings.array,
        'model': job.card.sha256,
        'features': job.card.features.to_mapping(),
        # How many clips there are is said by `train_filter`.
        'simulate': replace(job.scenes, train_clips=1, val_clips=1).to_mapping(),
        'train_filter': {name: config[name] for name in _OF_CLIPS},
    }
