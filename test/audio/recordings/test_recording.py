# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings whose headers are wrong, whose end is missing, or that come through a pipe."""

import io
import os
from pathlib import Path
import stat
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile

from doa_ros.audio.recordings.raw_format import RawFormat
from doa_ros.audio.recordings.recording import Recording
from doa_ros.core.errors import AudioError

_RATE = 48000
_COUNT = 30000
_LENGTH_PLACE = 40
_HEADER = 44


@pytest.fixture(scope='module')
def samples():
    """Return noise on 8 channels, 24 bits in int32."""
    noise = np.random.default_rng(3).integers(-(2**23), 2**23, (_COUNT, 8), dtype=np.int32)
    return noise * 256


@pytest.fixture(scope='module')
def audio(samples):
    """Return the content of a file, by format and subtype."""
    known = {}

    def make(form='WAV', subtype='PCM_32', **options):
        key = form, subtype, *options.items()
        if key not in known:
            file = io.BytesIO()
            # soundfile does not scale integers that it writes as floats.
            values = samples / 2**31 if subtype in ('FLOAT', 'DOUBLE') else samples
            soundfile.write(file, values, _RATE, format=form, subtype=subtype, **options)
            known[key] = file.getvalue()
        return known[key]

    return make


@pytest.fixture(scope='module')
def wav(audio):
    """Return the content of an ordinary WAV file with another length in its header."""

    def make(stated=None):
        content = bytearray(audio())
        assert content[36:40] == b'data' and len(content) == _HEADER + 32 * _COUNT
        if stated is not None:
            content[_LENGTH_PLACE:_HEADER] = struct.pack('<I', stated)
        return bytes(content)

    return make


class _Heard:
    """All of a recording."""

    def __init__(self, source, block=7000, **options):
        self.warnings = []
        recording = Recording(source, warn=self.warnings.append, **options)
        self.duration = recording.duration
        blocks = []
        while len(block_read := recording.read(block)):
            blocks.append(block_read)
        assert not len(recording.read(block))
        self.samples = np.concatenate(blocks)
        recording.close()


def _pipe(content):
    """Return the end of a pipe through which bytes come, some at a time."""
    end, begin = os.pipe()

    def write():
        try:
            with os.fdopen(begin, 'wb', buffering=0) as file:
                for place in range(0, len(content), 10_000):
                    file.write(content[place : place + 10_000])
        except BrokenPipeError:
            pass

    threading.Thread(target=write, daemon=True).start()
    return os.fdopen(end, 'rb')


def _as_file(content, tmp_path):
    path = tmp_path / 'recording'
    path.write_bytes(content)
    return path


def _as_stream(content, tmp_path):
    return io.BytesIO(content)


def _as_pipe(content, tmp_path):
    return _pipe(content)


each_way = pytest.mark.parametrize('way', [_as_file, _as_stream, _as_pipe])


def _chunk(name, content):
    return name + struct.pack('<I', len(content)) + content + b'\0' * (len(content) % 2)


# --- lengths that are wrong -----------------------------------------------------------


@each_way
@pytest.mark.parametrize(
    ('stated', 'said'),
    [
        (0, '0.000 s'),
        # A program that brought its header up to date now and then, and was killed.
        (32 * 4800, '0.100 s'),
        (2**32 - 1, None),
        # That of sox in a pipe.
        (0x7FFFFFFF - 36, '1398.101 s'),
    ],
)
def test_a_length_that_is_wrong(way, wav, samples, tmp_path, stated, said):
    heard = _Heard(way(wav(stated), tmp_path))
    np.testing.assert_array_equal(heard.samples, samples)
    assert heard.duration == (None if way is _as_pipe else _COUNT / _RATE)
    if said is None:
        assert heard.warnings == []
        return
    (sentence,) = heard.warnings
    name = tmp_path / 'recording' if way is _as_file else 'standard input'
    assert sentence.startswith(f'{name}: its header says {said}, but 0.625 s of sound can be read')


