# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-check on recordings of simulated steps."""

import io
from pathlib import Path
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
import yaml

from doa_ros.audio.capture.device_source import CaptureState
from doa_ros.audio.recordings.mono import read_mono
from doa_ros.audio.recordings.resampling import resample
from doa_ros.audio.source import AudioBlock
from doa_ros.cli.check_sound import DeviceRecorder
from doa_ros.cli.check_steps import QUIET as QUIET_STEP
from doa_ros.cli.check_steps import Step
from doa_ros.cli.check_steps import check as check_array
from doa_ros.core.array_file import load_array
from doa_ros.core.errors import AudioError, DoaError
from doa_ros.core.samples import as_float
from doa_ros.core.symmetry import symmetries
from doa_ros.resources import find_resource
from doa_ros.simulation.scene import SceneConfig, render

QUIET, VOICE = 12, 5


@pytest.fixture(scope='module')
def steps(uma8):
    """Return what a board hears in the three steps, all channels, int32."""
    folder, rate = find_resource('scenes', 'demo').parent, uma8.sampling_frequency
    speech, noise = (read_mono(folder / f'{name}.flac', rate) for name in ('speech', 'noise'))

    def hear(azimuth_deg):
        scene = SceneConfig(
            rt60=0.3,
            duration=float(QUIET + VOICE),
            lead=float(QUIET),
            tail=0.0,
            distance=1.0,
            azimuth_deg=azimuth_deg,
            speed_deg=0.0,
        )
        return render(scene, uma8, speech, noise)[0]

    front, right = hear(6.0), hear(-95.0)
    cut = QUIET * rate
    return [front[:cut], front[cut:], right[cut:]]


@pytest.fixture
def write(uma8, tmp_path):
    """Return a function that writes the recordings of the steps and returns their paths."""

    def run(audio):
        files = []
        for number, samples in enumerate(audio):
            files.append(tmp_path / f'{number}.wav')
            soundfile.write(files[-1], samples, uma8.sampling_frequency, subtype='PCM_32')
        return files

    return run


@pytest.fixture
def check(call, write):
    """Return a function that runs the tool on three recordings; it returns what it did."""
    return lambda audio, *arguments: call('check', '--file', *write(audio), *arguments)


