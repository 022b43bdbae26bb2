# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A tiny data set and network, made once by the real verbs."""

from argparse import ArgumentParser
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

if find_spec('tensorflow') is None:
    collect_ignore_glob = ['test_*.py']

RATE = 16000
SETTINGS = {
    'array': 'uma8',
    'features': {'lag_rate': 16000, 'lag_count': 13},
    'data_features': {'lag_rate': 48000, 'lag_count': 39},
    'simulate': {'train_clips': 26, 'val_clips': 4, 'length': 2.5, 'lead': 1.0, 'rt60_max': 0.2},
    'train': {'epochs': 3, 'batch': 64},
}


@pytest.fixture(scope='session')
def run_verb():
    """Return a function that runs a verb with command line arguments."""

    def run(verb: str, *arguments):
        module = import_module(f'training.{verb}')
        parser = ArgumentParser()
        module.add_arguments(parser)
        module.run(parser.parse_args([str(argument) for argument in arguments]))

    return run


@pytest.fixture(scope='session')
def sounds(tmp_path_factory) -> Path:
    """Return a folder of bursts of noise as speech, and of noise."""
    folder = tmp_path_factory.mktemp('sounds')
    rng = np.random.default_rng(0)
    for split in ('train', 'val'):
        for kind, length in (('speech', 0.8), ('noise', 2.0)):
            path = folder / split / kind / 'a.wav'
            path.parent.mkdir(parents=True)
            soundfile.write(path, 0.1 * rng.standard_normal(round(length * RATE)), RATE)
    return folder


@pytest.fixture(scope='session')
def settings_path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('settings') / 'tiny.yaml'
    path.write_text(yaml.safe_dump(SETTINGS), encoding='utf-8')
    return path


@pytest.fixture(scope='session')
def data(run_verb, sounds, settings_path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('data')
    run_verb(
        'simulate', '--settings', settings_path, '--sounds', sounds, '--out', folder, '--jobs', 1
    )
    return folder


@pytest.fixture(scope='session')
def trained(run_verb, data, settings_path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('run')
    run_verb('train', '--settings', settings_path, '--data', data, '--out', folder)
    return folder


@pytest.fixture(scope='session')
def models(run_verb, data, trained, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('models')
    run_verb('quantize', '--run', trained, '--data', data, '--name', 'tiny', '--out', folder)
    return folder
