# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The audio that simulate leaves on the disk, and its labels."""

import csv
from dataclasses import replace
import io

import numpy as np
import pytest
import soundfile

from training.data.audio_files import audio_name, encoded_audio, label_rows, sort_labels
from training.data.clips import Clip, Source
from training.data.labels import LABEL_COLUMNS

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


def test_a_pause_of_a_second_parts_a_source(clip):
    rows = label_rows(clip, 'a.flac', _HOP)
    assert rows == [
        ('a.flac', '0.300', '2.000', '10.00', '5.00'),
        ('a.flac', '3.300', '4.000', '70.00', '35.00'),
    ]
    assert label_rows(replace(clip, sources=()), 'a.flac', _HOP) == [('a.flac', '', '', '', '')]


@pytest.mark.parametrize(('channels', 'name'), [(8, '000012.flac'), (9, '000012.wav')])
def test_audio_of_any_array_is_stored(clip, channels, name):
    assert audio_name(12, channels) == name
    audio, rate = soundfile.read(io.BytesIO(encoded_audio(clip, name[6:])))
    assert rate == clip.sampling_frequency
    assert np.allclose(audio, clip.audio, atol=2**-22)


def test_labels_are_put_in_order_and_cut_rows_left_out(tmp_path):
    path = tmp_path / 'audio' / 'train' / 'labels.csv'
    sort_labels(tmp_path, 'train')
    with path.open('a', encoding='utf-8') as file:
        file.write('000002.flac,1.0,2.0,5,6\n000001.flac,10.0,11.0,5,6\n')
        file.write('000001.flac,9.0,9.5,5,6\n000003.flac,,,,\n000004.fl')
    sort_labels(tmp_path, 'train', without={3})
    with path.open(newline='', encoding='utf-8') as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(LABEL_COLUMNS)
    assert [row[:2] for row in rows[1:]] == [
        ['000001.flac', '9.0'], ['000001.flac', '10.0'], ['000002.flac', '1.0']
    ]  # fmt: skip
