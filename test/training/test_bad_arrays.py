# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Arrays that nothing can be trained for: one sentence, whatever the verb."""

import sys

import pytest
import yaml

from training.__main__ import main


@pytest.fixture(
    params=[
        ([[0.0, 0.0, 0.0]], 'needs at least two microphones'),
        ([[0.0, 0.0, 0.0], [0.05, 0.0, 0.0], [0.0, 0.0, 0.0]], 'mic_0 and mic_2 coincide'),
        ([[0.0, 0.0, 0.0], [0.0, 0.05, 0.0]], 'has no elevations, which networks need'),
        ([[0.0, 0.0, 0.0], [0.0, 0.0, 0.05]], 'one above the other'),
    ],
    ids=['one', 'coincident', 'line', 'vertical'],
)
def bad_array(request, tmp_path):
    """Return the path of an array file and what is wrong with it."""
    positions, fault = request.param
    path = tmp_path / 'array.yaml'
    path.write_text(yaml.safe_dump({
        'name': 'bad',
        'sampling_frequency': 16000,
        'channel_count': 4,
        'microphones': [
            {'label': f'mic_{k}', 'channel': k, 'position': position}
            for k, position in enumerate(positions)
        ],
    }))  # fmt: skip
    return path, fault


@pytest.mark.parametrize('verb', ['simulate', 'all', 'train'])
def test_bad_array_gets_one_sentence(verb, bad_array, sounds, tmp_path, monkeypatch, capsys):
    array, fault = bad_array
    settings = tmp_path / 'settings.yaml'
    settings.write_text(yaml.safe_dump({'array': str(array)}))
    arguments = {
        'simulate': ['--settings', settings, '--sounds', sounds],
        'all': ['--array', array],
        'train': ['--settings', settings, '--data', tmp_path],
    }[verb]
    out = tmp_path / 'out'
    command = ['doa-train', verb, *map(str, arguments), '--out', str(out)]
    monkeypatch.setattr(sys, 'argv', command)
    assert main() == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith((f'doa-train {verb}: {array}: ', f'doa-train {verb}: array '))
    assert fault in lines[0]
    assert not list(out.glob('*'))
