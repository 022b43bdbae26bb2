# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-locate on a recording of the demo scene, as a process of its own."""

import csv
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

from doa_ros.audio.scene import SceneSource
from doa_ros.core.geometry import load_array
from doa_ros.resources import find_resource


@pytest.fixture(scope='module')
def scene(uma8):
    return SceneSource(
        find_resource('scenes', 'demo'), uma8, block_duration=0.05, real_time=False
    )


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
def locate():
    """Return a function that runs the tool."""

    def run(*arguments):
        command = [sys.executable, '-m', 'doa_ros.tools.locate', *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


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
        [sys.executable, '-m', 'doa_ros.tools.locate', recording, '--method', 'srp_phat'],
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
        assert set(estimate) == {'azimuth_deg', 'elevation_deg', 'confidence'}
        azimuth, _ = scene.config.direction(row['stamp'])
        errors.append(math.remainder(estimate['azimuth_deg'] - math.degrees(azimuth), 360))
    assert np.mean(np.abs(errors) < 20) >= (1 if method == 'cnn' else 0.85)


def test_csv_and_table_say_the_same(locate, recording):
    rows = list(csv.DictReader(lines(locate(recording, '--format', 'csv'))))
    table = lines(locate(recording))[1:]
    assert len(rows) == len(table) == 99
    for row, line in zip(rows, table, strict=True):
        time, azimuth, _, _ = line.split()
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
        assert len(cells) == len(row) == 9
        assert (cells[1] == '-') == (row['track_id'] == '')
        if row['track_id']:
            assert cells[1] == row['track_id'] == '1'
            assert float(cells[2]) == pytest.approx(float(row['azimuth_deg']), abs=0.06)
            assert cells[-1] == row['predicted']


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


def test_a_reader_that_has_enough_ends_it_quietly(recording):
    # By SIGPIPE, like other programs: it has not done all that it was asked for.
    command = f'{sys.executable} -m doa_ros.tools.locate {recording} | head -n 2'
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


@pytest.fixture
def long(audio, tmp_path):
    path = tmp_path / 'long.wav'
    soundfile.write(path, np.tile(audio, (40, 1)), 48000, subtype='PCM_32')
    return path


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(long, number):
    command = [sys.executable, '-m', 'doa_ros.tools.locate', long]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == -number
    assert b'Traceback' not in errors


def test_ctrl_c_ends_the_loop_of_a_shell(long):
    loop = 'for i in 1 2 3; do "$0" -m doa_ros.tools.locate "$1" && echo done; done; echo after'
    with subprocess.Popen(
        ['bash', '-c', loop, sys.executable, long],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
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
        (['RECORDING', '--channels', '1,2,3'], 'needs a label, a channel and a position'),
        (['RECORDING', '--channels', '1,2,3,4,5,8'], 'channels must lie in 0..7'),
        (['RECORDING', '--delegate', 'libnone.so'], "delegate 'libnone.so' cannot be loaded"),
        (['RECORDING', '--array', 'respeaker_usb_4mic'], '48000 Hz'),
        (['RECORDING', '--sensitivity', '2'], 'sensitivity must be at most 1'),
    ],
)
def test_bad_input_gets_one_sentence(locate, recording, arguments, sentence):
    done = locate(*(recording if a == 'RECORDING' else a for a in arguments))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.startswith('doa-locate: ')
    assert done.stderr.count('\n') == 1
    assert done.stdout == ''
