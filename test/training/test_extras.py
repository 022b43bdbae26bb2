# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Who lacks a package that only some verbs need is told of the extra that brings it."""

from pathlib import Path
import sys

import pytest

from training import __main__, extras
from training.data.bags import audio_blocks
from training.parallel import run_tasks

_ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('extra', ['cluster', 'openvino', 'bags'])
def test_each_extra_brings_what_it_is_named_for(extra):
    modules = [module for module, name in extras._EXTRAS.items() if name == extra]
    assert modules
    required = (_ROOT / 'requirements' / f'{extra}.txt').read_text(encoding='utf-8')
    for module in modules:
        assert module.replace('_', '-') in required
    assert f"'{extra}'" in (_ROOT / 'setup.py').read_text(encoding='utf-8')


def test_other_packages_are_those_of_training():
    error = ModuleNotFoundError("No module named 'keras.ops'", name='keras.ops')
    assert extras.missing(error).startswith(
        "keras is not installed; try: pip install 'doa_ros[training]' "
    )


def _read_a_bag(uma8):
    next(audio_blocks(Path('talk.mcap'), uma8))


def _use_a_cluster(uma8):
    next(run_tasks(print, [()], jobs=1, scheduler='tcp://localhost:1'))


@pytest.mark.parametrize(
    ('module', 'use', 'extra'),
    [
        ('rosbags', _read_a_bag, 'bags'),
        ('distributed', _use_a_cluster, 'cluster'),
    ],
)
def test_one_sentence_names_the_extra(monkeypatch, capsys, uma8, module, use, extra):
    for name in [name for name in sys.modules if name.partition('.')[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(__main__, 'run_verb', lambda *_: use(uma8))
    monkeypatch.setattr(sys, 'argv', ['doa-train', 'simulate'])
    assert __main__.main() == 1
    assert capsys.readouterr().err == (
        f"doa-train simulate: {module} is not installed; try: pip install 'doa_ros[{extra}]' "
        '(in a checkout: scripts/setup.sh training)\n'
    )
