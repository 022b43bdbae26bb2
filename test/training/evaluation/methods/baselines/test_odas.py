# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ODAS by a stand-in: a script called odaslive that checks what it is given."""

import math
import os
import sys

import numpy as np
import pytest

from doa_ros.core.errors import AudioError
from training.data.clips import Clip
from training.evaluation.methods.baselines import single_source_baselines
from training.evaluation.methods.baselines.odas import Odas, OdasTracks, parse_tracks
from training.evaluation.methods.inputs import MethodInput

# Reads the configuration that -c names, and writes a track to the left from hop 100 on, beside a
# less active one to the front.
_SCRIPT = """\
import re, sys
config = open(sys.argv[sys.argv.index('-c') + 1]).read()
assert config.count('{') == config.count('}') and config.count('(') == config.count(')')
assert len(re.findall(r'mu = \\(', config)) == 6 and 'map: (1, 2, 3, 4, 5, 6)' in config
audio, = re.findall(r'path = "(.*audio.raw)"', config)
tracks, = re.findall(r'path = "(.*tracks.json)"', config)
content = open(audio, 'rb').read()
hops = len(content) // (128 * 6 * 2)
with open(tracks, 'w') as file:
    for hop in range(1, hops + 1):
        left, front = (3, 4) if hop >= 100 else (0, 0)
        file.write('''{
    "timeStamp": %d,
    "src": [
        { "id": %d, "tag": "dynamic", "x": 1.000, "y": 0.000, "z": 0.000, "activity": 0.300 },
        { "id": %d, "tag": "dynamic", "x": 0.000, "y": 0.866, "z": 0.500, "activity": 0.900 }
    ]
}
''' % (hop, front, left))
    file.write('{ "timeStamp": ')
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that puts a script on the PATH as odaslive."""

    def run(content):
        script = tmp_path / 'odaslive'
        script.write_text(f'#!{sys.executable}\n{content}', encoding='utf-8')
        script.chmod(0o755)
        monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.environ["PATH"]}')

    return run


@pytest.fixture
def clip(uma8):
    audio = np.random.default_rng(0).standard_normal((32000, 6)).astype(np.float32)
    return MethodInput(uma8, Clip(audio, 16000, (), np.zeros(40, dtype=bool), 'room'))


def test_the_most_active_track_at_the_end_of_each_block(uma8, install, clip):
    install(_SCRIPT)
    answers = Odas(uma8).estimates(clip)
    # Hop 100 ends at 0.8 s.
    assert [len(answer) for answer in answers] == [0, 0] + [2] * 5
    assert math.degrees(answers[-1][0].azimuth) == pytest.approx(90)
    assert math.degrees(answers[-1][0].elevation) == pytest.approx(30, abs=0.1)


def test_all_tracks_the_most_active_first(uma8, install, clip):
    install(_SCRIPT)
    answers = Odas(uma8).estimates(clip)
    assert [len(answer) for answer in answers] == [0, 0] + [2] * 5
    azimuths = [math.degrees(estimate.azimuth) for estimate in answers[-1]]
    assert azimuths == pytest.approx([90, 0])
    ids = [[number for number, _ in tracks] for tracks in OdasTracks(uma8).tracks(clip)]
    assert ids[14:17] == [[], [3, 4], [3, 4]]


def test_it_takes_part_where_it_is_on_the_path(uma8, square, install, monkeypatch):
    monkeypatch.setenv('PATH', '/nowhere')
    baselines, left_out = single_source_baselines(uma8)
    assert Odas.name not in [method.name for method in baselines]
    assert any('odaslive is not on the PATH' in sentence for sentence in left_out)
    install(_SCRIPT)
    baselines, left_out = single_source_baselines(uma8)
    assert Odas.name in [method.name for method in baselines]
    assert left_out == []
    assert any('ESPRIT' in sentence for sentence in single_source_baselines(square)[1])


def test_its_failure_is_told(uma8, install, clip):
    install('import sys; sys.exit("bad configuration")')
    with pytest.raises(AudioError, match='status 1.*bad configuration'):
        Odas(uma8).estimates(clip)


def test_output_that_was_cut_off():
    assert list(parse_tracks('')) == []
    assert list(parse_tracks('{"timeStamp": 2, "src": []}\n{"timeSt')) == [(2, [])]
