# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fine-tuning reads recordings with their labels; what fails is said in a sentence."""

import csv
from dataclasses import replace
import errno
import math
import shutil
import time

import numpy as np
import pytest
import soundfile

from doa_ros.audio.source import AudioBlock
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.dashboard import recorder as recorder_module
from doa_ros.dashboard.recorder import Recorder
from doa_ros.dashboard.recording_labels import Label, label_from

# Short, as the tests are to be [s].
_DURATION = 1.2
_BLOCK = 2400


def _blocks(array, kind=np.int32, seconds=2.0, first=7000):
    generator = np.random.default_rng(4)
    count = round(seconds * array.sampling_frequency)
    noise = 0.1 * generator.standard_normal((count, array.channel_count))
    audio = noise.astype(np.float32) if kind == np.float32 else (noise * 2**31).astype(np.int32)
    if kind == np.int16:
        audio = (noise * 2**15).astype(np.int16)
    for begin in range(0, count, _BLOCK):
        piece = audio[begin : begin + _BLOCK]
        yield AudioBlock(piece, array.sampling_frequency, first + begin, 0)


def _end(recorder):
    """Wait for the end of the recording; return what is said of it."""
    deadline = time.monotonic() + 20
    while recorder.running:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return recorder.state['said']


def _record(recorder, array, label, blocks):
    recorder.begin(array, label)
    for block in blocks:
        recorder.take(block)
    return _end(recorder)


def _rows(folder):
    with (folder / 'labels.csv').open(newline='') as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize('kind', [np.int16, np.int32, np.float32])
def test_the_sound_is_kept_to_the_sample(uma8, tmp_path, kind):
    recorder = Recorder(tmp_path, _DURATION)
    before = Label(math.radians(-35), math.nan, 'kitchen')
    assert recorder.state == {'running': False, 'recorded': 0, 'duration': 1.2, 'said': ''}
    said = _record(recorder, uma8, before, _blocks(uma8, kind))
    (path,) = (tmp_path / 'kitchen').iterdir()
    assert said == f'recorded 1.2 s to {path}'
    assert recorder.state['recorded'] == 1.2
    audio, rate = soundfile.read(path, dtype='float64')
    expected = np.concatenate([b.samples for b in _blocks(uma8, kind)])[: round(1.2 * rate)]
    scale = 1 if kind == np.float32 else -float(np.iinfo(kind).min)
    np.testing.assert_allclose(audio, expected / scale, atol=2**-31)
    assert _rows(tmp_path) == [
        {
            'file': f'kitchen/{path.name}',
            'start': '',
            'end': '',
            'azimuth_deg': '-35',
            'elevation_deg': '',
        }
    ]


def test_fine_tuning_reads_them(uma8, tmp_path):
    pytest.importorskip('tqdm', reason='training needs tqdm')
    from training.data.recordings import load_recordings

    turned = replace(uma8, rotation=math.radians(30))
    recorder = Recorder(tmp_path, _DURATION)
    for azimuth, room in ((90, 'kitchen'), (-20, 'hall')):
        label = Label(math.radians(azimuth), math.radians(15), room)
        assert _record(recorder, turned, label, _blocks(uma8)).startswith('recorded')
    clips = list(load_recordings(tmp_path, uma8, FeatureConfig(), strict=True))
    found = {clip.room: clip for clip in clips}
    assert set(found) == {'kitchen', 'hall'}
    # Labels are those of the board, which is turned.
    for room, azimuth in (('kitchen', 60), ('hall', -50)):
        (source,) = found[room].sources
        assert np.degrees(source.azimuth) == pytest.approx(azimuth)
        assert np.degrees(source.elevation) == pytest.approx(15)
        assert found[room].audio.shape == (round(1.2 * 48000), 6)


def test_there_is_never_more_than_one(uma8, tmp_path):
    recorder = Recorder(tmp_path, _DURATION)
    label = Label(0.0, math.nan, 'room')
    assert str(tmp_path / 'room') in recorder.begin(uma8, label)
    with pytest.raises(ConfigError, match='a recording runs already'):
        recorder.begin(uma8, label)
    for block in _blocks(uma8):
        recorder.take(block)
    assert _end(recorder).startswith('recorded')
    # Within the same second, the next one gets a name of its own.
    assert _record(recorder, uma8, label, _blocks(uma8)).startswith('recorded')
    assert len(_rows(tmp_path)) == len(list((tmp_path / 'room').iterdir())) == 2


@pytest.fixture
def nothing_left(tmp_path):
    yield
    assert [p for p in tmp_path.rglob('*') if p.is_file()] == []