@each_way
def test_a_wav_file_that_is_cut_off(way, wav, samples, tmp_path):
    # Within a sample.
    heard = _Heard(way(wav()[: _HEADER + 32 * 10_000 + 5], tmp_path))
    np.testing.assert_array_equal(heard.samples, samples[:10_000])
    (sentence,) = heard.warnings
    assert 'says 0.625 s, but 0.208 s of sound can be read and are used: it was cut' in sentence


def test_lengths_that_differ_can_be_told_apart(wav, tmp_path):
    (sentence,) = _Heard(_as_file(wav()[:-1], tmp_path)).warnings
    assert f'says {_COUNT} samples, but {_COUNT - 1} samples of sound can be read' in sentence


@pytest.mark.parametrize('trailer', [b'', _chunk(b'LIST', b'INFOISFT')])
def test_more_than_4_gb(wav, samples, tmp_path, trailer):
    path = tmp_path / 'long.wav'
    size = 32 * 60 * 47 * _RATE
    with path.open('wb') as file:
        # Holes take no place on the disk.
        file.write(wav(size % 2**32))
        file.seek(_HEADER + size - 32 * 100)
        file.write(samples[:100].tobytes() + trailer)
    warnings = []
    recording = Recording(path, warn=warnings.append)
    assert recording.duration == 60 * 47
    (sentence,) = warnings
    assert f'says {size % 2**32 / 32 / _RATE:.3f} s, but 2820.000 s of sound can' in sentence
    np.testing.assert_array_equal(recording.read(_COUNT), samples)
    recording.seek(recording.sample_count - 100)
    np.testing.assert_array_equal(recording.read(_COUNT), samples[:100])


def test_a_pipe_that_goes_on_after_the_length_of_its_header(wav, samples, tmp_path):
    heard = _Heard(_pipe(wav(32 * 4801) + _chunk(b'LIST', b'abcd')))
    # Six channels' worth of chunk are no sample of eight.
    np.testing.assert_array_equal(heard.samples, samples)
    assert 'says 0.100 s, but 0.625 s' in heard.warnings[0]


def test_a_file_that_grows_is_as_it_was_when_it_was_opened(wav, samples, tmp_path):
    path = _as_file(wav(0)[: _HEADER + 32 * 20_000], tmp_path)
    recording = Recording(path, warn=lambda _: None)
    with path.open('ab') as file:
        file.write(wav()[-32 * 10_000 :])
    np.testing.assert_array_equal(recording.read(2 * _COUNT), samples[:20_000])
    assert recording.duration == 20_000 / _RATE


# --- headers that are right -----------------------------------------------------------


@each_way
@pytest.mark.parametrize(
    'trailer',
    [
        b'',
        _chunk(b'LIST', b'INFO'),
        _chunk(b'id3 ', b'odd') + _chunk(b'LIST', b'INFO'),
        # The file was cut off within it; no sample is missing.
        _chunk(b'LIST', b'INFO' * 1000)[:-999],
    ],
)
def test_chunks_after_the_samples_are_no_sound(way, wav, samples, tmp_path, trailer):
    heard = _Heard(way(wav() + trailer, tmp_path))
    np.testing.assert_array_equal(heard.samples, samples)
    assert heard.warnings == []


@each_way
def test_chunks_before_the_samples(way, wav, samples, tmp_path):
    content = wav()
    odd = _chunk(b'bext', b'x' * 1001)
    heard = _Heard(way(content[:12] + odd + content[12:36] + odd + content[36:], tmp_path))
    np.testing.assert_array_equal(heard.samples, samples)
    assert heard.warnings == []


