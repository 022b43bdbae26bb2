# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""CONTRIBUTING.md and what runs on other machines name files and targets that there are."""

from pathlib import Path
import re

import pytest

_ROOT = Path(__file__).resolve().parents[1]
_TEXT = (_ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')


def test_its_files_and_folders_exist():
    named = re.findall(r'`([\w./-]+)`', _TEXT)
    # Where a new file gets a name of its own, NAME stands for it: its folder has to be there.
    paths = [_ROOT / name for name in named if '/' in name or Path(name).suffix]
    paths = [path.parent if 'NAME' in path.name else path for path in paths]
    assert len(paths) > 20
    assert [path for path in paths if not path.exists()] == []


def test_the_package_knows_no_array_by_name_but_that_of_its_default():
    names = {path.stem for path in (_ROOT / 'config' / 'arrays').glob('*.yaml')} - {'uma8'}
    assert len(names) > 3
    files = [*(_ROOT / 'doa_ros').rglob('*.py'), *(_ROOT / 'launch').glob('*.py')]
    files += [_ROOT / 'CMakeLists.txt', _ROOT / 'setup.py']
    texts = {path: path.read_text(encoding='utf-8') for path in files}
    assert [(path, name) for path, text in texts.items() for name in names if name in text] == []


def test_the_tests_it_names_as_examples_exist():
    named = re.findall(r'`(\w+)`\s+in\s+`(test/[\w./-]+)`', _TEXT)
    assert len(named) >= 7
    for name, path in named:
        text = (_ROOT / path).read_text(encoding='utf-8')
        assert re.search(rf'^(def|class) {name}\b', text, re.MULTILINE), name


def test_its_targets_of_make_exist():
    makefile = (_ROOT / 'Makefile').read_text(encoding='utf-8')
    targets = set(re.findall(r'^([a-z-]+):', makefile, re.MULTILINE))
    named = set(re.findall(r'`make ([a-z-]+)', _TEXT))
    assert {'test', 'lint', 'setup'} <= named <= targets


@pytest.mark.parametrize(
    'path',
    [*(_ROOT / '.github' / 'workflows').iterdir(), _ROOT / 'Dockerfile'],
    ids=lambda path: path.name,
)
def test_what_runs_elsewhere_uses_files_and_extras_that_exist(path):
    text = path.read_text(encoding='utf-8')
    named = re.findall(r'(?<![\w/])(?:scripts|requirements|test|\.ci)/[\w./*-]+', text)
    assert named or 'make ' in text
    assert [name for name in named if not list(_ROOT.glob(name))] == []
    setup = (_ROOT / 'setup.py').read_text(encoding='utf-8')
    for extras in re.findall(r"'\.\[([\w,]+)\]'", text):
        assert [extra for extra in extras.split(',') if f"'{extra}'" not in setup] == []
