# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
import soundfile
import yaml

from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import wrap_angle
from training.data.bags import DEFINITION, MESSAGE
from training.data.clips import labelled_features
from training.data.recordings import load_recordings

FEATURES = FeatureConfig()
RATE = 16000
HEADER = 'file,start,end,azimuth_deg,elevation_deg\n'
DEFINITION_FILE = Path(__file__).parents[3] / 'msg' / 'AudioFrame.msg'


@pytest.fixture
def heard(plane_wave, square):
    """Four seconds of faint noise, with a sound at (azimuth, elevation) in some of them."""

    def make(azimuth, elevation=0.0, start=2.0, end=3.0, length=4.0, array=square):
        rate = array.sampling_frequency
        shape = round(length * rate), len(array.positions)
        audio = 1e-5 * np.random.default_rng(3).standard_normal(shape)
        sound = plane_wave(array, azimuth, elevation, duration=end - start)
        audio[round(start * rate) :][: len(sound)] += sound
        return audio.astype(np.float32)

    return make


def _label(folder, *rows):
    (folder / 'labels.csv').write_text(HEADER + ''.join(row + '\n' for row in rows))


def _load(folder, array, **options):
    return list(load_recordings(folder, array, FEATURES, **options))


@pytest.mark.parametrize('suffix', ['wav', 'flac'])
@pytest.mark.parametrize('form', ['csv', 'yaml'])
def test_a_labelled_file_becomes_a_clip(tmp_path, heard, square, suffix, form):
    name = f'room/a.{suffix}'
    (tmp_path / 'room').mkdir()
    soundfile.write(tmp_path / name, heard(1.0), RATE)
    if form == 'csv':
        _label(tmp_path, f'{name},1.5,3.5,57.29578,10')
    else:
        rows = [{'file': name, 'start': 1.5, 'end': 3.5, 'azimuth_deg': 57.29578,
                 'elevation_deg': 10}]  # fmt: skip
        (tmp_path / 'labels.yaml').write_text(yaml.safe_dump({'labels': rows}))
    (clip,) = _load(tmp_path, square)
    assert clip.audio.shape == (4 * RATE, 4)
    assert clip.room == 'room'
    (source,) = clip.sources
    # Heard from 2 to 3 s: the pauses of the segment are not voiced, its surroundings not silent.
    np.testing.assert_array_equal(np.flatnonzero(source.voiced), np.arange(43, 62))
    np.testing.assert_array_equal(np.flatnonzero(clip.silent), np.arange(30))
    np.testing.assert_allclose(source.azimuth[30:70], 1.0, rtol=1e-6)
    np.testing.assert_allclose(source.elevation[30:70], np.radians(10))
    assert np.isnan(source.azimuth[:30]).all()


def test_the_features_point_at_the_label(tmp_path, heard, square, locate):
    soundfile.write(tmp_path / 'a.wav', heard(-2.0, 0.2), RATE, subtype='FLOAT')
    _label(tmp_path, 'a.wav,,,-114.5916,11.459')
    (clip,) = _load(tmp_path, square)
    data = labelled_features(square, FEATURES, clip, 0)
    assert data.voiced[:, 0].sum() > 10
    voiced = data.azimuth[data.voiced[:, 0], 0]
    estimate = locate(square, clip.audio[: 3 * RATE])
    assert np.abs(wrap_angle(voiced - estimate.azimuth)).max() < np.radians(3)


def test_all_channels_of_the_device_and_other_rates_are_read(tmp_path, heard, square):
    array = replace(square, sampling_frequency=48000)
    audio = heard(1.0, array=array)
    device = np.zeros((len(audio), square.channel_count), dtype=np.float32)
    device[:, list(square.channels)] = audio
    soundfile.write(tmp_path / 'a.wav', device, 48000, subtype='FLOAT')
    _label(tmp_path, 'a.wav,,,57.3,')
    (clip,) = _load(tmp_path, square)
    np.testing.assert_array_equal(clip.audio, audio)
    assert clip.sampling_frequency == 48000
    assert np.isnan(clip.sources[0].elevation).all()


def test_several_segments_share_sources_where_they_do_not_overlap(tmp_path, heard, square):
    soundfile.write(tmp_path / 'a.wav', heard(1.0, start=0.5, end=3.5), RATE)
    _label(tmp_path, 'a.wav,2.5,3.5,30,0', 'a.wav,0.5,1.5,10,0', 'a.wav,1,3,20,0')
    (clip,) = _load(tmp_path, square)
    first, second = clip.sources
    np.testing.assert_allclose(np.degrees(first.azimuth[[15, 60]]), [10, 30])
    np.testing.assert_allclose(np.degrees(second.azimuth[30:50]), 20)
    # A sound that goes on is expected again only once it fills the windows of its segment.
    assert not first.voiced[50:53].any() and first.voiced[54:69].all()


