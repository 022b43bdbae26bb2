# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-locate --mcap: what Foxglove reads in the file is what is printed."""

import json
import math
import sys

import numpy as np
import pytest
from scipy import signal as dsp
import soundfile

pytest.importorskip('foxglove', reason='MCAP files need foxglove-sdk')
pytest.importorskip('mcap', reason='files are read by mcap')

from foxglove_fixtures import read_mcap  # noqa: E402

from doa_ros.core.geometry import unit_vector, wrap_angle  # noqa: E402
from doa_ros.simulation.acoustics import impulse_responses  # noqa: E402

_AZIMUTH_DEG = -130.0


@pytest.fixture(scope='module')
def recording(uma8, tmp_path_factory):
    """Two seconds of noise that comes and goes, from one direction."""
    rng = np.random.default_rng(7)
    rate = uma8.sampling_frequency
    sounding = np.arange(2 * rate) % (rate // 2) > rate // 5
    source = rng.standard_normal(2 * rate) * sounding
    place = 2.0 * unit_vector(math.radians(_AZIMUTH_DEG), 0.3)
    responses = impulse_responses(
        place[None], np.ones(1), uma8.frame_positions, rate, 1000, uma8.speed_of_sound
    )
    heard = dsp.fftconvolve(source[None], responses, axes=1)[:, : len(source)]
    heard += 1e-3 * rng.standard_normal(heard.shape)
    audio = np.zeros((len(source), uma8.channel_count))
    audio[:, list(uma8.channels)] = 0.2 * heard.T / np.abs(heard).max()
    path = tmp_path_factory.mktemp('recording') / 'noise.wav'
    soundfile.write(path, audio, rate, subtype='PCM_32')
    return path


@pytest.fixture
def locate(call, recording):
    def run(*arguments):
        return call('locate', recording, '--method', 'srp_phat', *arguments)

    return run


@pytest.mark.parametrize('kind', ['estimates', 'tracks'])
def test_the_file_holds_what_is_printed(locate, tmp_path, kind):
    path = tmp_path / 'found.mcap'
    options = ['--format', 'jsonl', *(['--tracks'] if kind == 'tracks' else [])]
    done = locate('--mcap', path, *options)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout == locate(*options).stdout
    assert list(tmp_path.iterdir()) == [path]
    with path.open('rb') as stream:
        found = read_mcap(stream)
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(printed) > 30
    written = [(time / 1e9, message[kind]) for time, message in found[f'/{kind}']]
    # A table of JSON leaves nothing out; what is not known is null.
    known = [
        (line['stamp'], [{k: v for k, v in row.items() if v is not None} for row in line[kind]])
        for line in printed
    ]
    assert written == known
    azimuths = np.radians([row['azimuth_deg'] for _, rows in written for row in rows])
    assert len(azimuths) > 10
    error = wrap_angle(np.median(azimuths) - math.radians(_AZIMUTH_DEG))
    assert abs(error) < math.radians(10)
    # The same in 3D, with the array from the beginning, and levels.
    arrows = [len(scene.entities) for _, scene in found[f'/scene/{kind}']]
    assert arrows == [len(rows) for _, rows in written]
    assert [time for time, _ in found['/scene/array']] == [0]
    assert len(found['/scene/spectrum']) == len(printed)
    levels = [row for _, message in found['/levels'] for row in message['levels']]
    assert {row['label'] for row in levels} >= {'ring_1', ''}


def test_several_recordings_do_not_fit_into_a_file(call, recording, tmp_path):
    done = call('locate', recording, recording, '--mcap', tmp_path / 'x.mcap')
    assert done.returncode == 1
    assert done.stderr.startswith('doa-locate: --mcap is for one recording')
    assert (done.stdout, list(tmp_path.iterdir())) == ('', [])


def test_a_place_that_cannot_be_written_is_said_before_the_work(locate, tmp_path):
    done = locate('--mcap', tmp_path / 'none' / 'x.mcap')
    assert (done.returncode, done.stdout) == (1, '')
    assert 'there is no folder' in done.stderr


def test_a_disk_that_is_full_is_one_sentence(locate):
    done = locate('--mcap', '/dev/full')
    assert done.returncode == 1
    assert done.stderr == 'doa-locate: /dev/full: cannot be written (No space left on device)\n'


def test_a_disk_that_fills_up_meanwhile_is_one_sentence(locate, tmp_path, monkeypatch, capfd):
    from doa_ros.cli.output_file import OutputFile

    path = tmp_path / 'x.mcap'
    path.write_bytes(b'before')
    monkeypatch.setattr(OutputFile, 'spool', lambda _: open('/dev/full', 'wb', buffering=0))
    done = locate('--mcap', path)
    assert done.returncode == 1
    assert done.stderr == f'doa-locate: {path}: cannot be written (No space left on device)\n'
    assert path.read_bytes() == b'before'
    assert capfd.readouterr().err == ''


def test_a_recording_that_is_too_short_leaves_what_was_there(call, tmp_path):
    recording, path = tmp_path / 'short.wav', tmp_path / 'x.mcap'
    soundfile.write(recording, np.zeros((100, 8)), 48000)
    path.write_bytes(b'before')
    done = call('locate', recording, '--method', 'srp_phat', '--mcap', path)
    assert done.returncode == 1
    assert 'less than one analysis window' in done.stderr
    assert path.read_bytes() == b'before'


def test_without_the_sdk_it_says_what_to_install(locate, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'foxglove', None)
    done = locate('--mcap', tmp_path / 'x.mcap')
    assert done.returncode == 1
    assert done.stderr.startswith(
        'doa-locate: Foxglove and MCAP files need foxglove-sdk: python3 '
    )
    # Nothing else needs it.
    assert locate().returncode == 0
