# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Any recording: it plays, or is refused with one sentence."""

import io
import os
from pathlib import Path
import tempfile

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
import soundfile

from doa_ros.audio.file_source import FileSource
from doa_ros.audio.recordings.mono import read_mono
from doa_ros.audio.recordings.raw_format import RAW_ENCODINGS, RawFormat
from doa_ros.audio.recordings.recording import Recording
from doa_ros.core.errors import DoaError
from doa_ros.core.samples import usable

# More than any of these recordings, however damaged, has [samples].
_MOST = 10_000_000


@pytest.fixture(scope='module')
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def _recording(folder, suffix, subtype, channels):
    path = folder / f'original_{subtype}_{channels}{suffix}'
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (500, channels))
    soundfile.write(path, samples, 48000, subtype=subtype)
    return path.read_bytes()


@pytest.mark.parametrize(
    ('suffix', 'subtype'),
    [('.wav', 'PCM_16'), ('.wav', 'FLOAT'), ('.flac', 'PCM_24'), ('.w64', 'PCM_32')],
)
@given(data=st.data())
def test_any_recording(folder, damaged, uma8, suffix, subtype, data):
    path = folder / f'damaged{suffix}'
    path.write_bytes(data.draw(damaged(_recording(folder, suffix, subtype, 8))))
    _play(path, path, uma8)


@pytest.mark.parametrize(
    ('suffix', 'subtype'), [('.wav', 'PCM_16'), ('.flac', 'PCM_24'), ('.w64', 'PCM_32')]
)
@given(data=st.data())
def test_any_recording_through_a_pipe(folder, damaged, uma8, suffix, subtype, data):
    content = data.draw(damaged(_recording(folder, suffix, subtype, 8)))
    _play(_Pipe(content), 'standard input', uma8)


@given(content=st.binary(max_size=5000), channels=st.sampled_from([6, 8]))
def test_any_samples_without_a_header(uma8, content, channels):
    for encoding in RAW_ENCODINGS:
        raw = RawFormat(encoding, 48000, channels)
        for stream in (_Pipe(content), io.BytesIO(content)):
            _play(stream, 'standard input', uma8, raw)


class _Pipe(io.BytesIO):
    """Bytes that come once."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise io.UnsupportedOperation('seek')


def _play(source, name, array, raw=None):
    """Play a recording, or have it refused with one sentence."""
    count, warnings = 0, []
    try:
        recording = Recording(source, raw=raw, warn=warnings.append)
        channels = recording.channel_count
        for block in FileSource(recording, array, block_duration=0.05).blocks(lambda: 0):
            assert 0 < len(block.samples) <= 2400
            assert block.samples.shape[1] == channels
            assert usable(block.samples)
            assert block.first_sample_index == count
            count += len(block.samples)
            assert count < _MOST
    except DoaError as error:
        warnings.append(str(error))
    assert all(text.startswith(f'{name}: ') and '\n' not in text for text in warnings)


@pytest.mark.parametrize(('suffix', 'subtype'), [('.wav', 'PCM_16'), ('.flac', 'PCM_16')])
@pytest.mark.filterwarnings('ignore:.*its header says')
@given(data=st.data())
def test_any_recording_to_simulate_with(folder, damaged, suffix, subtype, data):
    path = folder / f'damaged{suffix}'
    path.write_bytes(data.draw(damaged(_recording(folder, suffix, subtype, 1))))
    try:
        samples = read_mono(path, 48000)
    except DoaError as error:
        assert str(error).startswith(f'{path}: ')
        assert '\n' not in str(error)
    else:
        assert samples.ndim == 1 and np.isfinite(samples).all()
        assert len(samples) < _MOST


@pytest.mark.timeout(20)
@pytest.mark.parametrize('name', ['pipe.wav', '/dev/zero', '/dev/null'])
def test_pipes_and_devices_are_no_recordings(tmp_path, uma8, name):
    path = tmp_path / name
    if name == 'pipe.wav':
        os.mkfifo(path)
    for read in (
        lambda: FileSource(path, uma8, block_duration=0.05),
        lambda: read_mono(path, 48000),
    ):
        with pytest.raises(DoaError, match='not a regular file'):
            read()
