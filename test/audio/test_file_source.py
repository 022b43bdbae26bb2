# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of every format, and those that cannot be used."""

import threading
import time

import numpy as np
import pytest
import soundfile

from doa_ros.audio.file_source import FileSource
from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.source import AudioBlock
from doa_ros.core.errors import AudioError

_NOW = 1_700_000_000_000_000_000
_BLOCK = 0.02


def _clock():
    return _NOW


@pytest.fixture(scope='module')
def sound():
    """Return 0.1 s of noise on 8 channels that differ, within -0.5..0.5."""
    return np.random.default_rng(1).uniform(-0.5, 0.5, (4800, 8))


@pytest.fixture
def record(tmp_path, sound):
    def make(name='a.wav', samples=sound, rate=48000, **options):
        path = tmp_path / name
        soundfile.write(path, samples, rate, **{'subtype': 'PCM_24', **options})
        return path

    return make


def _all(source) -> list[AudioBlock]:
    return list(source.blocks(_clock))


def _refused(path, array, **options):
    with pytest.raises(AudioError) as error:
        _all(FileSource(path, array, block_duration=_BLOCK, **options))
    assert str(error.value).startswith(f'{path}: ')
    return str(error.value)


# --- formats --------------------------------------------------------------------------


@pytest.mark.parametrize('channels', [8, 6])
@pytest.mark.parametrize(
    ('name', 'subtype', 'kind', 'error'),
    [
        ('a.wav', 'PCM_U8', 'int16', 2**-7),
        ('a.wav', 'PCM_16', 'int16', 2**-15),
        ('a.wav', 'PCM_24', 'int32', 2**-23),
        ('a.wav', 'PCM_32', 'int32', 2**-23),
        ('a.wav', 'FLOAT', 'float32', 2**-23),
        ('a.wav', 'DOUBLE', 'float32', 2**-23),
        ('a.flac', 'PCM_16', 'int16', 2**-15),
        ('a.flac', 'PCM_24', 'int32', 2**-23),
        ('a.w64', 'PCM_24', 'int32', 2**-23),
    ],
)
def test_formats(record, uma8, sound, name, subtype, kind, error, channels):
    path = record(name, sound[:, :channels], subtype=subtype)
    source = FileSource(path, uma8, block_duration=_BLOCK)
    assert (source.channel_count, source.sampling_frequency) == (channels, 48000)
    assert source.duration == pytest.approx(0.1)
    blocks = _all(source)
    assert all(block.samples.dtype == kind for block in blocks)
    heard = np.concatenate([block.as_float() for block in blocks])
    assert heard.dtype == np.float32
    np.testing.assert_allclose(heard, sound[:, :channels], atol=error)


def test_32_bits_arrive_unchanged(record, uma8):
    samples = np.random.default_rng(2).integers(-(2**31), 2**31, (4800, 8), dtype=np.int32)
    source = FileSource(record(samples=samples, subtype='PCM_32'), uma8, block_duration=_BLOCK)
    np.testing.assert_array_equal(np.concatenate([b.samples for b in _all(source)]), samples)


def test_full_scale_is_one():
    for kind in (np.int16, np.int32):
        limits = np.iinfo(kind)
        block = AudioBlock(np.array([[limits.min, 0, limits.max]], dtype=kind), 48000, 0, 0)
        np.testing.assert_allclose(block.as_float(), [[-1, 0, 1]], atol=2**-14)


def test_blocks_are_contiguous_and_stamped(record, uma8):
    # 50 ms fit into 0.1 s and a bit twice; the rest comes as a short block.
    path = record(samples=np.zeros((5000, 8)))
    blocks = _all(FileSource(path, uma8, block_duration=0.05))
    assert [len(b.samples) for b in blocks] == [2400, 2400, 200]
    assert [b.first_sample_index for b in blocks] == [0, 2400, 4800]
    assert [b.stamp - _NOW for b in blocks] == [0, 50_000_000, 100_000_000]
    assert {b.sampling_frequency for b in blocks} == {48000}


def test_loop_goes_on_counting(record, uma8):
    path = record(samples=np.arange(4000)[:, None] * np.full((1, 8), 2**-20))
    source = FileSource(path, uma8, block_duration=_BLOCK, loop=True)
    stream = source.blocks(_clock)
    blocks = [next(stream) for _ in range(20)]
    ends = [b.first_sample_index + len(b.samples) for b in blocks]
    assert [b.first_sample_index for b in blocks[1:]] == ends[:-1]
    assert ends[-1] > 3 * 4000
    heard = np.concatenate([b.as_float()[:, 0] for b in blocks])
    np.testing.assert_allclose(heard, np.arange(ends[-1]) % 4000 * 2**-20, atol=1e-6)
    source.close()
    assert next(stream, None) is None


@pytest.mark.parametrize('rate', [16000, 44100, 96000])
def test_another_rate_is_brought_to_that_of_the_array(record, uma8, rate):
    tones = np.sin(2 * np.pi * np.outer(np.arange(rate) / rate, 500 * np.arange(1, 9)))
    path = record(samples=0.5 * tones, rate=rate)
    warnings = []
    recording = Recording(path, warn=warnings.append)
    source = FileSource(recording, uma8, block_duration=_BLOCK, loop=True)
    assert source.sampling_frequency == 48000
    assert source.duration == 1
    blocks = []
    for block in source.blocks(_clock):
        blocks.append(block)
        if block.first_sample_index >= 96000:
            source.close()
    assert {len(b.samples) for b in blocks} == {960}
    heard = np.concatenate([b.samples for b in blocks])
    assert heard.dtype == np.float32
    expected = 0.5 * np.sin(2 * np.pi * np.outer(np.arange(48000) / 48000, 500 * np.arange(1, 9)))
    for begin in (0, 48000):
        played = heard[begin : begin + 48000]
        np.testing.assert_allclose(played[500:-500], expected[500:-500], atol=2e-3)
    (sentence,) = warnings
    assert sentence.startswith(f'{path}: is sampled at {rate} Hz and resampled to the 48000 Hz of')
    assert ('holds nothing above 8000 Hz' in sentence) == (rate == 16000)