@each_way
@pytest.mark.parametrize(
    ('form', 'subtype', 'kind', 'error'),
    [
        ('WAV', 'PCM_U8', 'int16', 2**-7),
        ('WAV', 'PCM_16', 'int16', 2**-15),
        ('WAV', 'PCM_24', 'int32', 0),
        ('WAV', 'FLOAT', 'float32', 0),
        ('WAV', 'DOUBLE', 'float32', 0),
        ('WAV', 'ULAW', 'float32', 2**-5),
        ('WAVEX', 'PCM_24', 'int32', 0),
        ('WAVEX', 'FLOAT', 'float32', 0),
        ('RF64', 'PCM_32', 'int32', 0),
        ('W64', 'PCM_24', 'int32', 0),
        ('W64', 'FLOAT', 'float32', 0),
        ('FLAC', 'PCM_16', 'int16', 2**-15),
        ('FLAC', 'PCM_24', 'int32', 0),
    ],
)
def test_formats(way, audio, samples, tmp_path, form, subtype, kind, error):
    heard = _Heard(way(audio(form, subtype), tmp_path))
    assert heard.samples.dtype == kind
    assert heard.warnings == []
    scale = 1 if kind == 'float32' else -float(np.iinfo(kind).min)
    np.testing.assert_allclose(heard.samples / scale, samples / 2**31, rtol=0, atol=error)


@pytest.mark.parametrize(
    ('form', 'subtype', 'options'),
    [
        ('WAV', 'PCM_32', {'endian': 'BIG'}),
        ('WAV', 'FLOAT', {'endian': 'BIG'}),
        # What this module does not know, libsndfile may.
        ('AIFF', 'PCM_24', {}),
        ('CAF', 'PCM_24', {}),
        ('AU', 'PCM_32', {}),
    ],
)
def test_other_formats(audio, samples, form, subtype, options):
    content = audio(form, subtype, **options)
    assert content[:4] == {'WAV': b'RIFX', 'AIFF': b'FORM', 'CAF': b'caff', 'AU': b'.snd'}[form]
    heard = _Heard(io.BytesIO(content))
    expected = samples / 2**31 if subtype == 'FLOAT' else samples
    np.testing.assert_array_equal(heard.samples, expected)
    assert heard.duration == _COUNT / _RATE


def test_a_format_that_a_pipe_cannot_bring(tmp_path):
    file = io.BytesIO()
    # Longer than what is kept of a pipe: libsndfile looks for more behind the samples.
    soundfile.write(file, np.zeros((200_000, 8)), _RATE, format='AIFF', subtype='PCM_24')
    with pytest.raises(AudioError, match='this format cannot come through a pipe; give a file'):
        _Heard(_as_pipe(file.getvalue(), tmp_path))


@pytest.mark.parametrize('form', ['RF64', 'W64'])
def test_relatives_of_wav_that_are_cut_off(audio, samples, tmp_path, form):
    heard = _Heard(_as_file(audio(form, 'PCM_32')[: 32 * 10_000], tmp_path))
    count = len(heard.samples)
    assert 9_990 < count < 10_000
    np.testing.assert_array_equal(heard.samples, samples[:count])
    assert 'says 0.625 s, but 0.208 s' in heard.warnings[0]


# --- FLAC -----------------------------------------------------------------------------


@pytest.fixture(scope='module')
def unknown_length(audio):
    """Return a FLAC file that was written to a pipe: nobody filled in how many samples it has."""
    content = bytearray(audio('FLAC', 'PCM_24'))
    assert content[:4] == b'fLaC'
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    return bytes(content)


@each_way
@pytest.mark.parametrize('block', [960, 7000, 24000, _COUNT, 2 * _COUNT])
def test_flac_of_unknown_length(way, unknown_length, samples, tmp_path, block):
    heard = _Heard(way(unknown_length, tmp_path), block)
    np.testing.assert_array_equal(heard.samples, samples)
    assert heard.duration is None
    assert heard.warnings == []


