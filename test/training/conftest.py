# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A tiny data set and network, made once by the real verbs."""

from contextlib import contextmanager
import fcntl
from importlib.util import find_spec
import os
from pathlib import Path
import shutil

import numpy as np
import pytest
import soundfile
import yaml

from training import verbs

if find_spec('tensorflow') is None:
    collect_ignore_glob = ['test_*.py']

RATE = 16000
# The board sits turned: what training called 0 is heard here at 25 degrees.
TURN_DEG = 25.0
ROOMS, DIRECTIONS = 3, 5
SETTINGS = {
    'array': 'uma8',
    'features': {'lag_rate': 16000, 'lag_count': 13},
    'data_features': {'lag_rate': 48000, 'lag_count': 39},
    'simulate': {'train_clips': 26, 'val_clips': 4, 'length': 2.5, 'lead': 1.0, 'rt60_max': 0.2},
    'train': {'epochs': 3, 'batch': 64, 'outputs': ['azimuth', 'elevation', 'activity']},
}


@pytest.fixture(scope='session')
def run_verb():
    """Return a function that runs a verb with command line arguments."""

    return lambda verb, *arguments: verbs.run_verb(verb, [str(value) for value in arguments])


@pytest.fixture
def interrupted(monkeypatch):
    """Return a context in which a fit is interrupted at the end of its second epoch."""
    import keras

    on_epoch_end = keras.callbacks.CSVLogger.on_epoch_end

    def interrupt(self, epoch, logs=None):
        on_epoch_end(self, epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt

    @contextmanager
    def context():
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(keras.callbacks.CSVLogger, 'on_epoch_end', interrupt)
            yield

    return context


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
def make_once(tmp_path_factory):
    """Return a function that fills a folder once for all processes that test side by side.

    Tests read what is in it, and leave it as it is.
    """
    root = tmp_path_factory.getbasetemp()
    if 'PYTEST_XDIST_WORKER' in os.environ:
        # Each of them has a folder of its own in that of all.
        root = root.parent

    def make(name, fill) -> Path:
        folder, made = root / name, root / f'{name}_is_made'
        with (root / f'{name}.lock').open('w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                # It may be half full, of one that failed.
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                made.touch()
        return folder

    return make


@pytest.fixture(scope='session')
def data(run_verb, sounds, settings_path, make_once) -> Path:
    arguments = ('--settings', settings_path, '--sounds', sounds, '--jobs', 1)
    return make_once('data', lambda out: run_verb('simulate', *arguments, '--out', out))


@pytest.fixture(scope='session')
def trained(run_verb, data, settings_path, make_once) -> Path:
    arguments = ('--settings', settings_path, '--data', data)
    return make_once('trained', lambda out: run_verb('train', *arguments, '--out', out))


@pytest.fixture(scope='session')
def models(run_verb, data, trained, make_once) -> Path:
    arguments = ('--run', trained, '--data', data, '--name', 'tiny')
    return make_once('models', lambda out: run_verb('quantize', *arguments, '--out', out))


@pytest.fixture(scope='session')
def recordings(tmp_path_factory, plane_wave, uma8) -> Path:
    """Return a folder of labelled recordings of three rooms."""
    folder = tmp_path_factory.mktemp('recordings')
    rate = uma8.sampling_frequency
    rng = np.random.default_rng(4)
    rows = []
    for number in range(ROOMS * DIRECTIONS):
        azimuth_deg = number % DIRECTIONS * 360 / DIRECTIONS - 180
        audio = 1e-4 * rng.standard_normal((2 * rate, len(uma8.positions)))
        audio[rate:] += plane_wave(uma8, np.radians(azimuth_deg), duration=1.0, seed=number)
        room = folder / f'room{number // DIRECTIONS}'
        room.mkdir(exist_ok=True)
        soundfile.write(room / f'{number}.flac', audio, rate)
        row = {'file': f'{room.name}/{number}.flac', 'azimuth_deg': azimuth_deg + TURN_DEG}
        rows.append({**row, 'start': 1, 'end': 2})
    (folder / 'labels.yaml').write_text(yaml.safe_dump({'labels': rows}), encoding='utf-8')
    return folder
