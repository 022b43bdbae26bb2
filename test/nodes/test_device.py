# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From a sound card, through PortAudio, to estimates in another process."""

import contextlib
from itertools import pairwise
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import threading
import time

from ament_index_python import get_package_prefix
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile

from doa_ros.core.geometry import wrap_angle
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import AudioFrame, DoaEstimateArray, MicArrayInfo

# Direction of the sound of the fixture `samples` [rad].
AZIMUTH = np.radians(70)
# Length of a frame of audio, and so between estimates [s].
BLOCK = 0.05
# Two analysis windows [s].
LATENCY = 0.2
# What waits at most on a computer that cannot keep up [s]: a pipeline that left nothing out
# would fall behind by more and more.
STARVED_LATENCY = 0.5


def test_a_uma8_gives_directions(playing, start, listener):
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    audio = listener.collect(AudioFrame, 'audio')
    process = start('doa_pipeline', source='device', publish_audio=True)
    listener.spin_until(lambda: sum(bool(m.estimates) for m in estimates) > 20, 'an answer')
    assert process.stop() == 0
    assert audio[-1].channel_count == 8
    assert audio[-1].format == AudioFrame.FORMAT_SIGNED_32
    found = [message.estimates[0].azimuth for message in estimates if message.estimates]
    assert abs(wrap_angle(np.median(found) - AZIMUTH)) < np.radians(5)


def test_a_uma8_that_is_unplugged_is_waited_for(playing, start, listener):
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    audio = listener.collect(AudioFrame, 'audio')
    process = start('doa_pipeline', source='device', method='srp_phat', publish_audio=True)
    listener.spin_until(lambda: estimates, 'an estimate')
    playing.unplug()
    process.wait_for('check its cable; capture goes on when it is back')
    listener.spin(1.5)
    playing.plug()
    process.wait_for("device 'micArray RAW SPK' is back after ", 'averaging starts anew')
    until_then = len(estimates)
    listener.spin_until(lambda: len(estimates) > until_then + 5, 'an estimate')
    assert process.stop() == 0
    # Each reason is said once, and the return; a busy machine may have more of them.
    said = re.findall('.*(?:capture goes on when|is back after).*', process.output)
    said = [line.split(': ', 1)[1] for line in said]
    assert all(one != next_one for one, next_one in pairwise(said))
    assert 'Traceback' not in process.output
    ends = [m.first_sample_index + m.frame_sample_count for m in audio]
    missing = [m.first_sample_index - end for m, end in zip(audio[1:], ends, strict=False)]
    assert max(missing) > 1.5 * 48000
    # Nobody invents a direction of nothing.
    gap = int(np.argmax(missing))
    before, after = stamp_of(audio[gap].header), stamp_of(audio[gap + 1].header)
    assert not [m for m in estimates if before < stamp_of(m.header) < after]


def test_a_uma8_that_is_not_yet_connected_is_waited_for(playing, start, listener):
    playing.unplug()
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    info = listener.collect(MicArrayInfo, 'array_info', latched)
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    health = []

    def note(message):
        health.extend(s for s in message.status if 'audio_capture' in s.name)

    listener.node.create_subscription(DiagnosticArray, '/diagnostics', note, 10)
    process = start('doa_pipeline', source='device', method='srp_phat')
    problem = "device 'micArray RAW SPK' does not open with 8 channels"
    process.wait_for(problem, 'or try source:=sim; capture begins as soon as it can')
    listener.spin_until(lambda: info, 'array_info')
    listener.spin_until(lambda: health and health[-1].level == DiagnosticStatus.ERROR, 'ERROR')
    assert problem in health[-1].message
    listener.spin(2.0)
    assert process.alive and not estimates
    assert process.output.count(problem) == 1
    playing.plug()
    process.wait_for("device 'micArray RAW SPK' was found after ")
    listener.spin_until(lambda: len(estimates) > 5, 'an estimate')
    assert process.stop() == 0
    assert 'Traceback' not in process.output


