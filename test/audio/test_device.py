# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound card: a real PortAudio device without hardware, and a fake one for its faults."""

import json
from pathlib import Path
import subprocess
import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from doa_ros.audio import device
from doa_ros.audio.device import DeviceSource, _Stamps
from doa_ros.core.errors import AudioError

# --- a real device --------------------------------------------------------------------


@pytest.fixture(scope='session')
def recording(tmp_path_factory):
    """Return a raw recording, longer than any test, and its samples: full-scale noise."""
    samples = np.random.default_rng(1).integers(-(2**31), 2**31, (15 * 48000, 8), dtype=np.int32)
    samples[:, 7] = 0
    path = tmp_path_factory.mktemp('recording') / 'uma8.raw'
    samples.tofile(path)
    return path, samples


class _Capture:
    """Runs capture.py."""

    def __init__(self, environment, folder, seconds):
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name('capture.py'), folder, str(seconds)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        end = time.monotonic() + 20
        while not self._has_started():
            assert time.monotonic() < end, 'the capture does not start'
            time.sleep(0.05)

    def _has_started(self):
        assert self._process.poll() is None, self._process.stderr.read()
        return (self._folder / 'started').exists()

    def finish(self, seconds):
        """Return its report and its samples."""
        try:
            _, stderr = self._process.communicate(timeout=seconds)
        finally:
            self._process.kill()
        assert self._process.returncode == 0, stderr
        report = json.loads((self._folder / 'report.json').read_text())
        return report, np.load(self._folder / 'samples.npy')


@pytest.fixture(scope='session')
def capture(virtual_uma8, recording, tmp_path_factory):
    """Return what 4 s of capture gave: long enough for the check of the rate."""
    with virtual_uma8(recording[0]) as card:
        return _Capture(card.environment, tmp_path_factory.mktemp('capture'), 4.0).finish(20)


def test_samples_arrive_bit_by_bit(capture, recording):
    report, samples = capture
    assert report['error'] == ''
    assert samples.dtype == np.int32
    assert samples.shape[1] == 8
    assert len(samples) > 3 * 48000
    np.testing.assert_array_equal(samples, recording[1][: len(samples)])


def test_indices_are_contiguous(capture):
    blocks = np.array(capture[0]['blocks'])
    assert blocks[0, 0] == 0
    assert set(blocks[:, 1]) == {960}
    np.testing.assert_array_equal(np.diff(blocks[:, 0]), 960)


def test_stamps_are_the_time_of_the_first_sample(capture):
    index, count, stamp, arrival = np.array(capture[0]['blocks']).T
    seconds = (stamp - stamp[0]) / 1e9
    # Where the machine is busy, the server behind the device stands still now and then.
    assert np.median(np.diff(seconds)) == pytest.approx(0.02, abs=0.005)
    assert seconds[-1] == pytest.approx(index[-1] / 48000, rel=0.3)
    assert (np.diff(seconds) > 0).all()
    delay = (arrival - stamp) / 1e9
    assert (delay > 0).all()
    assert np.median(delay) < 0.5


def test_close_is_fast(capture):
    assert capture[0]['close'] < 1.5


@pytest.mark.parametrize('fault', ['killed', 'unplugged'])
def test_death_of_the_device_is_reported(virtual_uma8, recording, tmp_path, fault):
    with virtual_uma8(recording[0]) as card:
        running = _Capture(card.environment, tmp_path, 60.0)
        time.sleep(0.3)
        died = time.time_ns()
        if fault == 'killed':
            card.daemon.kill()
        else:
            assert card.pactl('unload-module', 'module-null-sink').returncode == 0
        report, samples = running.finish(20)
    assert "device 'micArray RAW SPK' has delivered nothing for 3 s" in report['error']
    assert 2 < (report['failed'] - died) / 1e9 < 6
    assert report['close'] < 1.5
    assert len(samples)


# --- a fake device --------------------------------------------------------------------

_UMA8 = {'name': 'micArray RAW SPK: USB Audio (hw:1,0)', 'max_input_channels': 8}
_STEREO = {'name': 'HDA Intel: ALC (hw:0,0)', 'max_input_channels': 2}
_SPEAKER = {'name': 'micArray speaker', 'max_input_channels': 0}


class _Stream:
    def __init__(self, *, samplerate, callback, **settings):
        self.samplerate = samplerate
        self.callback = callback
        self.settings = settings
        self.calls = []
        self.may_abort = threading.Event()
        self.may_abort.set()
        self.now = 100.0

    def start(self):
        self.calls.append('start')

    def abort(self, ignore_errors):
        self.may_abort.wait()
        self.calls.append('abort')

    def close(self, ignore_errors):
        self.calls.append('close')

    def deliver(self, value=0, frames=960, channels=8, overflow=False, age=0.02):
        when = SimpleNamespace(currentTime=5.0, inputBufferAdcTime=5.0 - age)
        data = np.full((frames, channels), value, dtype=np.int32).tobytes()
        self.callback(memoryview(data), frames, when, SimpleNamespace(input_overflow=overflow))


