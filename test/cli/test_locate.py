# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-locate on a recording of the demo scene."""

import csv
from dataclasses import replace
from functools import cache, partial
import io
import json
import math
import os
import signal
import subprocess
import sys
import termios

import numpy as np
import pytest
import soundfile
import yaml

from doa_ros import network_choice
from doa_ros.audio.recordings.resampling import resample
from doa_ros.audio.scene_source import SceneSource
from doa_ros.core.array_file import load_array
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.localization.compatibility import default_features
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.samples import as_float
from doa_ros.resources import find_resource


@pytest.fixture(scope='module')
def scene(uma8):
    return SceneSource(find_resource('scenes', 'demo'), uma8, block_duration=0.05, real_time=False)


@pytest.fixture(scope='module')
def audio(scene):
    blocks = [block.samples for block in scene.blocks(lambda: 0)]
    # Silence, then the first words.
    return np.concatenate(blocks)[: 5 * scene.sampling_frequency]


@pytest.fixture(scope='module')
def recording(audio, tmp_path_factory):
    path = tmp_path_factory.mktemp('recording') / 'scene.wav'
    soundfile.write(path, audio, 48000, subtype='PCM_32')
    return path


@pytest.fixture(scope='module')
def locate(call):
    """Return a function that runs the tool; what it says of a file, it says again."""
    return cache(partial(call, 'locate'))