# --- pace -----------------------------------------------------------------------------


@pytest.mark.real_time
def test_real_time_takes_as_long_as_the_recording(record, uma8):
    path = record(samples=np.zeros((14400, 8)))
    start = time.monotonic()
    _all(FileSource(path, uma8, block_duration=_BLOCK))
    assert time.monotonic() - start < 0.25
    start = time.monotonic()
    arrivals = []
    source = FileSource(path, uma8, block_duration=_BLOCK, real_time=True)
    for block in source.blocks(time.monotonic_ns):
        arrivals.append((time.monotonic() - start, block.first_sample_index + len(block.samples)))
    # Not before its last sample would have been heard.
    assert all(arrived >= end / 48000 - 0.005 for arrived, end in arrivals)
    assert 0.29 < arrivals[-1][0] < 1.0


@pytest.mark.real_time
@pytest.mark.parametrize('real_time', [True, False])
def test_close_from_another_thread_ends_the_blocks(record, uma8, real_time):
    # Blocks of a second, so that close comes while it waits.
    path = record(samples=np.zeros((96000, 8)), subtype='PCM_16')
    source = FileSource(path, uma8, block_duration=1.0, real_time=real_time, loop=True)
    thread = threading.Thread(target=lambda: _all(source), daemon=True)
    thread.start()
    time.sleep(0.05)
    start = time.monotonic()
    source.close()
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - start < 0.5


# --- what cannot be used --------------------------------------------------------------


@pytest.mark.parametrize('channels', [1, 2, 7])
def test_wrong_channel_count(record, uma8, sound, channels):
    message = _refused(record(samples=sound[:, :channels]), uma8)
    assert 'needs all 8 channels of its device or the 6 microphones alone' in message


def test_missing_file(tmp_path, uma8):
    assert 'no such file' in _refused(tmp_path / 'none.wav', uma8)


def test_folder(tmp_path, uma8):
    assert 'cannot be read as audio' in _refused(tmp_path, uma8)


@pytest.mark.parametrize('name', ['a.wav', 'a.flac', 'a.txt', 'a.raw', 'a'])
@pytest.mark.parametrize('content', [b'', b'no audio ' * 100, b'RIFF', b'fLaC', b'\0' * 5000])
def test_not_audio(tmp_path, uma8, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert 'cannot be read as audio' in _refused(path, uma8)


def test_no_samples(record, uma8):
    path = record(samples=np.zeros((0, 8)))
    assert 'holds no samples' in _refused(path, uma8)


@pytest.mark.parametrize('value', [np.nan, np.inf, 1e20])
def test_not_finite(record, uma8, sound, value):
    samples = sound.copy()
    samples[3000, 5] = value
    message = _refused(record(samples=samples, subtype='FLOAT'), uma8)
    assert 'holds samples that are NaN or far beyond full scale' in message


@pytest.mark.parametrize('loop', [False, True])
def test_truncated_flac_is_reported(record, uma8, sound, loop):
    path = record('a.flac', np.tile(sound, (5, 1)))
    path.write_bytes(path.read_bytes()[:50_000])
    assert 'damaged' in _refused(path, uma8, loop=loop)


@pytest.mark.parametrize('loop', [False, True])
def test_flac_without_its_sound_is_reported(record, uma8, loop):
    path = record('a.flac')
    path.write_bytes(path.read_bytes()[:8300])
    assert 'damaged' in _refused(path, uma8, loop=loop)


def test_truncated_wav_plays_what_is_there(record, uma8, sound):
    path = record('a.wav', subtype='PCM_16')
    path.write_bytes(path.read_bytes()[: 44 + 16 * 3000 + 5])
    with pytest.warns(UserWarning, match='header says 0.100 s, but 0.062 s') as warnings:
        source = FileSource(path, uma8, block_duration=_BLOCK)
        heard = np.concatenate([b.as_float() for b in _all(source)])
    assert len(warnings) == 1
    assert source.duration == 3000 / 48000
    assert len(heard) == 3000
    np.testing.assert_allclose(heard, sound[:3000], atol=2**-15)


@pytest.mark.parametrize('loop', [False, True])
def test_truncated_flac_plays_what_is_there(record, uma8, sound, loop):
    path = record('a.flac', np.tile(sound, (5, 1)))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    warnings = []
    recording = Recording(path, warn=warnings.append)
    source = FileSource(recording, uma8, block_duration=_BLOCK, loop=loop)
    assert source.duration is None
    stream = source.blocks(_clock)
    heard = np.concatenate([next(stream).as_float() for _ in range(8)])
    np.testing.assert_allclose(heard, np.tile(sound, (5, 1))[:7680], atol=2**-23)
    if loop:
        assert all(len(block.samples) for block, _ in zip(stream, range(50), strict=False))
    else:
        assert sum(len(block.samples) for block in stream) + len(heard) == 8192
    assert len(warnings) == 1