def test_lost_sound_ends_it(uma8, tmp_path, nothing_left):
    blocks = list(_blocks(uma8))
    said = _record(Recorder(tmp_path, _DURATION), uma8, Label(0, 0, 'a'), blocks[:4] + blocks[5:])
    assert said.endswith('some of the sound was lost: record it again')


def test_no_sound_ends_it(uma8, tmp_path, nothing_left, monkeypatch):
    monkeypatch.setattr(recorder_module, '_PATIENCE', 0.1)
    said = _record(Recorder(tmp_path, _DURATION), uma8, Label(0, 0, 'a'), [])
    assert 'no sound comes' in said and 'publish_audio' in said


def test_the_end_of_the_node_ends_it(uma8, tmp_path, nothing_left):
    recorder = Recorder(tmp_path, _DURATION)
    recorder.begin(uma8, Label(0, 0, 'a'))
    recorder.take(next(_blocks(uma8)))
    recorder.close()
    assert not recorder.running
    assert recorder.state['said'].endswith('the node has ended')


def test_a_disk_that_is_full_is_said_before_and_meanwhile(
    uma8, tmp_path, nothing_left, monkeypatch
):
    recorder = Recorder(tmp_path, _DURATION)
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, 'disk_usage', lambda _: usage._replace(free=5_000_000))
        with pytest.raises(ConfigError, match='has room for 5 MB, but a recording needs 12 MB'):
            recorder.begin(uma8, Label(0, 0, 'a'))

    def write(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr('wave.Wave_write.writeframesraw', write)
    said = _record(recorder, uma8, Label(0, 0, 'a'), _blocks(uma8))
    assert said.startswith(f'nothing was recorded to {tmp_path}')
    assert said.endswith(': No space left on device')


@pytest.mark.parametrize('place', ['/proc/none', '/dev/null/x'])
def test_a_folder_that_cannot_be(uma8, place):
    with pytest.raises(ConfigError, match='cannot be used .(No such file|Not a directory)'):
        Recorder(recorder_module.Path(place)).begin(uma8, Label(0, 0, 'a'))


def test_labels_that_are_there_stay(uma8, tmp_path):
    table = tmp_path / 'labels.csv'
    table.write_text('azimuth_deg,file\n30,old.wav')
    recorder = Recorder(tmp_path, _DURATION)
    assert _record(recorder, uma8, Label(0.5, 0, 'a'), _blocks(uma8)).startswith('recorded')
    assert table.read_text().splitlines()[:2] == ['azimuth_deg,file', '30,old.wav']
    assert _rows(tmp_path)[1]['azimuth_deg'] == '28.6479'


def test_labels_of_another_form_are_not_touched(uma8, tmp_path):
    recorder = Recorder(tmp_path, _DURATION)
    (tmp_path / 'labels.yaml').write_text('labels: []')
    with pytest.raises(ConfigError, match='which a labels.csv would hide'):
        recorder.begin(uma8, Label(0, 0, 'a'))
    (tmp_path / 'labels.csv').write_text('name,angle\n')
    with pytest.raises(ConfigError, match='must begin with the line file,start,end'):
        recorder.begin(uma8, Label(0, 0, 'a'))
    (tmp_path / 'labels.csv').write_bytes(b'\xff\xfe')
    with pytest.raises(ConfigError, match='is no text'):
        recorder.begin(uma8, Label(0, 0, 'a'))
    # It became so while the recording ran: the recording goes, the labels stay.
    (tmp_path / 'labels.csv').unlink()
    (tmp_path / 'labels.yaml').unlink()
    recorder.begin(uma8, Label(0, 0, 'a'))
    (tmp_path / 'labels.yaml').write_text('labels: []')
    for block in _blocks(uma8):
        recorder.take(block)
    assert 'nothing was recorded' in _end(recorder)
    assert [p.name for p in tmp_path.rglob('*') if p.is_file()] == ['labels.yaml']


def test_what_a_person_enters():
    label = label_from({'azimuth_deg': -180, 'elevation_deg': 45.5, 'room': 'living-room_2'})
    assert label == Label(-math.pi, math.radians(45.5), 'living-room_2')
    assert math.isnan(label_from({'azimuth_deg': 0, 'room': 'a'}).elevation)


@pytest.mark.parametrize(
    'changes',
    [
        *({'azimuth_deg': a} for a in (181, -1e9, math.nan, math.inf, None, '30', True, [1])),
        *({'elevation_deg': e} for e in (91, -91, math.nan, '5', False)),
        *({'room': r} for r in ('', '.', '..', '../a', 'a/b', '/a', '-a', 'ä', 'a' * 41, 5, None)),
        {'room': 'a\n'},
    ],
)
def test_what_nobody_may_enter(changes):
    content = {'azimuth_deg': 10, 'elevation_deg': None, 'room': 'a'} | changes
    with pytest.raises(ConfigError, match='must be'):
        label_from(content)
