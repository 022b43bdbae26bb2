# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Train the network that follows the sources of a model of several from frame to frame.

Takes a model as quantize makes it of settings with `train: {multi_source: true, activity: true}`
and `features: {residual: true}`, lets it listen to simulated rooms in which people stand, walk
and talk, and trains a recurrent network on what it says of them. Writes NAME_follower.tflite
beside the model NAME.tflite, and its SHA-256 into the card; calibrate comes next.

In OUT are shards {train,val}/NNNNN.npz of 10 clips, follower.keras (the best epoch), history.csv
and curves.png. Run again after an interruption, it goes on where it stopped. See simulate for
SOUNDS.
"""

from dataclasses import replace
import hashlib
import os
from pathlib import Path
import shutil

import keras

from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.model_card import ModelCard, follower_file, load_card, save_card
from doa_ros.resources import find_resource

from .data.filter_examples import load_filter_examples
from .data.provenance import store_provenance
from .deployment.conversion import to_tflite
from .models.recurrent_filter import fit_recurrent_filter, step_model
from .settings import load_settings
from .simulation.conversations import ConversationJob, simulate_conversations
from .simulation.corpus import load_corpus
from .splits import SPLITS

# Of SRP-PHAT, which doubts reflections that a network takes for talkers.
_STEERED_RESPONSE = 0.5
# Frames overlap: about five of them say as much of the elevation as one by itself.
_ELEVATION_SHARE = 0.2
# What of the settings makes the clips; the rest may change.
_OF_CLIPS = ('seed', 'train_clips', 'val_clips', 'length', 'walking', 'dead_microphones')


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument('--settings', default='uma8_several', help='name or path')
    parser.add_argument('--model', required=True, help='path of the .tflite file')
    parser.add_argument('--sounds', type=Path, required=True, help='folder of speech and noise')
    parser.add_argument('--out', type=Path, required=True, help='folder of the result')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='processes')


def run(args):
    """Simulate, train, and write the network and the card.

    Raises:
        ConfigError: the model cannot have a follower, or OUT holds clips of other settings.
        ModelError: the model does not fit the array.
    """
    if args.jobs < 1:
        raise ConfigError(f'--jobs must be at least 1, not {args.jobs}')
    settings = load_settings(find_resource('training', args.settings))
    path = find_resource('models', args.model)
    card = load_card(path)
    _check(path, card)
    # Without what has followed it so far.
    card = replace(card, steered_response=_STEERED_RESPONSE, memory=None, follower=None)
    job = ConversationJob(
        settings,
        settings.load_array().unmounted(),
        args.out / 'model.tflite',
        args.sounds.resolve(),
    )
    for split in SPLITS:  # A folder without sound is reported before anything is simulated.
        load_corpus(args.sounds, split, settings.simulate.sampling_frequency)
    # The copy listens: the model is as it was until all is done.
    args.out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, job.model)
    save_card(card, job.model)
    Classifier(job.model, job.array, card.features)  # So is one that does not fit.
    store_provenance(args.out, _made_of(job, card), 'train_filter')
    simulate_conversations(job, args.out, jobs=args.jobs)
    model = _trained(job, args.out)
    content = to_tflite(step_model(model), 'float16')
    follower_file(path).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    worth = Calibration(elevation_share=_ELEVATION_SHARE)
    save_card(replace(card, memory=worth, follower=digest), path)
    print(f'{follower_file(path)}: {len(content) / 1024:.0f} KiB; calibrate {path.name} next')


def _check(path: Path, card: ModelCard) -> None:
    if not (card.multilabel and {'activity', 'elevation'} <= set(card.outputs)):
        raise ConfigError(
            f'{path}: only a model of several sources with elevation and activity can have a '
            'follower; train one with multi_source: true and activity: true'
        )
    if not card.features.residual:
        raise ConfigError(
            f'{path}: a follower needs the features of what is left without the loudest; '
            'quantize with features: {residual: true} in the settings of the run'
        )


def _made_of(job: ConversationJob, card: ModelCard) -> dict:
    """Return what the clips in OUT are made of."""
    config = job.settings.train_filter.to_mapping()
    return {
        'array': job.settings.array,
        'model': card.sha256,
        'features': card.features.to_mapping(),
        # How many clips there are is said by `train_filter`.
        'simulate': replace(job.scenes, train_clips=1, val_clips=1).to_mapping(),
        'train_filter': {name: config[name] for name in _OF_CLIPS},
    }


def _trained(job: ConversationJob, out: Path) -> keras.Model:
    """Return the network, trained where it is not there yet."""
    config = job.settings.train_filter
    clips = {'train': config.train_clips, 'val': config.val_clips}
    train, val = (load_filter_examples(out, split, clips[split]) for split in SPLITS)
    fit_recurrent_filter(config, train, val, out / 'follower.keras')
    return keras.models.load_model(out / 'follower.keras', compile=False)
