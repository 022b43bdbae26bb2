# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-extract on a recording of two talkers."""

import csv
import os
import shutil

import numpy as np
import pytest
import soundfile

from doa_ros.audio.scene_source import SceneSource
from doa_ros.cli.track_files import TrackFiles
from doa_ros.core.errors import DoaError
from doa_ros.core.separation.separator import TrackSound
from doa_ros.core.tracking.track import Track
from doa_ros.resources import find_resource

RATE = 16000
_TRACK = Track(1, 1.0, 0.3, 0.0, 0.0, 0.1, 0.1, 0.1, 0.1, 0.9, 0.2, True, False)


@pytest.fixture(scope='module')
def recording(uma8, tmp_path_factory):
    scene = SceneSource(
        find_resource('scenes', 'two_talkers'), uma8, block_duration=0.5, real_time=False
    )
    path = tmp_path_factory.mktemp('recording') / 'two.wav'
    audio = np.concatenate([block.samples for block in scene.blocks(lambda: 0)])
    soundfile.write(path, audio[: 8 * 48000], 48000, subtype='PCM_32')
    return path


@pytest.fixture(scope='module')
def extracted(call, recording, tmp_path_factory):
    out = tmp_path_factory.mktemp('out') / 'new' / 'folder'
    done = call('extract', recording, '--out', out)
    assert done.returncode == 0, done.stderr
    return done, out


def _table(out):
    with (out / 'tracks.csv').open(encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_each_talker_has_a_file_and_a_line(extracted):
    done, out = extracted
    rows = _table(out)
    assert [row['file'] for row in rows] == ['track_1.wav', 'track_2.wav']
    azimuths = [float(row['first_azimuth_deg']) for row in rows]
    assert azimuths == pytest.approx([60, -55], abs=15)
    assert len(done.stdout.splitlines()) == 1 + len(rows)
    for row, line in zip(rows, done.stdout.splitlines()[1:], strict=True):
        assert line.split() == list(row.values())


def test_files_are_as_long_as_the_table_says_and_begin_before_the_first_word(extracted):
    _, out = extracted
    for row in _table(out):
        samples, rate = soundfile.read(out / row['file'])
        begin, end = float(row['begin']), float(row['end'])
        assert rate == RATE
        assert len(samples) / rate == pytest.approx(end - begin, abs=0.02)
        assert end == pytest.approx(8.0, abs=0.02)
        # The scene is silent for two seconds.
        assert np.std(samples[round((2.5 - begin) * RATE) :]) > 2e-4
    assert float(_table(out)[0]['begin']) < 2.0


def test_talkers_are_apart(extracted):
    _, out = extracted
    parts = []
    for row in _table(out):
        samples, _ = soundfile.read(out / row['file'])
        parts.append(samples[round((3 - float(row['begin'])) * RATE) :][: 4 * RATE])
    assert abs(np.corrcoef(parts)[0, 1]) < 0.3


def test_without_a_talker_there_is_a_table_without_lines(call, tmp_path):
    path, out = tmp_path / 'quiet.wav', tmp_path / 'out'
    soundfile.write(path, np.zeros((24000, 8)), 48000)
    done = call('extract', path, '--out', out)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert _table(out) == [] and len(list(out.iterdir())) == 1


def test_files_that_are_there_stay(call, recording, tmp_path):
    (tmp_path / 'track_1.wav').write_bytes(b'mine')
    done = call('extract', recording, '--out', tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f'doa-extract: {tmp_path}: holds track_1.wav already; name ')
    assert (tmp_path / 'track_1.wav').read_bytes() == b'mine'


def test_another_array_needs_another_method(call, tmp_path):
    path = tmp_path / 'four.wav'
    soundfile.write(path, np.zeros((16000, 4)), 16000)
    arguments = [path, '--out', tmp_path / 'out', '--array', 'respeaker_4mic_hat']
    done = call('extract', *arguments)
    assert done.returncode == 1 and 'uma8_several_int8' in done.stderr
    assert not (tmp_path / 'out').exists()
    assert call('extract', *arguments, '--method', 'srp_phat').returncode == 0


@pytest.mark.parametrize(
    'arguments,message',
    [
        (['missing.wav', '--out', 'x'], 'missing.wav: cannot be read'),
        ([__file__, '--out', 'x', '--post-filter-db', '99'], 'post_filter_db must be at most 60'),
        ([__file__, '--out', __file__, '--raw-format', 's16'], 'cannot be written'),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(call, arguments, message):
    done = call('extract', *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith('doa-extract: ')
    assert message in done.stderr and 'Traceback' not in done.stderr
    assert not os.path.exists('x')


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    files = TrackFiles(tmp_path / 'out')
    shutil.rmtree(tmp_path / 'out')
    sound = TrackSound(1, 0, np.zeros(320, dtype=np.float32), begins=True)
    with pytest.raises(DoaError, match='track_1.wav: cannot be written'):
        files.write([sound])
    with pytest.raises(DoaError, match='tracks.csv: cannot be written'):
        list(files.write_table())


def test_a_track_that_comes_back_has_a_second_file(tmp_path):
    files = TrackFiles(tmp_path)
    files.follow([_TRACK])
    tone = np.full(320, 2.0, dtype=np.float32)
    files.write([TrackSound(1, 0, tone, begins=True, ends=True)])
    files.write([TrackSound(1, 16000, tone, begins=True)])
    assert len(list(files.write_table())) == 3
    assert [row['file'] for row in _table(tmp_path)] == ['track_1.wav', 'track_1_2.wav']
    # What is louder than full scale is clipped.
    samples, _ = soundfile.read(tmp_path / 'track_1.wav', dtype='int16')
    assert (samples == 32767).all()
