# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""CONTRIBUTING.md names files and targets that there are."""

from pathlib import Path
import re

_ROOT = Path(__file__).resolve().parents[1]
_TEXT = (_ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')


def test_its_files_and_folders_exist():
    named = re.findall(r'`([\w./-]+)`', _TEXT)
    top = {path.name for path in _ROOT.iterdir()}
    # Where a new file gets a name of its own, NAME stands for it: its folder has to be there.
    paths = [_ROOT / name for name in named if name.split('/')[0] in top]
    paths = [path.parent if 'NAME' in path.name else path for path in paths]
    assert len(paths) > 20
    assert [path for path in paths if not path.exists()] == []


def test_its_targets_of_make_exist():
    makefile = (_ROOT / 'Makefile').read_text(encoding='utf-8')
    targets = set(re.findall(r'^([a-z-]+):', makefile, re.MULTILINE))
    named = set(re.findall(r'`make ([a-z-]+)', _TEXT))
    assert {'test', 'lint', 'setup'} <= named <= targets