@pytest.fixture
def fake_devices(tmp_path, monkeypatch):
    """Return a function that says what devices a fake PortAudio has."""
    script = {'problem': '', 'busy': [], 'promised': 0, 'rate': 48000, 'silent': False, 'lost': 0,
              'flagged': True, 'stopped': False, 'hanging': False}  # fmt: skip
    fakes = Path(__file__).parents[1] / 'audio' / 'capture' / 'fakes'
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(fakes), *sys.path]))
    monkeypatch.setenv('FAKE_SOUNDDEVICE', str(tmp_path / 'script.json'))

    def change(*devices, **changes):
        content = json.dumps({**script, **changes, 'devices': devices})
        (tmp_path / 'script.json').write_text(content)

    return change


@pytest.mark.parametrize('encoding', ['utf-8', 'ascii'])
def test_a_device_that_is_named_in_any_bytes_is_named_in_the_log(
    fake_devices, start, monkeypatch, encoding
):
    monkeypatch.setenv('LC_ALL', 'C.UTF-8' if encoding == 'utf-8' else 'C')
    monkeypatch.setenv('PYTHONIOENCODING', encoding)
    fake_devices(['Micro \udce9 été (hw:1,0)', 1, 'ALSA'])
    process = start('doa_pipeline', device='Micro', method='srp_phat')
    process.wait_for('été (hw:1,0)', 'has 1 input channel and the array needs 8; if it is')
    fake_devices(['Micro \udce9 été (hw:1,0)', 8, 'ALSA'])
    process.wait_for('été (hw:1,0)', 'was found after')
    assert process.stop() == 0
    assert 'Traceback' not in process.output


def test_two_devices_that_are_alike_are_a_warning(fake_devices, start, listener):
    fake_devices(*(
        [f'micArray RAW SPK: USB Audio (hw:{card},0)', 8, 'ALSA'] for card in (1, 2)
    ))  # fmt: skip
    health = []

    def note(message):
        health.extend(s for s in message.status if 'audio_capture' in s.name)

    listener.node.create_subscription(DiagnosticArray, '/diagnostics', note, 10)
    process = start('doa_pipeline', method='srp_phat')
    process.wait_for("(hw:1,0)' is used; 2 devices match 'micArray'")
    listener.spin_until(lambda: health and health[-1].level == DiagnosticStatus.WARN, 'WARN')
    assert "2 devices match 'micArray'" in health[-1].message
    assert process.stop() == 0
    (line,) = [line for line in process.output.splitlines() if '2 devices' in line]
    assert '[WARN]' in line


@pytest.mark.parametrize('executable', ['audio_capture', 'doa_pipeline'])
def test_who_waits_for_a_device_ends_when_asked_to(start, executable):
    process = start(executable, device='no such card', method='srp_phat', publish_audio=True)
    process.wait_for('capture begins as soon as it can')
    begin = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - begin < 5.0


def test_a_required_device_that_is_missing_ends_the_process(start):
    process = start('doa_pipeline', device='no such card', method='srp_phat', required=True)
    assert process.end() == 1
    assert process.output.count('[FATAL]') == 1
    assert "contains 'no such card'" in process.output


@pytest.fixture
def busy():
    """Return a function that starts programs which want all of the computer, so many per core."""
    programs = []

    def start(count):
        command = [sys.executable, '-c', 'while True: pass']
        for _ in range(count * os.cpu_count()):
            # Linux shares the computer between sessions before it does between processes.
            programs.append(subprocess.Popen(command, start_new_session=True))

        # What listens must not be late itself.
        _schedule(os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, 1)

    yield start
    _schedule(os.SCHED_OTHER, 0)
    for program in programs:
        program.kill()
        program.wait()


def _schedule(policy, priority):
    """Set how all threads of this process are scheduled, where that is allowed."""
    with contextlib.suppress(PermissionError):
        for task in Path('/proc/self/task').iterdir():
            os.sched_setscheduler(int(task.name), policy, os.sched_param(priority))