def in_a_process(*arguments):
    command = [sys.executable, '-m', 'doa_ros.cli.check', *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def reorder(uma8, steps, heard):
    """Let the channel of each microphone carry the one that is named in its place."""
    channels = np.array(uma8.channels)
    changed = []
    for samples in steps:
        changed.append(samples.copy())
        changed[-1][:, channels] = samples[:, channels[list(heard)]]
    return changed


def assert_right(path, uma8, heard):
    """Assert that every channel has the place of the microphone that is heard on it."""
    array = load_array(path)
    places = uma8.positions[[heard[uma8.channels.index(c)] for c in array.channels]]
    np.testing.assert_allclose(array.frame_positions[:, :2], places[:, :2], atol=1e-3)


@pytest.mark.parametrize('position', [[0.0, 0.0, 0.05], [0.0, 0.05, 0.0]])
def test_array_whose_orientation_voices_do_not_tell(call, tmp_path, position):
    content = {
        'name': 'other',
        'sampling_frequency': 48000,
        'channel_count': 2,
        'microphones': [
            {'label': 'a', 'channel': 0, 'position': [0.01, 0.0, 0.0]},
            {'label': 'b', 'channel': 1, 'position': [-0.01, 0.01, 0.0]},
            {'label': 'c', 'channel': 2, 'position': position},
        ][: 3 if position[2] else 2],
    }
    content['channel_count'] = len(content['microphones'])
    path = tmp_path / 'other.yaml'
    path.write_text(yaml.safe_dump(content), encoding='utf-8')
    done = call('check', '--array', path, '--file', tmp_path / 'none.wav')
    assert done.returncode == 1
    assert 'is not flat and horizontal: voices do not tell how it lies' in done.stderr
    assert 'Traceback' not in done.stderr


def test_an_array_as_described(write, steps, uma8, tmp_path):
    done = in_a_process('--file', *write(steps), '--out', tmp_path / 'own.yaml')
    assert (done.returncode, done.stderr) == (0, '')
    assert 'no channel has a fault' in done.stdout
    assert 'as described' in done.stdout and 'none: mounting face_up' in done.stdout
    assert_right(tmp_path / 'own.yaml', uma8, range(6))
    written, shipped = load_array(tmp_path / 'own.yaml'), uma8
    assert (written.channels, written.face_down, written.rotation) == (shipped.channels, False, 0)
    assert (written.name, written.device) == (shipped.name, shipped.device)
    assert written.silent_channels == shipped.silent_channels


# Turned, mirrored, both, and two channels swapped besides; the check_study tries all.
@pytest.mark.parametrize(
    'number,swap', [(2, None), (6, None), (9, None), (0, (1, 4)), (8, (2, 3))]
)
def test_other_orders(check, steps, uma8, tmp_path, number, swap):
    heard = list(symmetries(uma8)[number].permutation)
    if swap is not None:
        first, second = swap
        heard[first], heard[second] = heard[second], heard[first]
    done = check(reorder(uma8, steps, heard), '--out', tmp_path / 'own.yaml')
    assert done.returncode == 0, done.stderr
    assert ('against the array file' in done.stdout) == (swap is not None)
    assert_right(tmp_path / 'own.yaml', uma8, heard)


def test_nothing_is_written_unless_asked_for(check, steps, uma8, tmp_path):
    heard = symmetries(uma8)[7].permutation
    done = check(reorder(uma8, steps, heard))
    assert done.returncode == 0
    assert 'mounting: face_down\nrotation_deg: ' in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ['0.wav', '1.wav', '2.wav']


def test_one_recording_with_times(call, steps, uma8, tmp_path):
    path = tmp_path / 'all.wav'
    soundfile.write(path, np.concatenate(steps), uma8.sampling_frequency, subtype='PCM_32')
    done = call(
        'check', '--file', path, '--times', '0-12,12-17,17-22', '--out', tmp_path / 'own.yaml'
    )
    assert done.returncode == 0, done.stderr
    assert_right(tmp_path / 'own.yaml', uma8, range(6))


def test_recordings_are_read_to_the_end_of_what_is_there(call, steps, uma8, tmp_path):
    files = [tmp_path / name for name in ('quiet.wav', 'front.flac', 'right.wav')]
    for file, samples in zip(files, steps, strict=True):
        soundfile.write(file, samples, uma8.sampling_frequency, subtype='PCM_24')
    # Its recorder was killed; it was written to a pipe; it was cut off.
    content = bytearray(files[0].read_bytes())
    content[40:44] = bytes(4)
    files[0].write_bytes(content)
    content = bytearray(files[1].read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    files[1].write_bytes(content)
    content = files[2].read_bytes()
    files[2].write_bytes(content[: len(content) * 4 // 5])
    done = call('check', '--file', *files, '--out', tmp_path / 'own.yaml')
    assert done.returncode == 0, done.stderr
    quiet, right = done.stderr.splitlines()
    assert quiet.startswith(f'doa-check: {files[0]}: its header says 0.000 s, but 12.000 s of')
    assert right.startswith(f'doa-check: {files[2]}: its header says 5.000 s, but 4.000 s of')
    assert_right(tmp_path / 'own.yaml', uma8, range(6))


def test_times_after_the_end(call, steps, uma8, tmp_path):
    path = tmp_path / 'all.wav'
    soundfile.write(path, np.concatenate(steps), uma8.sampling_frequency, subtype='PCM_32')
    done = call('check', '--file', path, '--times', '100-112,112-117,117-122')
    assert done.returncode == 1
    assert done.stderr.startswith(f'doa-check: {path}: 0.0 s are too short; needed are 10 s')


def test_a_recording_at_another_rate(call, steps, uma8, tmp_path):
    path = tmp_path / 'all.wav'
    audio = resample(as_float(np.concatenate(steps)), uma8.sampling_frequency, 44100)
    soundfile.write(path, audio, 44100, subtype='PCM_24')
    times = ['--times', '0-12,12-17,17-22']
    done = call('check', '--file', path, *times, '--out', tmp_path / 'own.yaml')
    assert done.returncode == 0, done.stderr
    # Once, although it is opened for each step.
    (sentence,) = done.stderr.splitlines()
    assert f'{path}: is sampled at 44100 Hz and resampled to the 48000 Hz of' in sentence
    assert_right(tmp_path / 'own.yaml', uma8, range(6))


def test_only_the_steps_of_a_long_recording_are_kept(steps, uma8, tmp_path):
    path = tmp_path / 'all.wav'
    soundfile.write(path, np.concatenate(steps), uma8.sampling_frequency, subtype='PCM_32')
    hole = 2**29
    with path.open('r+b') as file:
        # A hole of silence before the steps, which takes no place on the disk.
        content = file.read()
        file.truncate(44)
        file.seek(44 + hole)
        file.write(content[44:])
    begin = hole / 32 / uma8.sampling_frequency
    times = [f'{begin + a}-{begin + b}' for a, b in ((0, 12), (12, 17), (17, 22))]
    code = (
        'from pathlib import Path\n'
        'from doa_ros.cli.check import main\n'
        'main()\n'
        # Not by getrusage, which counts what its parent held, too.
        'print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])\n'
    )
    command = [sys.executable, '-c', code, '--file', path, '--times', ','.join(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 'says 22.000 s, but 371.5' in done.stderr
    assert 'no channel has a fault' in done.stdout
    # [KiB]
    assert int(done.stdout.split()[-1]) < 900_000


@pytest.mark.parametrize(
    ('name', 'reason'),
    [('a' * 300, 'file name too long'), ('/dev/zero', 'not a regular'), ('b', 'no such file')],
)
def test_a_path_that_cannot_be_read(call, name, reason):
    done = call('check', '--file', name, name, name)
    assert done.returncode == 1
    assert done.stderr.startswith(f'doa-check: {name}: cannot be read as audio ({reason}')
    assert done.stderr.count('\n') == 1


def test_a_dead_microphone_is_named_and_the_rest_goes_on(check, steps, uma8):
    broken = [samples.copy() for samples in steps]
    for samples in broken:
        samples[:, 4] = 0
    done = check(broken)
    assert done.returncode == 0
    assert 'channel 4 (ring_4) is dead' in done.stdout
    assert 'not known, as microphones are dead' in done.stdout
    assert 'none: mounting face_up' in done.stdout


def test_rotated_channels_end_the_check(check, steps, tmp_path):
    path = tmp_path / 'own.yaml'
    done = check([np.roll(samples, 1, axis=1) for samples in steps], '--out', path)
    assert done.returncode == 2
    assert f'Not written: {path}' in done.stdout and not path.exists()
    assert 'the channels are rotated by 1' in done.stdout
    assert 'mounting' not in done.stdout


def test_noise_from_one_direction_says_nothing_about_the_order(check, steps, plane_wave, uma8):
    noise = np.zeros_like(steps[0])
    wave = plane_wave(uma8, 2.0, duration=float(QUIET))
    noise[:, list(uma8.channels)] = wave * 2**28
    done = check([noise, *steps[1:]])
    assert 'cannot be told: the noise comes from one direction' in done.stdout


def test_nobody_speaks(check, steps):
    done = check([steps[0], steps[0][: 48000 * 5], steps[2]])
    assert done.returncode == 1
    assert re.match('doa-check: (no voice is heard|the voice comes from no single)', done.stderr)


@pytest.mark.parametrize('attempts', [1, 2])
def test_a_voice_that_is_not_clear_is_asked_for_again(steps, uma8, capsys, attempts):
    silence = steps[0][: 48000 * 5]
    answers = iter([steps[0], silence, steps[1], steps[2]])
    if attempts == 1:
        with pytest.raises(AudioError, match='voice'):
            check_array(uma8, lambda step: next(answers), attempts)
        return
    result = check_array(uma8, lambda step: next(answers), attempts)
    assert not result.orientation.face_down and result.orientation.rotation == 0
    assert 'once more' in capsys.readouterr().out


def test_both_voices_from_the_same_side(check, steps):
    done = check([steps[0], steps[1], steps[1]])
    assert done.returncode == 1
    assert 'degrees apart instead of about 90' in done.stderr


def test_a_device_is_found_and_heard_from_now_on(virtual_uma8, uma8, steps, tmp_path, capsys):
    path = tmp_path / 'uma8.raw'
    np.concatenate(steps).tofile(path)
    with virtual_uma8(path):
        listed = in_a_process('--list-devices')
        device = DeviceRecorder(uma8, '')
        try:
            first, second = (device.record(Step('Be quiet.', 0.5, 0.0)) for _ in range(2))
        finally:
            device.close()
    assert 'micArray RAW SPK' in listed.stdout and listed.returncode == 0
    assert 'micArray RAW SPK' in capsys.readouterr().out
    assert first.shape == second.shape == (24000, 8)
    # What comes between is left out, and nothing is heard twice.
    begins = [_find(steps[0], part) for part in (first, second)]
    assert begins[1] >= begins[0] + 24000


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_releases_the_device(virtual_uma8, steps, tmp_path, number):
    path = tmp_path / 'uma8.raw'
    np.concatenate(steps).tofile(path)
    command = [sys.executable, '-m', 'doa_ros.cli.check']
    with virtual_uma8(path):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            while 'Be quiet' not in process.stdout.readline():
                pass
            children = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()
            process.send_signal(number)
            # This waits for all processes that still hold its streams.
            _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (-number, '')
        assert children
        end = time.monotonic() + 10
        while any(Path('/proc', child, 'exe').exists() for child in children):
            assert time.monotonic() < end
            time.sleep(0.05)


def _find(whole, part):
    """Return where a part of a recording begins."""
    rows = np.flatnonzero((whole[:, 1] == part[0, 1]) & (whole[:, 2] == part[0, 2]))
    (row,) = [row for row in rows if np.array_equal(whole[row : row + len(part)], part)]
    return row


def test_no_device(call):
    done = call('check', '--device', 'no such device')
    assert done.returncode == 1
    assert done.stderr.startswith("doa-check: no input device whose name contains 'no such")
    # What a person at a terminal can do, and nothing about parameters of nodes.
    assert 'connect it' in done.stderr
    for option in ('--device', '--list-devices', '--file'):
        assert option in done.stderr
    assert 'source:=' not in done.stderr and 'parameter' not in done.stderr


class _SilentSource:
    """In place of a device: it delivers silence for ever."""

    device = 'silent'
    state = CaptureState(warning='2 devices match')

    def __init__(self, array, **_):
        self._array = array

    def blocks(self, clock):
        count = round(0.1 * self._array.sampling_frequency)
        for number in range(10_000):
            samples = np.zeros((count, self._array.channel_count), np.int32)
            yield AudioBlock(samples, self._array.sampling_frequency, number * count, clock())

    def close(self):
        pass


def test_a_device_that_was_chosen_among_several_is_told_of(uma8, monkeypatch, capsys):
    monkeypatch.setattr('doa_ros.cli.check_sound.DeviceSource', _SilentSource)
    DeviceRecorder(uma8, '')
    found, warning = (line.split() for line in capsys.readouterr().out.splitlines())
    assert found == 'ok device silent, which gives all 8 channels'.split()
    assert warning == 'WARN device 2 devices match'.split()


def test_ctrl_d_instead_of_enter(uma8, monkeypatch, capsys):
    monkeypatch.setattr('doa_ros.cli.check_sound.DeviceSource', _SilentSource)
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr('sys.stdin', terminal)
    device = DeviceRecorder(uma8, '')
    assert len(device.record(QUIET_STEP)) == 12 * 48000
    with pytest.raises(DoaError, match='the input has ended .* nothing is written') as ended:
        device.record(Step('Speak.', 0.5, 0.0))
    # Who asks for a voice asks again where the sound is not right: not here.
    assert not isinstance(ended.value, AudioError)


@pytest.mark.parametrize('arguments', [['--file', '0.wav', '1.wav', '2.wav'], []])
def test_where_nothing_can_be_written_is_found_out_first(call, tmp_path, arguments):
    # Neither the recordings nor the device are there, either.
    done = call('check', *arguments, '--out', tmp_path / 'missing' / 'own.yaml')
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr == (
        f'doa-check: {tmp_path}/missing/own.yaml: cannot be written (there is no folder '
        f'{tmp_path}/missing)\n'
    )


def test_a_disk_that_is_full_in_the_end(check, steps):
    done = check(steps, '--out', '/dev/full')
    assert done.returncode == 1
    assert done.stderr == 'doa-check: /dev/full: cannot be written (No space left on device)\n'
    assert 'mounting: face_up\nrotation_deg: 0.0' in done.stdout
    assert 'Written' not in done.stdout


@pytest.mark.parametrize(
    'arguments,message',
    [
        (['--file', 'a.wav'], '--file takes three recordings'),
        (['--file', 'a.wav', 'b.wav', 'c.wav', '--times', '0-1,1-2,2-3'], 'one recording'),
        (['--file', 'a.wav', '--times', '0-1,1-2'], 'three ranges in seconds'),
        (['--file', 'a.wav', '--times', '0-1,2-1,2-3'], 'three ranges in seconds'),
        (['--file', 'a.wav', '--times', 'now'], 'three ranges in seconds'),
        (['--file', 'a.wav', '--times', '0-1,1-2,2-nan'], 'three ranges in seconds'),
        (['--times', '0-1,1-2,2-3'], 'give --file, too'),
        (['--file', 'a.wav', 'b.wav', 'c.wav'], 'no such file'),
        (['--array', 'none'], "no array named 'none'"),
    ],
)
def test_arguments_that_do_not_fit(call, arguments, message):
    done = call('check', *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith('doa-check: ') and message in done.stderr
    assert done.stderr.count('\n') == 1


def test_recordings_that_do_not_fit(check, steps):
    done = check([steps[0][: 48000 * 5], *steps[1:]])
    assert done.returncode == 1 and '5.0 s are too short' in done.stderr
    done = check([samples[:, 1:7] for samples in steps])
    assert done.returncode == 1 and 'has 6 channels; needed are all 8' in done.stderr
