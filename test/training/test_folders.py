# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The folders of training as CONTRIBUTING lists them."""

import ast
import re

import pytest

from doa_ros.resources import config_directory

TRAINING = config_directory().parent / 'training'
TEXT = (TRAINING.parent / 'CONTRIBUTING.md').read_text(encoding='utf-8')
TABLE = TEXT.partition('## The folders of training')[2].partition('\n## ')[0]
FOLDERS = re.findall(r'^\| `(\w+)`', TABLE, re.MULTILINE)


def imported_folders(path):
    """Yield the folders of training that a file of a folder imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = path.relative_to(TRAINING).parts[: -node.level]
            name = (*package, *(node.module or node.names[0].name).split('.'))[0]
            if name in FOLDERS:
                yield name


def test_every_folder_is_listed():
    assert sorted(FOLDERS) == sorted(path.parent.name for path in TRAINING.glob('*/__init__.py'))


@pytest.mark.parametrize('folder', FOLDERS)
def test_imports_go_downwards(folder):
    below = FOLDERS[FOLDERS.index(folder) :]
    files = sorted((TRAINING / folder).rglob('*.py'))
    upwards = {
        f'{path.relative_to(TRAINING)} imports {name}'
        for path in files
        for name in imported_folders(path)
        if name not in below
    }
    assert files and not upwards