def test_a_file_without_direction_is_noise_and_one_without_row_unknown(tmp_path, heard, square):
    soundfile.write(tmp_path / 'fan.wav', heard(1.0), RATE)
    soundfile.write(tmp_path / 'forgotten.wav', heard(1.0), RATE)
    _label(tmp_path, 'fan.wav,,,,')
    (clip,) = _load(tmp_path, square)
    assert clip.sources == () and clip.silent.all()
    assert clip.room == 'fan.wav'


def test_a_flat_array_hears_below_as_above(tmp_path, heard, square):
    soundfile.write(tmp_path / 'a.wav', heard(1.0), RATE)
    _label(tmp_path, 'a.wav,,,0,-20')
    (clip,) = _load(tmp_path, square)
    assert np.degrees(clip.sources[0].elevation[0]) == pytest.approx(20)


def test_labels_are_folded_as_the_array_hears(tmp_path, heard, make_array):
    places = np.array([[0, 0.02, 0.02], [0, -0.02, 0.02], [0, -0.02, -0.02], [0, 0.02, -0.02]])
    upright, line = make_array(places), make_array([[0, y, 0] for y in (-0.04, 0, 0.02, 0.04)])
    for array, label, angles in (
        (upright, '140,-20', (40, -20)),
        (upright, '140,', (40, np.nan)),
        (line, '140,0', (40, np.nan)),
    ):
        soundfile.write(tmp_path / 'a.wav', heard(0.5, array=array), RATE)
        _label(tmp_path, f'a.wav,,,{label}')
        (clip,) = _load(tmp_path, array)
        (source,) = clip.sources
        told = source.azimuth[0], source.elevation[0]
        np.testing.assert_allclose(np.degrees(told), angles, atol=1e-6)


def test_long_recordings_come_in_chunks_with_the_same_labels(tmp_path, heard, square, monkeypatch):
    soundfile.write(tmp_path / 'a.wav', heard(1.0), RATE)
    _label(tmp_path, 'a.wav,1.5,2.5,0,0')
    (whole,) = _load(tmp_path, square)
    monkeypatch.setattr('training.data.chunks._LONGEST', 3.0)
    chunks = _load(tmp_path, square)
    assert [len(p.audio) for p in chunks] == [3 * RATE, RATE]
    np.testing.assert_array_equal(np.concatenate([p.audio for p in chunks]), whole.audio)
    np.testing.assert_array_equal(np.concatenate([p.silent for p in chunks]), whole.silent)


def _write_bag(path, audio, storage, *, lost=0, message=MESSAGE):
    """Write frames of 0.1 s; `lost` of them are missing after the 20th."""
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(DEFINITION, message))
    types = store.types
    step = RATE // 10
    with Writer(path, version=9, storage_plugin=storage) as writer:
        connection = writer.add_connection('/doa/audio', message, typestore=store)
        for number, first in enumerate(range(0, len(audio), step)):
            if 20 <= number < 20 + lost:
                continue
            block = np.round(audio[first : first + step] * 2**31).astype('<i4')
            time = divmod(5 * 10**9 + number * 10**8, 10**9)
            stamp = types['builtin_interfaces/msg/Time'](*time)
            frame = types[message](
                header=types['std_msgs/msg/Header'](stamp=stamp, frame_id='mic_array'),
                format='signed_32',
                channel_count=block.shape[1],
                sampling_frequency=RATE,
                frame_sample_count=len(block),
                first_sample_index=1000 + first,
                data=np.frombuffer(block.tobytes(), dtype=np.uint8),
            )
            writer.write(connection, number * 10**8, store.serialize_cdr(frame, message))


@pytest.mark.parametrize('storage', StoragePlugin)
def test_a_bag_is_read_like_a_file(tmp_path, heard, square, storage):
    audio = heard(1.0)
    soundfile.write(tmp_path / 'a.wav', audio, RATE, subtype='PCM_32')
    _write_bag(tmp_path / 'bag', audio, storage)
    _label(tmp_path, 'a.wav,1.5,3.5,10,20', 'bag,1.5,3.5,10,20')
    file, bag = _load(tmp_path, square)
    np.testing.assert_allclose(bag.audio, file.audio, atol=1e-9)
    np.testing.assert_array_equal(bag.sources[0].voiced, file.sources[0].voiced)
    assert bag.room == 'bag'


def test_a_bare_mcap_file_is_read(tmp_path, heard, square):
    _write_bag(tmp_path / 'bag', heard(1.0), StoragePlugin.MCAP)
    (file,) = (tmp_path / 'bag').glob('*.mcap')
    file.rename(tmp_path / 'bare.mcap')
    _label(tmp_path, 'bare.mcap,,,0,0')
    (clip,) = _load(tmp_path, square)
    assert len(clip.audio) == 4 * RATE


