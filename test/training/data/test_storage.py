# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What simulate leaves on the disk, file by file."""

import csv
from dataclasses import replace
import io

import numpy as np
import pytest
import soundfile

from doa_ros.core.errors import ConfigError
from training.data import storage
from training.data.clips import Clip, Source
from training.data.recordings import LABELS
from training.settings import Settings

_HOP = 0.05


@pytest.fixture
def clip():
    """Return 5 s of a source with a short and a long pause."""
    voiced = np.zeros(100, dtype=bool)
    voiced[10:20] = voiced[30:40] = voiced[70:80] = True
    angles = np.radians(np.linspace(0, 99, 100))
    source = Source(azimuth=angles, elevation=angles / 2, voiced=voiced)
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (80000, 4)).astype(np.float32)
    return Clip(audio, 16000, (source,), ~voiced, 'room')


@pytest.fixture
def shard():
    content = io.BytesIO()
    np.savez(content, clip=np.array([3, 3, 4]))
    return storage.Shard('val', 1, 2, content.getvalue(), {}, [], {})


def test_data_of_other_settings_is_not_mixed(tmp_path):
    settings = Settings('uma8')
    storage.remember(settings, tmp_path)
    more = replace(settings, simulate=replace(settings.simulate, train_clips=1, val_clips=1))
    storage.remember(more, tmp_path)
    other = replace(settings, simulate=replace(settings.simulate, rt60_max=0.3))
    with pytest.raises(ConfigError, match='other settings'):
        storage.remember(other, tmp_path)


def test_a_shard_counts_once_it_is_whole(shard, tmp_path):
    (tmp_path / 'val').mkdir()
    assert storage.stored_clips(tmp_path, 'val', 1) == 0
    storage.write(shard, tmp_path)
    assert storage.stored_clips(tmp_path, 'val', 1) == 2
    (path,) = (tmp_path / 'val').iterdir()
    path.write_bytes(shard.content[:-50])
    assert storage.stored_clips(tmp_path, 'val', 1) == 0


def test_a_pause_of_a_second_parts_a_source(clip):
    rows = storage.stretches(clip, 'a.flac', _HOP)
    assert rows == [
        ('a.flac', '0.300', '2.000', '10.00', '5.00'),
        ('a.flac', '3.300', '4.000', '70.00', '35.00'),
    ]
    assert storage.stretches(replace(clip, sources=()), 'a.flac', _HOP) == [
        ('a.flac', '', '', '', '')
    ]


@pytest.mark.parametrize(('channels', 'name'), [(8, '000012.flac'), (9, '000012.wav')])
def test_audio_of_any_array_is_stored(clip, channels, name):
    assert storage.audio_name(12, channels) == name
    audio, rate = soundfile.read(io.BytesIO(storage.encoded(clip, name[6:])))
    assert rate == clip.sampling_frequency
    assert np.allclose(audio, clip.audio, atol=2**-22)


def test_labels_are_put_in_order_and_cut_rows_left_out(tmp_path):
    path = tmp_path / 'audio' / 'train' / 'labels.csv'
    storage.rewrite_labels(tmp_path, 'train')
    with path.open('a', encoding='utf-8') as file:
        file.write('000002.flac,1.0,2.0,5,6\n000001.flac,10.0,11.0,5,6\n')
        file.write('000001.flac,9.0,9.5,5,6\n000003.flac,,,,\n000004.fl')
    storage.rewrite_labels(tmp_path, 'train', without={3})
    with path.open(newline='', encoding='utf-8') as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(LABELS)
    assert [row[:2] for row in rows[1:]] == [
        ['000001.flac', '9.0'], ['000001.flac', '10.0'], ['000002.flac', '1.0']
    ]  # fmt: skip
