# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of the concepts are drawn by their scripts, and shown."""

from pathlib import Path
import subprocess
import sys

import pytest

_FIGURES = Path(__file__).resolve().parents[2] / 'docs' / 'figures'


def _draw(out, *names):
    command = [sys.executable, str(_FIGURES / 'draw.py'), '--out', str(out), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.name for path in out.iterdir()}


def test_every_figure_is_shown():
    pictures = [path.name for path in _FIGURES.glob('*.png')]
    page = (_FIGURES.parent / 'concepts.md').read_text(encoding='utf-8')
    assert len(pictures) >= 4
    assert [name for name in pictures if f'(figures/{name})' not in page] == []


def test_figures_of_geometry_can_be_drawn(tmp_path):
    assert _draw(tmp_path, 'flat_array', 'hexagon') == {'flat_array.png', 'hexagon.png'}


@pytest.mark.nightly
def test_all_figures_can_be_drawn(tmp_path):
    assert _draw(tmp_path) == {path.name for path in _FIGURES.glob('*.png')}