class _Fake(ModuleType):
    """Stands for sounddevice."""

    class PortAudioError(Exception):
        pass

    RawInputStream = _Stream

    def __init__(self):
        super().__init__('sounddevice')
        self.devices = [_SPEAKER, _STEREO, _UMA8]

    def query_devices(self):
        return [{**d, 'index': number} for number, d in enumerate(self.devices)]

    def check_input_settings(self, **settings):
        self.checked = settings


@pytest.fixture
def fake(monkeypatch):
    module = _Fake()
    monkeypatch.setitem(sys.modules, 'sounddevice', module)
    return module


@pytest.fixture
def now(monkeypatch):
    """Return the time that the source sees, in a list to change it."""
    now = [1000.0]
    monkeypatch.setattr(device, 'time', SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def source(fake, uma8):
    source = DeviceSource(uma8, block_duration=0.02)
    yield source
    source._stream.may_abort.set()
    source.close()


def _take(source, count, clock=lambda: 0):
    stream = source.blocks(clock)
    return [next(stream) for _ in range(count)]


def _refused(array, **options):
    with pytest.raises(AudioError) as error:
        DeviceSource(array, block_duration=0.02, **options)
    return str(error.value)


def test_opens_all_channels_at_full_width(fake, source):
    expected = {'device': 2, 'samplerate': 48000, 'channels': 8, 'dtype': 'int32'}
    assert fake.checked == expected
    settings = source._stream.settings
    assert settings['blocksize'] == 960
    assert (settings['device'], settings['channels'], settings['dtype']) == (2, 8, 'int32')


def test_name_is_found_in_any_case_and_can_be_chosen(fake, uma8):
    fake.devices = [{'name': 'Other 8', 'max_input_channels': 8}, _UMA8]
    DeviceSource(uma8, block_duration=0.02, name='MICARRAY')
    assert fake.checked['device'] == 1
    DeviceSource(uma8, block_duration=0.02, name='other')
    assert fake.checked['device'] == 0


def test_the_device_that_fits_is_taken(fake, uma8):
    fake.devices = [{'name': 'micArray DSP', 'max_input_channels': 2}, _UMA8]
    DeviceSource(uma8, block_duration=0.02)
    assert fake.checked['device'] == 1


def test_missing_device(fake, uma8):
    fake.devices = [_SPEAKER, _STEREO]
    message = _refused(uma8)
    assert "no input device whose name contains 'micArray'" in message
    assert 'found: HDA Intel: ALC (hw:0,0) (2 in)' in message
    assert 'source:=sim' in message
    fake.devices = []
    assert 'found: none' in _refused(uma8)


def test_array_without_a_device(fake, square):
    assert 'set the parameter device' in _refused(square)


def test_factory_firmware(fake, uma8):
    fake.devices = [{'name': 'micArray DSP', 'max_input_channels': 2}]
    message = _refused(uma8)
    assert "'micArray DSP' has 2 input channels and the array needs 8" in message
    assert 'flash the RAW firmware' in message


def test_too_few_channels(fake, uma8):
    fake.devices = [{'name': 'micArray', 'max_input_channels': 6}]
    message = _refused(uma8)
    assert 'choose another device or another array' in message
    assert 'firmware' not in message


@pytest.mark.parametrize('call', ['check_input_settings', 'RawInputStream'])
def test_device_that_does_not_open(fake, uma8, call):
    def fail(**settings):
        raise fake.PortAudioError('Device unavailable')

    setattr(fake, call, fail)
    message = _refused(uma8)
    assert 'does not open with 8 channels of 32 bits at 48000 Hz (Device unavailable)' in message
    assert 'in use by another program?' in message


def test_device_that_opens_at_another_rate(fake, uma8):
    fake.RawInputStream = lambda **settings: _Stream(**{**settings, 'samplerate': 44100.0})
    assert 'opened at 44100 Hz instead of 48000 Hz' in _refused(uma8)


def test_device_that_does_not_start(fake, source):
    def fail():
        raise fake.PortAudioError('Device unavailable')

    source._stream.start = fail
    with pytest.raises(AudioError, match=r'does not start \(Device unavailable\)'):
        _take(source, 1)


def test_portaudio_missing(uma8, tmp_path, monkeypatch):
    (tmp_path / 'sounddevice.py').write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, 'sounddevice', raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    message = _refused(uma8)
    assert 'PortAudio is not installed (PortAudio library not found)' in message
    assert 'sudo apt-get install libportaudio2' in message


def test_sounddevice_missing(uma8, monkeypatch):
    monkeypatch.setitem(sys.modules, 'sounddevice', None)
    assert 'pip install sounddevice' in _refused(uma8)


def test_blocks_are_what_was_delivered(source):
    for value in (1, -2, 2**31 - 1):
        source._stream.deliver(value)
    blocks = _take(source, 3)
    assert [b.samples[0, 0] for b in blocks] == [1, -2, 2**31 - 1]
    assert [b.first_sample_index for b in blocks] == [0, 960, 1920]
    assert blocks[0].samples.shape == (960, 8)
    assert blocks[0].truth is None


def test_stamp_is_the_time_of_the_first_sample(source, now):
    source._stream.deliver(age=0.03)
    # The consumer comes 0.5 s later; by the clock of the robot it is 7 s.
    now[0] += 0.5
    (block,) = _take(source, 1, lambda: 7_000_000_000)
    assert block.stamp == pytest.approx(7e9 - 0.53e9, abs=1e3)


@pytest.mark.parametrize('age', [-0.1, 1e6])
def test_impossible_age_of_a_block_is_replaced_by_its_length(source, now, age):
    source._stream.deliver(age=age)
    (block,) = _take(source, 1, lambda: 7_000_000_000)
    assert block.stamp == pytest.approx(7e9 - 0.02e9, abs=1e3)


def test_overflow_is_a_jump_as_long_as_the_clock_says(source, now):
    source._stream.deliver()
    now[0] += 0.12
    source._stream.deliver(overflow=True)
    now[0] += 0.02
    source._stream.deliver()
    # 0.1 s were lost.
    assert [b.first_sample_index for b in _take(source, 3)] == [0, 960 + 4800, 1920 + 4800]


def test_overflow_of_the_first_block_loses_nothing(source):
    source._stream.deliver(overflow=True)
    assert _take(source, 1)[0].first_sample_index == 0


def test_overflow_is_never_overlooked(source, now):
    source._stream.deliver()
    source._stream.deliver(overflow=True)
    assert _take(source, 2)[1].first_sample_index == 961


def test_slow_consumer_loses_the_newest_blocks_and_sees_it(source):
    for _ in range(130):
        source._stream.deliver()
    stream = source.blocks(lambda: 0)
    indices = [next(stream).first_sample_index for _ in range(100)]
    assert indices == list(range(0, 96_000, 960))
    source._stream.deliver()
    assert next(stream).first_sample_index == 130 * 960


def test_rate_that_is_not_what_was_promised(source, now):
    stream = source.blocks(lambda: 0)
    with pytest.raises(AudioError, match='delivers 16000 samples per second instead of 48000'):
        for _ in range(200):
            source._stream.deliver()
            now[0] += 0.06
            next(stream)


def test_rate_survives_a_stall(source, now):
    stream = source.blocks(lambda: 0)
    for number in range(600):
        source._stream.deliver()
        now[0] += 1.0 if number == 50 else 0.02
        next(stream)


@pytest.mark.parametrize('jitter', [0.0, 0.05])
def test_rate_may_be_a_little_off_and_unsteady(source, now, jitter):
    stream = source.blocks(lambda: 0)
    for number in range(400):
        source._stream.deliver(age=0.02 + jitter * (number % 3))
        now[0] += 0.02 * 1.01
        next(stream)


def test_silent_device_is_reported(source, monkeypatch):
    monkeypatch.setattr(device, '_SILENCE_LIMIT', 0.1)
    source._stream.deliver()
    with pytest.raises(AudioError, match='has delivered nothing for 0.1 s; check its cable'):
        _take(source, 2)


def test_close_from_another_thread_ends_the_blocks(source):
    ended = threading.Event()

    def consume():
        assert list(source.blocks(lambda: 0)) == []
        ended.set()

    threading.Thread(target=consume, daemon=True).start()
    time.sleep(0.05)
    start = time.monotonic()
    source.close()
    assert ended.wait(1)
    assert time.monotonic() - start < 0.5
    assert source._stream.calls == ['start', 'abort', 'close']


def test_close_with_a_full_queue_ends_the_blocks(source):
    for _ in range(130):
        source._stream.deliver()
    source.close()
    assert list(source.blocks(lambda: 0)) == []


def test_close_does_not_wait_for_a_device_that_hangs(source, monkeypatch):
    monkeypatch.setattr(device, '_CLOSE_SECONDS', 0.1)
    source._stream.may_abort.clear()
    start = time.monotonic()
    source.close()
    assert time.monotonic() - start < 1
    assert source._stream.calls == []
    source._stream.may_abort.set()


def test_stamps_follow_the_sample_counter_and_never_go_back():
    stamps = _Stamps(48000)
    rng = np.random.default_rng(0)
    jitter = rng.normal(0, 5e6, 400)
    given = [stamps.smooth(2400 * k, round(50_000_000 * k + jitter[k])) for k in range(400)]
    steps = np.diff(given)
    assert steps.min() > 0
    assert np.abs(steps - 50_000_000).max() < 0.25e6
    # After a loss whose length is not known, the measured time counts again.
    assert stamps.smooth(2400 * 400, 30_000_000_000) == 30_000_000_000
    assert stamps.smooth(2400 * 401, 20_000_000_000) > 30_000_000_000