@pytest.fixture
def ages(listener):
    """How long ago the sound was complete that each of the estimates is of [s]."""
    ages = []

    def take(message):
        ages.append((time.time_ns() - stamp_of(message.header)) / NANOSECONDS - BLOCK)

    listener.node.create_subscription(DoaEstimateArray, 'estimates', take, 10)
    return ages


@pytest.mark.alone
@pytest.mark.parametrize('mode', ['pipeline', pytest.param('nodes', marks=pytest.mark.nightly)])
def test_estimates_are_in_time_on_a_busy_computer(playing, start, listener, ages, busy, mode):
    if mode == 'pipeline':
        start('doa_pipeline', source='device')
    else:
        for name in ('doa_estimator', 'gcc_phat'):
            start(name)
        start('audio_capture', source='device', publish_audio=True)
    listener.spin_until(lambda: len(ages) > 40, 'estimates')
    busy(4)
    listener.spin(1.0)
    del ages[:]
    begin = time.monotonic()
    listener.spin(8.0)
    passed = time.monotonic() - begin
    rate = len(ages) / passed
    shares = np.percentile(ages, [50, 95, 99, 100]).round(3)
    print(f'{mode}: {rate:.1f} estimates/s of age {shares} s')
    assert np.percentile(ages, 95) < LATENCY
    assert rate > 0.5 / BLOCK


class Starvation:
    """Lets a process run for `share` of every 50 ms only."""

    def __init__(self, process):
        self.share = 0.1
        self._process, self._over = process, threading.Event()
        self._thread = threading.Thread(target=self._starve)

    def _starve(self):
        while not self._over.is_set():
            self._process.send(signal.SIGSTOP)
            time.sleep(BLOCK * (1 - self.share))
            self._process.send(signal.SIGCONT)
            time.sleep(BLOCK * self.share)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


@pytest.mark.alone
def test_a_starved_pipeline_leaves_sound_out_and_counts_it(playing, start, listener, ages):
    dropped = []

    def note(message):
        for status in message.status:
            if status.name.endswith('/audio_capture: health'):
                values = {value.key: value.value for value in status.values}
                dropped.append(int(values['dropped samples']))

    listener.node.create_subscription(DiagnosticArray, '/diagnostics', note, 10)
    process = start('doa_pipeline', source='device')
    listener.spin_until(lambda: len(ages) > 40 and dropped, 'estimates')
    before = dropped[-1]
    with Starvation(process) as starvation:
        # Less and less, until it cannot keep up.
        while dropped[-1] == before:
            starvation.share *= 0.8
            listener.spin(1.5)
        del ages[:]
        listener.spin(6.0)
    shares = np.percentile(ages, [50, 95, 99, 100]).round(3)
    print(
        f'{starvation.share:.3f} of a computer: {len(ages)} estimates of age {shares} s, '
        f'{dropped[-1] - before} samples dropped'
    )
    assert np.percentile(ages, 95) < STARVED_LATENCY


def test_nothing_is_left_of_a_process_that_was_killed(playing, start, listener):
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    process = start('doa_pipeline', source='device', method='srp_phat')
    listener.spin_until(lambda: estimates, 'an estimate')
    # One captures, the other stands by.
    children = process.children()
    assert len(children) == 2
    process.send(signal.SIGKILL)
    process.end()

    def ended():
        return not any(Path('/proc', str(child)).exists() for child in children)

    listener.spin_until(ended, 'the end of the children')


def test_devices_are_listed(playing):
    path = Path(get_package_prefix('doa_ros'), 'lib', 'doa_ros', 'audio_capture')
    listed = subprocess.run([path, '--list-devices'], capture_output=True, text=True, timeout=60)
    assert listed.returncode == 0, listed.stderr
    assert re.search(r'^\d+: micArray RAW SPK \(\d+ channels\)$', listed.stdout, re.MULTILINE)