@each_way
@pytest.mark.parametrize('block', [960, _COUNT])
def test_flac_that_is_cut_off(way, audio, samples, tmp_path, block):
    content = audio('FLAC', 'PCM_24')
    heard = _Heard(way(content[: len(content) // 2], tmp_path), block)
    # Whole blocks of FLAC, and none of them lost.
    count = len(heard.samples)
    assert _COUNT / 2 - 4096 <= count <= _COUNT / 2
    np.testing.assert_array_equal(heard.samples, samples[:count])
    assert heard.duration is None
    (sentence,) = heard.warnings
    assert f'says 0.625 s, but {count / _RATE:.3f} s of sound can be read' in sentence


def test_flac_of_unknown_length_that_is_cut_off(unknown_length, samples, tmp_path):
    heard = _Heard(_as_file(unknown_length[: len(unknown_length) // 2], tmp_path))
    count = len(heard.samples)
    assert _COUNT / 2 - 4096 <= count <= _COUNT / 2
    np.testing.assert_array_equal(heard.samples, samples[:count])
    (sentence,) = heard.warnings
    assert f'damaged after {count / _RATE:.3f} s' in sentence


@pytest.mark.parametrize('block', [960, 7000, 2 * _COUNT])
@pytest.mark.parametrize(('lost', 'cut_out'), [(1, True), (1, False), (150_000, False)])
def test_flac_that_is_damaged_goes_on_after_it(audio, samples, tmp_path, block, lost, cut_out):
    content = bytearray(audio('FLAC', 'PCM_24'))
    for middle in (len(content) // 3, len(content) * 2 // 3):
        content[middle : middle + lost] = b'' if cut_out else bytes(lost)
    heard = _Heard(_as_file(content, tmp_path), block)
    # Everything at its time; silence for the blocks in which something is lost.
    assert heard.samples.shape == samples.shape
    assert heard.duration == _COUNT / _RATE
    good = (heard.samples == samples).all(axis=1)
    assert not heard.samples[~good].any()
    assert 2 * 4096 * (1 + lost // 100_000) <= (~good).sum() <= 5 * 4096
    assert good[:4096].all() and good[-1]
    (sentence,) = heard.warnings
    assert 'damaged at ' in sentence and 'silence replaces what is lost' in sentence


def test_it_can_begin_anew_after_damage(audio, samples, tmp_path):
    content = audio('FLAC', 'PCM_24')
    recording = Recording(_as_file(content[: len(content) // 2], tmp_path), warn=lambda _: None)
    first = recording.read(_COUNT)
    recording.seek(0)
    np.testing.assert_array_equal(recording.read(_COUNT), first)


# --- without a header -----------------------------------------------------------------


@each_way
@pytest.mark.parametrize(
    ('encoding', 'pack', 'kind'),
    [
        ('s16', lambda s: (s >> 16).astype('<i2').tobytes(), 'int16'),
        ('s24', lambda s: s.astype('<i4').view(np.uint8).reshape(-1, 4)[:, 1:].tobytes(), 'int32'),
        ('s32', lambda s: s.astype('<i4').tobytes(), 'int32'),
        ('f32', lambda s: (s / 2**31).astype('<f4').tobytes(), 'float32'),
    ],
)
def test_raw(way, samples, tmp_path, encoding, pack, kind):
    heard = _Heard(way(pack(samples), tmp_path), raw=RawFormat(encoding, _RATE, 8))
    assert heard.samples.dtype == kind
    expected = samples >> 16 if encoding == 's16' else samples / (2**31 if kind[0] == 'f' else 1)
    np.testing.assert_array_equal(heard.samples, expected)
    assert heard.warnings == []


def test_raw_that_is_not_a_whole_number_of_samples(samples, tmp_path):
    path = _as_file(samples.tobytes(), tmp_path)
    heard = _Heard(path, raw=RawFormat('s32', _RATE, 7))
    (sentence,) = heard.warnings
    assert sentence.startswith(f'{path}: its {32 * _COUNT} bytes are no whole number of samples')


# --- what cannot be read --------------------------------------------------------------


def _refused(source, **options):
    with pytest.raises(AudioError) as error:
        recording = Recording(source, **options)
        recording.read(100)
    assert '\n' not in str(error.value)
    str(error.value).encode('utf-8')
    return str(error.value)


@each_way
@pytest.mark.parametrize('content', [b'', b'RIFF', b'no audio ' * 1000, bytes(100_000)])
def test_no_audio(way, tmp_path, content):
    assert 'cannot be read as audio' in _refused(way(content, tmp_path))


def test_what_cannot_be_read_is_closed(tmp_path):
    path = tmp_path / 'scene.yaml'
    path.write_text('rt60: 0.3\n')
    before = os.listdir('/proc/self/fd')
    with pytest.raises(AudioError) as error:
        Recording(path)
    # The traceback still knows it.
    assert os.listdir('/proc/self/fd') == before, error


@each_way
@pytest.mark.parametrize('size', [12, 30, _HEADER])
def test_a_header_without_samples(way, wav, tmp_path, size):
    message = _refused(way(wav()[:size], tmp_path))
    assert 'cannot be read as audio' in message or 'no samples' in message


def test_paths_that_cannot_be_read(tmp_path):
    assert 'file name too long' in _refused(tmp_path / ('a' * 300 + '.wav'))
    assert 'not a directory' in _refused(Path(__file__) / 'a.wav')
    assert 'null byte' in _refused(Path('a\0b.wav'))
    assert 'not a regular file' in _refused(tmp_path)


@pytest.mark.timeout(20)
def test_a_pipe_with_a_name_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / 'pipe.wav')
    assert 'not a regular file' in _refused(tmp_path / 'pipe.wav')


def test_what_one_may_not_read(audio, tmp_path):
    (tmp_path / 'locked').mkdir()
    inside = tmp_path / 'locked' / 'a.wav'
    secret = tmp_path / 'secret.wav'
    for path in (inside, secret):
        path.write_bytes(audio())
    secret.chmod(0)
    (tmp_path / 'locked').chmod(0)
    code = (
        'import os, sys\n'
        'from pathlib import Path\n'
        'from doa_ros.audio.recordings.recording import Recording\n'
        'from doa_ros.core.errors import AudioError\n'
        'import soundfile\n'
        'if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n'
        'for name in sys.argv[1:]:\n'
        '    try: Recording(Path(name))\n'
        '    except AudioError as error: print(error)\n'
    )
    # Where the folder itself is that of root alone, it is the same.
    done = subprocess.run(
        [sys.executable, '-c', code, inside, secret], capture_output=True, text=True, check=True
    )
    (tmp_path / 'locked').chmod(stat.S_IRWXU)
    assert done.stdout.splitlines() == [
        f'{path}: cannot be read as audio (permission denied)' for path in (inside, secret)
    ]


@pytest.mark.parametrize('name', [b'caf\xe9.wav', 'caf\u00e9.wav'.encode(), b'two\nlines.wav'])
def test_names_of_any_bytes(wav, samples, tmp_path, name):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b'/' + name))
    assert 'no such file' in _refused(path)
    path.write_bytes(wav(0))
    heard = _Heard(path)
    np.testing.assert_array_equal(heard.samples, samples)
    (sentence,) = heard.warnings
    sentence.encode('utf-8')
    assert '\n' not in sentence


def test_a_disk_that_fails(wav):
    class Failing(io.BytesIO):
        def read(self, count=-1):
            if self.tell() > 100_000:
                raise OSError(5, 'Input/output error')
            return super().read(count)

    recording = Recording(Failing(wav()))
    with pytest.raises(AudioError, match='cannot be read as audio .input/output error'):
        while len(recording.read(1000)):
            pass


def test_ctrl_c_within_the_library_is_not_lost(wav):
    class Interrupted(io.BytesIO):
        def read(self, count=-1):
            if self.tell() > 100_000:
                raise KeyboardInterrupt
            return super().read(count)

    recording = Recording(Interrupted(wav()))
    with pytest.raises(KeyboardInterrupt):
        while len(recording.read(1000)):
            pass


def test_without_soundfile(tmp_path):
    code = (
        'import sys\n'
        "sys.modules['soundfile'] = None\n"
        'from pathlib import Path\n'
        'from doa_ros.audio.file_source import FileSource\n'
        'from doa_ros.audio.recordings.mono import read_mono\n'
        'from doa_ros.core.errors import AudioError\n'
        'for use in (lambda: FileSource(Path("a.wav"), None, block_duration=1),\n'
        '            lambda: read_mono(Path("a.wav"), 48000)):\n'
        '    try: use()\n'
        '    except AudioError as error: print(error)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    sentence = 'the Python package soundfile is not installed; try: pip install soundfile'
    assert done.stdout.splitlines() == [sentence, sentence], done.stderr