def lines(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize('installed', [True, False])
def test_progress_is_shown_where_tqdm_is_installed(installed, tmp_path):
    recording = tmp_path / 'short.wav'
    soundfile.write(recording, np.zeros((24000, 8)), 48000)
    if not installed:
        (tmp_path / 'tqdm.py').write_text('raise ImportError')
    path = os.pathsep.join([str(tmp_path), os.environ.get('PYTHONPATH', '')])
    screen, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    done = subprocess.run(
        [sys.executable, '-m', 'doa_ros.cli.locate', recording, '--method', 'srp_phat'],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=os.environ | {'PYTHONPATH': path},
        check=False,
    )
    os.write(terminal, b'!')
    shown = ''
    while not shown.endswith('!'):
        shown += os.read(screen, 10000).decode()
    os.close(screen)
    os.close(terminal)
    assert done.returncode == 0, shown
    assert done.stdout.count(b'\n') > 8
    assert ('100%' in shown) == installed
    assert installed or shown == '!'


@pytest.mark.parametrize('method', ['cnn', 'srp_phat'])
def test_jsonl_follows_the_talker(locate, recording, scene, method):
    rows = [
        json.loads(line)
        for line in lines(locate(recording, '--method', method, '--format', 'jsonl'))
    ]
    stamps = [row['stamp'] for row in rows]
    np.testing.assert_allclose(stamps, 0.1 + 0.05 * np.arange(99), atol=1e-6)
    ghosts = sum(bool(row['estimates']) for row in rows if row['stamp'] < 1.9)
    # Without a memory, a gust of noise may have a direction for a moment.
    assert ghosts <= (0 if method == 'cnn' else 2)
    found = [row for row in rows if row['estimates']]
    assert len(found) > 20
    errors = []
    for row in found:
        estimate = row['estimates'][0]
        azimuth, _ = scene.config.direction(row['stamp'])
        errors.append(math.remainder(estimate['azimuth_deg'] - math.degrees(azimuth), 360))
    assert np.mean(np.abs(errors) < 20) >= (1 if method == 'cnn' else 0.85)


def test_csv_and_table_say_the_same(locate, recording):
    rows = list(csv.DictReader(lines(locate(recording, '--format', 'csv'))))
    table = lines(locate(recording))[1:]
    assert len(rows) == len(table) == 99
    for row, line in zip(rows, table, strict=True):
        time, azimuth, _, _ = line.split()  # Not all that there is fits into a line.
        assert float(time) == pytest.approx(float(row['stamp']), abs=0.006)
        assert (azimuth == '-') == (row['azimuth_deg'] == '')
        if row['azimuth_deg']:
            assert float(azimuth) == pytest.approx(float(row['azimuth_deg']), abs=0.06)


def test_tracks_go_on_through_pauses(locate, recording, scene):
    arguments = recording, '--tracks', '--format', 'jsonl'
    rows = [json.loads(line) for line in lines(locate(*arguments))]
    assert [row['stamp'] for row in rows] == pytest.approx(0.1 + 0.05 * np.arange(99), abs=1e-6)
    found = [row for row in rows if row['tracks']]
    assert len(found) > 40
    # From the first word to the end of the recording.
    assert rows[-1] == found[-1] and len(found) == round((5.0 - found[0]['stamp']) / 0.05) + 1
    for row in found:
        (track,) = row['tracks']
        assert track['track_id'] == 1
        azimuth, _ = scene.config.direction(row['stamp'])
        if not track['predicted']:
            error = math.remainder(math.radians(track['azimuth_deg']) - azimuth, 2 * math.pi)
            assert abs(error) < math.radians(10)
    assert track['age'] > 2
    rates = [row['tracks'][0]['azimuth_rate_deg'] for row in found]
    assert np.median(rates) == pytest.approx(10, abs=8)


def test_tracks_in_csv_and_table(locate, recording):
    rows = list(csv.DictReader(lines(locate(recording, '--tracks', '--format', 'csv'))))
    header, *table = lines(locate(recording, '--tracks'))
    assert len(rows) == len(table) == 99
    assert header.split('  ')[-1] == 'predicted'
    for row, line in zip(rows, table, strict=True):
        cells = line.split()
        assert (len(cells), len(row)) == (9, 13)
        assert (cells[1] == '-') == (row['track_id'] == '')
        if row['track_id']:
            assert cells[1] == row['track_id'] == '1'
            assert float(cells[2]) == pytest.approx(float(row['azimuth_deg']), abs=0.06)
            assert cells[-1] == row['predicted']


@pytest.mark.parametrize('arguments', [[], ['--tracks']])
def test_jsonl_and_csv_hold_all_that_the_messages_hold(locate, recording, arguments):
    messages = pytest.importorskip('doa_ros.msg')
    message = messages.DoaTrackArray if arguments else messages.DoaEstimateArray
    fields = set(message.get_fields_and_field_types()) - {'header'}
    elements = set(messages.DoaEstimate.get_fields_and_field_types())
    if arguments:
        elements |= set(messages.DoaTrack.get_fields_and_field_types()) - {'estimate'}
    # Angles are in degrees here.
    elements = {f'{n}_deg' if n.startswith(('azimuth', 'elevation')) else n for n in elements}
    rows = [json.loads(line) for line in lines(locate(recording, *arguments, '--format', 'jsonl'))]
    name = 'tracks' if arguments else 'estimates'
    assert all(set(row) == {'stamp', *fields} for row in rows)
    found = [row for row in rows if row[name]]
    assert found and all(set(one) == elements for row in found for one in row[name])
    table = list(csv.DictReader(lines(locate(recording, *arguments, '--format', 'csv'))))
    assert set(table[0]) == {'stamp', *elements, *fields} - {name}
    # The first of a window is the same one.
    by_stamp = {float(row['stamp']): row for row in reversed(table)}
    for row in found:
        for key, value in (row | row[name][0]).items():
            if key != name:
                cell = by_stamp[row['stamp']][key]
                assert cell == str(value).lower() if key == 'predicted' else (float(cell) == value)


def test_deviations_and_ages_are_those_of_the_localizer(locate, recording, audio, uma8):
    features = default_features(uma8, None)
    localizer = Localizer(uma8, features, LocalizerConfig(method='srp_phat'))
    windows = FeatureExtractor(uma8, features).push(0, as_float(audio))
    rows = lines(locate(recording, '--method', 'srp_phat', '--format', 'jsonl'))
    count = 0
    for line, window in zip(map(json.loads, rows), windows, strict=True):
        assert line['window_duration'] == 0.1
        assert line['hop'] == features.hop
        assert line['sound_age'] == pytest.approx(window.sound_age, abs=6e-4)
        for one, estimate in zip(
            line['estimates'], localizer.locate(window).estimates, strict=True
        ):
            count += 1
            for angle in ('azimuth', 'elevation', 'azimuth_stddev', 'elevation_stddev'):
                value = math.degrees(getattr(estimate, angle))
                assert one[f'{angle}_deg'] == pytest.approx(value, abs=0.006)
    assert count > 20


def test_the_microphones_alone_give_the_same(locate, recording, audio, tmp_path):
    path = tmp_path / 'microphones.flac'
    soundfile.write(path, audio[:, 1:7], 48000, subtype='PCM_24')
    # 24 bits instead of 32: a step of the network's input more or less, and what follows of it.
    six, eight = (
        [json.loads(line)['estimates'] for line in lines(locate(file, '--format', 'jsonl'))]
        for file in (path, recording)
    )
    assert sum(len(a) == len(b) for a, b in zip(six, eight, strict=True)) > 0.95 * len(six)
    for a, b in zip(six, eight, strict=True):
        if a and b:
            assert math.remainder(a[0]['azimuth_deg'] - b[0]['azimuth_deg'], 360) == (
                pytest.approx(0, abs=1)
            )


def test_channels_in_another_order(locate, recording, audio, tmp_path):
    path = tmp_path / 'shuffled.wav'
    soundfile.write(path, audio[:, [6, 5, 4, 3, 2, 1]], 48000, subtype='PCM_32')
    shuffled = lines(locate(path, '--channels', '5,4,3,2,1,0'))
    assert shuffled == lines(locate(recording))


@pytest.mark.parametrize('name', ['minidsp_uma16', 'respeaker_usb_4mic'])
def test_another_array(locate, plane_wave, tmp_path, name):
    array = load_array(find_resource('arrays', name))
    path = tmp_path / 'wave.wav'
    samples = plane_wave(array, -1.2, 0.3, duration=1.0)
    soundfile.write(path, samples, array.sampling_frequency, subtype='FLOAT')
    arguments = ['--array', name, '--method', 'srp_phat', '--sensitivity', '1']
    rows = list(csv.DictReader(lines(locate(path, *arguments, '--format', 'csv'))))
    strongest = {row['stamp']: row for row in reversed(rows)}
    assert len(strongest) == 19
    last = strongest[rows[-1]['stamp']]
    assert float(last['azimuth_deg']) == pytest.approx(math.degrees(-1.2), abs=2)


@pytest.mark.parametrize('rate', [8000, 8192, 11025, 12000])
def test_an_array_of_a_low_rate_just_works(locate, plane_wave, square, tmp_path, rate):
    array = replace(square, sampling_frequency=rate)
    path, file = tmp_path / 'square.yaml', tmp_path / 'wave.wav'
    microphones = [
        {'label': label, 'channel': channel, 'position': position}
        for label, channel, position in zip(
            array.labels, array.channels, array.positions.tolist(), strict=True
        )
    ]
    content = {'name': array.name, 'sampling_frequency': rate, 'channel_count': 5}
    path.write_text(yaml.safe_dump(content | {'microphones': microphones}))
    samples = np.zeros((rate, array.channel_count), np.float32)
    samples[:, list(array.channels)] = plane_wave(array, -1.2, 0.3, duration=1.0)
    soundfile.write(file, samples, rate, subtype='FLOAT')
    arguments = [file, '--array', path, '--method', 'srp_phat', '--sensitivity', '1']
    rows = [json.loads(line) for line in lines(locate(*arguments, '--format', 'jsonl'))]
    azimuth = rows[-1]['estimates'][0]['azimuth_deg']
    assert azimuth == pytest.approx(math.degrees(-1.2), abs=3)
    # By default the band ends at 0.45 of the rate; another one can be had.
    band = ['--format', 'jsonl', '--band']
    assert lines(locate(*arguments, *band, f'200,{0.45 * rate}')) == [json.dumps(r) for r in rows]
    assert lines(locate(*arguments, *band, '300,2000')) != [json.dumps(r) for r in rows]


@pytest.mark.parametrize('form', ['WAV', 'FLAC', 'raw'])
def test_standard_input(locate, recording, audio, form):
    file = io.BytesIO()
    if form == 'raw':
        file.write(audio.astype('<i4').tobytes())
    else:
        soundfile.write(file, audio, 48000, format=form, subtype='PCM_24')
    arguments = ['--raw-format', 's32'] if form == 'raw' else []
    command = [sys.executable, '-m', 'doa_ros.cli.locate', '-', '--format', 'csv', *arguments]
    done = subprocess.run(command, input=file.getvalue(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    heard = list(csv.DictReader(done.stdout.decode().splitlines()))
    expected = list(csv.DictReader(lines(locate(recording, '--format', 'csv'))))
    assert [row['stamp'] for row in heard] == [row['stamp'] for row in expected]
    for row, wanted in zip(heard, expected, strict=True):
        if row['azimuth_deg'] and wanted['azimuth_deg']:
            error = float(row['azimuth_deg']) - float(wanted['azimuth_deg'])
            assert math.remainder(error, 360) == pytest.approx(0, abs=1)


def test_microphones_alone_without_a_header(locate, recording, audio, tmp_path):
    path = tmp_path / 'microphones.raw'
    path.write_bytes(audio[:, 6:0:-1].astype('<i4').tobytes())
    raw = ['--raw-format', 's32', '--raw-channels', '6', '--channels', '5,4,3,2,1,0']
    assert lines(locate(path, *raw)) == lines(locate(recording))


@pytest.mark.parametrize('rate', [16000, 44100, 96000])
def test_another_rate(locate, recording, audio, scene, tmp_path, rate):
    path = tmp_path / 'rate.wav'
    soundfile.write(path, resample(audio / 2**31, 48000, rate), rate, subtype='PCM_32')
    done = locate(path, '--format', 'csv')
    assert done.stderr.count(f'is sampled at {rate} Hz and resampled to the 48000 Hz of') == 1
    rows = [row for row in csv.DictReader(lines(done)) if row['azimuth_deg']]
    assert len(rows) > 20
    for row in rows:
        azimuth, _ = scene.config.direction(float(row['stamp']))
        error = math.remainder(float(row['azimuth_deg']) - math.degrees(azimuth), 360)
        assert abs(error) < 20
    # As many windows as without.
    assert len(lines(done)) == len(lines(locate(recording, '--format', 'csv')))


@pytest.mark.parametrize('rate', [8000, 11025])
def test_a_rate_too_low_for_the_band(locate, recording, audio, scene, tmp_path, rate):
    path = tmp_path / 'rate.wav'
    soundfile.write(path, resample(audio / 2**31, 48000, rate), rate, subtype='PCM_32')
    # Whatever the network answered would be wrong, and certain.
    done = locate(path, recording, '--format', 'csv')
    assert done.returncode == 1
    assert f'{path}: holds nothing above {rate / 2:g} Hz, and directions need all' in done.stderr
    assert 'up to 7000 Hz; --method srp_phat takes a narrower one' in done.stderr
    assert done.stdout.count('\n') > 20
    done = locate(path, '--method', 'srp_phat', '--band', '200,6000')
    assert done.returncode == 1
    assert 'up to 6000 Hz\n' in done.stderr
    # By default, the band ends where the recording does.
    done = locate(path, '--method', 'srp_phat', '--format', 'csv')
    rows = [row for row in csv.DictReader(lines(done)) if row['azimuth_deg']]
    errors = []
    for row in rows:
        azimuth, _ = scene.config.direction(float(row['stamp']))
        errors.append(math.remainder(float(row['azimuth_deg']) - math.degrees(azimuth), 360))
    assert len(errors) > 20
    assert np.median(np.abs(errors)) < 5


@pytest.fixture
def several(audio, tmp_path):
    """Return two recordings, of which one has a name that is not easy, and one that is none."""
    paths = [tmp_path / name for name in ('One, two.wav', 'three.flac')]
    for path, begin in zip(paths, (0, 2), strict=True):
        piece = audio[begin * 48000 : (begin + 2) * 48000]
        soundfile.write(path, piece, 48000, subtype='PCM_24')
    return paths[0], tmp_path / 'none.wav', paths[1]


@pytest.mark.parametrize('tracks', [[], ['--tracks']])
def test_several_recordings(locate, several, tracks):
    first, missing, last = several
    outputs = {}
    for form in ('table', 'jsonl', 'csv'):
        done = locate(first, missing, last, '--format', form, *tracks)
        # One that cannot be read does not keep the others from being.
        assert done.returncode == 1
        (sentence,) = [line for line in done.stderr.splitlines() if 'INFO' not in line]
        assert sentence.startswith(f'doa-locate: {missing}: cannot be read')
        outputs[form] = done.stdout.splitlines()
    alone = {path: locate(path, '--format', 'jsonl', *tracks) for path in (first, last)}
    rows = [json.loads(line) for line in outputs['jsonl']]
    # As if each was the only one.
    for path in (first, last):
        own = [json.loads(line) for line in lines(alone[path])]
        assert [row for row in rows if row['file'] == str(path)] == [
            row | {'file': str(path)} for row in own
        ]
    table = list(csv.DictReader(outputs['csv']))
    assert (
        [row['file'] for row in table]
        == [row['file'] for row in rows]
        == ([str(first)] * 39 + [str(last)] * 39)
    )
    assert [float(row['stamp']) for row in table] == [row['stamp'] for row in rows]
    assert outputs['table'][0] == f'{first}:'
    assert outputs['table'][41] == f'{last}:'
    assert outputs['table'][1] == outputs['table'][42]


def test_one_of_several_that_does_not_fit(locate, several, audio, tmp_path):
    stereo = tmp_path / 'stereo.wav'
    soundfile.write(stereo, audio[:, :2], 48000, subtype='PCM_24')
    for arguments in ([], ['--channels', '1,2,3,4,5,6']):
        done = locate(stereo, several[0], '--format', 'jsonl', *arguments)
        assert done.returncode == 1
        assert f'doa-locate: {stereo}: ' in done.stderr
        assert done.stdout.count('\n') == 39


@pytest.mark.parametrize('name', [b'caf\xe9.wav', 'caf\u00e9.wav'.encode(), b'two\nlines.wav'])
def test_names_of_any_bytes(call, several, name):
    settings = {'LC_ALL': 'C', 'PYTHONIOENCODING': 'ascii'}
    path = os.fsencode(several[0].parent) + b'/' + name
    os.rename(several[0], path)
    arguments = ['--method', 'srp_phat', '--format']
    command = [sys.executable, '-m', 'doa_ros.cli.locate', *arguments[:2]]
    done = subprocess.run(
        [*command, '--format', 'jsonl', path, several[2]],
        capture_output=True,
        check=False,
        env=os.environ | settings,
    )
    assert (done.returncode, done.stderr) == (0, b'')
    rows = [json.loads(line)['file'] for line in done.stdout.splitlines()]
    assert os.fsencode(rows[0]) == path
    for form in ('table', 'csv'):
        files = os.fsdecode(path), several[2]
        done = call('locate', *arguments, form, *files, encoding='ascii')
        assert (done.returncode, done.stderr) == (0, '')
        assert done.stdout.isascii()
    done = subprocess.run(
        [*command, path + b'x', '--array', b'./' + name + b'.yaml'],
        capture_output=True,
        check=False,
        env=os.environ | settings,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b'doa-locate: ') and done.stderr.count(b'\n') == 1


@pytest.mark.parametrize('tool', ['locate', 'check'])
@pytest.mark.parametrize(
    ('error', 'sentence'),
    [
        ("ImportError('none')", 'the Python package soundfile is not installed; try: pip install'),
        ("OSError('not found')", 'the library libsndfile cannot be loaded (not found); try: sudo'),
    ],
)
def test_without_soundfile(recording, tmp_path, tool, error, sentence):
    (tmp_path / 'soundfile.py').write_text(f'raise {error}')
    files = [recording] if tool == 'locate' else ['--file', recording, recording, recording]
    done = subprocess.run(
        [sys.executable, '-m', f'doa_ros.cli.{tool}', *files],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ
        | {'PYTHONPATH': os.pathsep.join([str(tmp_path), os.environ.get('PYTHONPATH', '')])},
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f'doa-{tool}: {sentence}')
    assert done.stderr.count('\n') == 1


@pytest.mark.parametrize('name', ['a.wav', 'a.flac'])
def test_a_recording_that_was_cut_off(locate, recording, audio, tmp_path, name):
    path = tmp_path / name
    soundfile.write(path, audio, 48000, subtype='PCM_24')
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    done = locate(path, '--format', 'csv')
    stamps = [float(row['stamp']) for row in csv.DictReader(lines(done))]
    assert done.stderr.count('\n') == 1 + ('INFO' in done.stderr)
    assert f'doa-locate: {path}: its header says 5.000 s, but ' in done.stderr
    there = float(done.stderr.split('but ')[1].split(' s of')[0])
    assert there == pytest.approx(3.75, abs=0.5)
    assert there - 0.051 < stamps[-1] <= there


def test_network_on_another_array_of_the_same_shape(locate, plane_wave, tmp_path):
    array = load_array(find_resource('arrays', 'respeaker_6mic_hat'))
    noise = 1e-4 * np.random.default_rng(1).standard_normal((2 * 16000, 6))
    wave = plane_wave(array, -2.0, 0.3, duration=1.0)
    path = tmp_path / 'wave.wav'
    soundfile.write(path, np.concatenate([noise, wave]), 16000, subtype='FLOAT')
    done = locate(path, '--array', 'respeaker_6mic_hat', '--format', 'jsonl')
    (found,) = json.loads(lines(done)[-1])['estimates']
    assert found['azimuth_deg'] == pytest.approx(math.degrees(-2.0), abs=3)
    assert done.stderr.count('doa-locate: array') == 1
    assert '1.077 times as large; turned by 30.0 deg' in done.stderr
    assert 'no loss could be measured' in done.stderr


def test_another_array_has_the_network_for_every_array(locate, recording, tmp_path, monkeypatch):
    monkeypatch.setattr(network_choice, 'ANY_ARRAY_MODEL', 'uma8_several_int8')
    path = tmp_path / 'wide.yaml'
    text = find_resource('arrays', 'uma8').read_text(encoding='utf-8')
    path.write_text(text.replace('0.043', '0.053'), encoding='utf-8')
    assert path.read_text(encoding='utf-8') != text
    # This one is not for every array, and says so.
    assert 'uma8_several_int8.tflite does not fit' in locate(recording, '--array', path).stderr


def test_an_array_that_does_not_fit_has_no_other_advice(locate, recording, tmp_path):
    path = tmp_path / 'slow.yaml'
    text = find_resource('arrays', 'uma8').read_text(encoding='utf-8')
    path.write_text(text.replace('48000', '12000'), encoding='utf-8')
    done = locate(recording, '--array', path)
    assert done.returncode == 1
    assert 'end at 6000 Hz' in done.stderr
    assert 'no loss could be measured' not in done.stderr


@pytest.fixture(scope='module')
def long(audio, tmp_path_factory):
    path = tmp_path_factory.mktemp('long') / 'long.wav'
    soundfile.write(path, np.tile(audio, (40, 1)), 48000, subtype='PCM_32')
    return path


def test_a_reader_that_has_enough_ends_it_quietly(long):
    # By SIGPIPE, like other programs: it has not done all that it was asked for.
    command = f'{sys.executable} -m doa_ros.cli.locate {long} | head -n 2'
    done = subprocess.run(
        ['bash', '-o', 'pipefail', '-c', command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 128 + signal.SIGPIPE
    assert len(done.stdout.splitlines()) == 2
    assert 'Error' not in done.stderr
    assert 'Exception' not in done.stderr


def test_a_recording_shorter_than_a_window_is_refused(locate, audio, tmp_path):
    path = tmp_path / 'short.wav'
    soundfile.write(path, audio[:1000], 48000, subtype='PCM_32')
    done = locate(path)
    assert done.returncode == 1
    assert 'less than one analysis window' in done.stderr


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(long, number):
    command = [sys.executable, '-m', 'doa_ros.cli.locate', long]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == -number
    assert b'Traceback' not in errors


def test_ctrl_c_ends_the_loop_of_a_shell(long):
    loop = 'for i in 1 2 3; do "$0" -m doa_ros.cli.locate "$1" && echo done; done; echo after'
    with subprocess.Popen(
        ['bash', '-c', loop, sys.executable, long],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Who runs the tests in the background has a shell that ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        output = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        output += process.communicate(timeout=20)[0]
    assert process.returncode == -signal.SIGINT
    assert 'done' not in output and 'after' not in output


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['missing.wav'], 'no such file'),
        (['RECORDING', '--array', 'nonesuch'], 'no array named'),
        (['RECORDING', '--model', 'nonesuch'], 'no model named'),
        (['RECORDING', '--channels', 'a,b'], '--channels takes numbers'),
        (
            ['RECORDING', '--channels', '1,2,3'],
            "one for each of the 6 microphones of array 'uma8', ring_1, ring_2, ring_3, ring_4, "
            "ring_5, ring_6, and not '1,2,3'",
        ),
        (
            ['RECORDING', '--channels', '1,2,3,4,5,8'],
            "scene.wav: --channels 1,2,3,4,5,8: array 'uma8': channels must lie in 0..7",
        ),
        (['RECORDING', '--delegate', 'libnone.so'], "delegate 'libnone.so' cannot be loaded"),
        (['RECORDING', '--array', 'respeaker_usb_4mic'], 'needs all 6 channels'),
        (['missing.raw', '--channels', '1,2,3,4,5,6'], 'missing.raw: cannot be read as audio (no'),
        ([__file__, '--channels', '1,2,3,4,5,6'], 'doa-locate --raw-format reads samples without'),
        (['/dev/zero', '--channels', '1,2,3,4,5,6'], '/dev/zero: cannot be read as audio (not a'),
        (['a' * 300, '--channels', '1,2,3,4,5,6'], 'file name too long'),
        (['RECORDING', '--raw-rate', '48000'], 'are for samples of a --raw-format'),
        (['RECORDING', '--raw-format', 's16', '--raw-channels', '0'], 'have 1..1024 channels'),
        (['RECORDING', '--array', '/etc/passwd/a.yaml'], 'cannot be read (Not a directory)'),
        (['RECORDING', '--model', 'a' * 300], 'File name too long'),
        (['RECORDING', '--sensitivity', '2'], 'sensitivity must be at most 1'),
        (['RECORDING', '--band', '200,3400'], 'its band_max is 7000 and the configured one is'),
        (['RECORDING', '--method', 'srp_phat', '--band', '200,30000'], 'above half the sampling'),
        (['RECORDING', '--method', 'srp_phat', '--band', '900,200'], 'band_min must be below'),
        (['RECORDING', '--method', 'srp_phat', '--band', '200,nan'], 'band_max'),
    ],
)
def test_bad_input_gets_one_sentence(locate, recording, arguments, sentence):
    done = locate(*(recording if a == 'RECORDING' else a for a in arguments))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.startswith('doa-locate: ')
    assert done.stderr.count('\n') == 1
    assert done.stdout == ''


@pytest.mark.parametrize('band', ['', '200', '200,300,400', 'a,b', '200-3400'])
def test_a_band_that_is_none_is_refused_like_other_arguments(locate, recording, band):
    done = locate(recording, f'--band={band}')
    assert done.returncode == 2
    assert done.stderr.endswith(
        f'argument --band: {band!r} is not a lowest and a highest frequency, like 300,3400\n'
    )


def test_a_new_array_is_a_file(tmp_path, locate, plane_wave):
    path = tmp_path / 'triangle.yaml'
    path.write_text(
        """
name: triangle
sampling_frequency: 16000
channel_count: 3
microphones:
  - {label: a, channel: 0, position: [0.04, 0.0, 0.0]}
  - {label: b, channel: 1, position: [-0.02, 0.034, 0.0]}
  - {label: c, channel: 2, position: [-0.02, -0.034, 0.0]}
"""
    )
    sound = plane_wave(load_array(path), math.radians(50), 0.3, duration=3.0)
    # What is there all the time is background.
    sound[: len(sound) // 2] *= 0.001
    soundfile.write(tmp_path / 'a.wav', sound, 16000, subtype='FLOAT')
    rows = lines(
        locate(
            *(tmp_path / 'a.wav', '--array', path, '--method', 'srp_phat'), *('--format', 'jsonl')
        )
    )
    found = [row['estimates'][0] for row in map(json.loads, rows) if row['estimates']]
    assert len(found) > 20
    assert all(abs(one['azimuth_deg'] - 50) < 5 for one in found)
