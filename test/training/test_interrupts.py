# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends the command line at any time: by the signal and with one sentence."""

import os
import signal
import subprocess
import sys
import time

import keras
import pytest
import yaml

from doa_ros.resources import config_directory
from training.interrupts import interruptible
from training.models.architectures import find_architecture, inputs_of
from training.models.blocks import build
from training.settings import load_settings


@pytest.fixture(autouse=True)
def restore_handlers(monkeypatch):
    monkeypatch.setattr('training.interrupts._AGAIN', 0.1)
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def _interrupt():
    signal.raise_signal(signal.SIGINT)


class _Interrupting:
    def __del__(self):
        # Python prints and forgets what is raised here, as in callbacks of weak references.
        _interrupt()


def test_one_that_the_garbage_collector_swallows_is_repeated(capfd):
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interruptible():
        _Interrupting()
        while time.monotonic() < begin + 20:
            time.sleep(0.01)
    assert time.monotonic() < begin + 10
    assert capfd.readouterr().err == ''


def test_one_that_becomes_another_error_is_one_still():
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            _interrupt()
        except KeyboardInterrupt:
            raise RuntimeError('an operation failed') from None


def test_one_that_is_swallowed_at_the_end_is_told():
    with pytest.raises(KeyboardInterrupt), interruptible():
        _Interrupting()


def test_what_is_not_interrupted_is_left_alone():
    state = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM), sys.unraisablehook
    with pytest.raises(RuntimeError, match='broken'), interruptible():
        raise RuntimeError('broken')
    with interruptible():
        pass
    assert state == (
        signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM), sys.unraisablehook
    )  # fmt: skip


@pytest.fixture(scope='module')
def run(settings_path, tmp_path_factory):
    """Return a run whose clustering takes long."""
    folder = tmp_path_factory.mktemp('run')
    settings = load_settings(settings_path)
    keras.utils.set_random_seed(1)
    network = find_architecture(settings.train.architecture)
    build(network, inputs_of(settings).shape, settings.train).save(folder / 'model.keras')
    settings.save(folder / 'settings.yaml')
    content = yaml.safe_load((folder / 'settings.yaml').read_text(encoding='utf-8'))
    content['cluster'] = {'epochs': 200}
    (folder / 'settings.yaml').write_text(yaml.safe_dump(content), encoding='utf-8')
    return folder


@pytest.mark.parametrize('count', [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_clustering_is_interrupted_at_any_moment(run, data, tmp_path, rng, count):
    process = subprocess.Popen(
        [sys.executable, '-m', 'training', 'cluster', '--run', run, '--data', data]
        + ['--out', tmp_path, '--clusters', '8'],
        cwd=config_directory().parent,
        env=os.environ | {'PYTHONUNBUFFERED': '1', 'CUDA_VISIBLE_DEVICES': ''},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        # The folder of the variant is named when its making begins.
        assert process.stdout.readline() == f'{tmp_path / "8"}:\n'
        time.sleep(rng.uniform(0, 6))
        for _ in range(count):
            process.send_signal(signal.SIGINT)
            time.sleep(0.03)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert 'Traceback' not in errors
    assert 'KeyboardInterrupt' not in errors
    # By the signal, so that the loop of a shell ends, too: it sees 130.
    assert process.returncode == -signal.SIGINT
    # The second one may fall into the end of the process.
    if count == 1:
        assert errors.endswith('\ndoa-train cluster: interrupted; run it again to go on\n')