def test_a_gap_splits_the_recording_and_keeps_its_time(tmp_path, heard, square):
    audio = heard(1.0)
    _write_bag(tmp_path / 'bag', audio, StoragePlugin.SQLITE3, lost=2)
    _label(tmp_path, 'bag,2.5,3.5,10,20')
    before, after = _load(tmp_path, square)
    assert len(before.audio) == 2 * RATE and not before.sources
    np.testing.assert_allclose(after.audio, audio[round(2.2 * RATE) :], atol=1e-9)
    assert np.flatnonzero(~np.isnan(after.sources[0].azimuth))[0] == 6


def test_a_bag_without_audio_frames_is_refused(tmp_path, heard, square):
    _write_bag(tmp_path / 'bag', heard(1.0), StoragePlugin.MCAP, message='other/msg/AudioFrame')
    _label(tmp_path, 'bag,,,0,0')
    with pytest.raises(AudioError, match='one topic of type doa_ros/msg/AudioFrame'):
        _load(tmp_path, square, strict=True)


def test_the_definition_is_that_of_the_message():
    shipped = get_types_from_msg(DEFINITION_FILE.read_text(), MESSAGE)[MESSAGE]
    assert get_types_from_msg(DEFINITION, MESSAGE)[MESSAGE][1] == shipped[1]


@pytest.mark.parametrize('kind', ['wav', 'mcap', 'bag'])
def test_a_damaged_recording_is_left_out_or_stops(tmp_path, heard, square, kind, capsys):
    soundfile.write(tmp_path / 'good.wav', heard(1.0), RATE)
    bad = tmp_path / f'bad.{kind}'
    if kind == 'bag':
        _write_bag(bad, heard(1.0), StoragePlugin.SQLITE3)
        (file,) = bad.glob('*.db3')
        file.write_bytes(file.read_bytes()[:5000])
    else:
        bad.write_bytes(b'nothing of use')
    _label(tmp_path, f'{bad.name},,,0,0', 'good.wav,,,0,0')
    assert len(_load(tmp_path, square)) == 1
    captured = capsys.readouterr()
    assert f'left out: {bad}' in captured.out and 'left out 1 of 2 recordings' in captured.out
    with pytest.raises(AudioError, match=str(bad)):
        _load(tmp_path, square, strict=True)
    _label(tmp_path, f'{bad.name},,,0,0')
    with pytest.raises(AudioError, match='none of 1 recordings can be read'):
        _load(tmp_path, square)


@pytest.mark.parametrize(
    ('row', 'words'),
    [
        ('a.wav,,,361,0', "row 1: azimuth_deg must be a number in -360..360, not '361'"),
        ('a.wav,,,north,0', 'azimuth_deg must be a number'),
        ('a.wav,,,inf,0', 'azimuth_deg must be a number'),
        ('a.wav,,,0,91', 'elevation_deg must be a number in -90..90'),
        ('a.wav,-1,,0,0', 'start must be a number of at least 0'),
        ('a.wav,2,2,0,0', 'end must come after start'),
        ('a.wav,7,8,0,0', 'row 1: starts at 7 s, but .*a.wav ends at 4 s'),
        ('b.wav,,,0,0', 'b.wav is no recording'),
        ('a.wav,,,0,0,loud', 'unknown more columns'),
        (',,,0,0', 'is no recording'),
        ('\n'.join(['a.wav,,,0,0'] * 4), 'more than 3 segments overlap'),
    ],
)
def test_wrong_labels_are_named(tmp_path, heard, square, row, words):
    soundfile.write(tmp_path / 'a.wav', heard(1.0), RATE)
    _label(tmp_path, row)
    with pytest.raises(ConfigError, match=words):
        _load(tmp_path, square)


def test_missing_labels_and_columns_are_named(tmp_path, square):
    with pytest.raises(ConfigError, match='no labels.csv and no labels.yaml'):
        _load(tmp_path, square)
    _label(tmp_path)
    with pytest.raises(ConfigError, match='holds no labels'):
        _load(tmp_path, square)
    (tmp_path / 'labels.csv').write_text('file,azimuth\na.wav,0\n')
    with pytest.raises(ConfigError, match='missing azimuth_deg'):
        _load(tmp_path, square)
    (tmp_path / 'labels.csv').write_bytes(b'file,azimuth_deg\n\xff\xfe,0\n')
    with pytest.raises(ConfigError, match='cannot be read as CSV'):
        _load(tmp_path, square)


@pytest.mark.parametrize(
    ('rate', 'channels', 'words'),
    [(8000, 4, 'need at least 14000 Hz'), (RATE, 3, 'but the audio has 3 channels')],
)
def test_recordings_that_do_not_fit_are_named(tmp_path, square, rate, channels, words):
    soundfile.write(tmp_path / 'a.wav', np.zeros((rate, channels)), rate)
    _label(tmp_path, 'a.wav,,,0,0')
    with pytest.raises(AudioError, match=words):
        _load(tmp_path, square, strict=True)
