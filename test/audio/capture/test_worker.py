# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the process that captures does with what PortAudio delivers."""

from contextlib import contextmanager
import os
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from doa_ros.audio.capture import worker as portaudio
from doa_ros.audio.capture.device_selection import Wanted
from doa_ros.audio.capture.protocol import CapturedBlock, CaptureSettings
from doa_ros.audio.capture.worker import _BlockStream
from doa_ros.core.errors import AudioError

PIECE = 480


@pytest.fixture
def two_alike(computer, monkeypatch):
    """A PortAudio with two identical arrays at different ports; return those that are in use."""
    for card_id, port in (('SPK', '1-1.3'), ('SPK_1', '1-1.4')):
        computer.add(card_id, 'USB-Audio - micArray RAW SPK', port=port)
    names = [f'micArray RAW SPK: USB Audio (hw:{card},0)' for card in (1, 2)]
    busy = set()

    class PortAudioError(Exception):
        pass

    def stream(*, device, samplerate, **_):
        if device in busy:
            raise PortAudioError('Device unavailable')
        return SimpleNamespace(samplerate=samplerate)

    library = SimpleNamespace(
        PortAudioError=PortAudioError,
        RawInputStream=stream,
        query_hostapis=lambda: [{'name': 'ALSA'}],
        query_devices=lambda: [
            {'name': name, 'hostapi': 0, 'max_input_channels': 8} for name in names
        ],
    )
    monkeypatch.setattr(portaudio, 'CARDS', computer.cards)
    monkeypatch.setattr(portaudio, '_portaudio', lambda: library)
    return busy


def _open(name):
    settings = CaptureSettings(Wanted(name, 8, 'micArray'), 48000, 2400)
    recording = _BlockStream(settings, lambda block: None)
    device, _, warning = portaudio._open(portaudio._portaudio(), settings, recording)
    return device, warning


def test_devices_are_listed_with_their_ports(two_alike):
    assert portaudio._listing().splitlines() == [
        '0: micArray RAW SPK: USB Audio (hw:1,0) = hw:CARD=SPK,DEV=0 = usb:1-1.3 (8 channels)',
        '1: micArray RAW SPK: USB Audio (hw:2,0) = hw:CARD=SPK_1,DEV=0 = usb:1-1.4 (8 channels)',
    ]


def test_the_device_at_a_port_is_opened_or_none(two_alike, computer):
    second = 'micArray RAW SPK: USB Audio (hw:2,0) = usb:1-1.4'
    assert _open('usb:1-1.4') == (second, '')
    two_alike.add(1)
    status = computer.proc / 'card2' / 'pcm0c' / 'sub0' / 'status'
    status.write_text(f'state: RUNNING\nowner_pid   : {os.getpid()}\n')
    with pytest.raises(AudioError) as error:
        _open('usb:1-1.4')
    assert "(hw:2,0)' does not open with 8 channels" in str(error.value)
    assert f'(Device unavailable); process {os.getpid()} (' in str(error.value)
    assert str(error.value).endswith(') uses it: end that')
    assert 'hw:1,0' not in str(error.value)


def test_any_of_the_devices_that_are_alike_is_opened_that_is_free(two_alike):
    for busy, port in ((0, '1-1.4'), (1, '1-1.3')):
        two_alike.clear()
        two_alike.add(busy)
        device, warning = _open('micArray')
        assert device.endswith(f' = usb:{port}')
        assert warning.endswith('choose one of usb:1-1.3, usb:1-1.4')


def _deliver(recording, number):
    samples = np.arange(number * PIECE, (number + 1) * PIECE, dtype=np.int32)
    status = SimpleNamespace(input_overflow=False)
    recording.callback(memoryview(samples.tobytes()), PIECE, None, status)


@contextmanager
def _running(recording):
    thread = threading.Thread(target=recording.run)
    thread.start()
    yield
    recording.finish()
    thread.join()


def _samples(block):
    return np.frombuffer(block.samples, dtype=np.int32)


@pytest.mark.parametrize('block', [100, 480, 2399])
def test_blocks_of_any_length_are_cut(block, monkeypatch):
    # A clock of its own, on which every piece is in time however busy the machine is.
    now = [0.0]
    monkeypatch.setattr(portaudio, 'time', SimpleNamespace(monotonic=lambda: now[0]))
    blocks = []
    recording = _BlockStream(CaptureSettings(Wanted('', 1), 48000, block), blocks.append)
    with _running(recording):
        for number in range(100):
            now[0] += 0.01
            _deliver(recording, number)
            while recording._pieces:
                time.sleep(0.001)
    # It takes a third of a second until the time is known.
    assert len(blocks) >= 60 * PIECE // block
    for captured in blocks:
        np.testing.assert_array_equal(_samples(captured), captured.index + np.arange(block))
        assert captured.time == pytest.approx(captured.index / 48000, abs=1e-6)
    np.testing.assert_array_equal(np.diff([captured.index for captured in blocks]), block)


@pytest.mark.real_time
def test_a_parent_that_takes_nothing_loses_the_oldest():
    """As when it is stopped: nothing waits in PortAudio, and what comes out then is new."""
    blocks = []

    def send(captured):
        blocks.append(captured)
        if len(blocks) == 1:
            time.sleep(1.0)

    recording = _BlockStream(CaptureSettings(Wanted('', 1), 48000, 2400), send)
    with _running(recording):
        begin = time.monotonic()
        for number in range(200):
            time.sleep(max(0.0, begin + (number + 1) * 0.01 - time.monotonic()))
            _deliver(recording, number)
    # A machine that is too slow is told about, too.
    blocks = [captured for captured in blocks if isinstance(captured, CapturedBlock)]
    first, second = blocks[:2]
    missing = second.index - first.index - 2400
    assert 0.5 * 48000 < missing < 1.0 * 48000
    assert second.dropped >= missing - 2400
    # Of 1 s, the last 0.2 s were kept.
    assert second.time - first.time == pytest.approx(0.8, abs=0.15)
    for captured in blocks:
        np.testing.assert_array_equal(_samples(captured), captured.index + np.arange(2400))


def test_a_device_that_falls_silent():
    recording = _BlockStream(CaptureSettings(Wanted('', 1), 48000, PIECE), lambda block: None)
    status = SimpleNamespace(input_overflow=False)
    recording.callback(memoryview(bytes(4 * PIECE)), PIECE, None, status)
    begin = time.monotonic()
    with pytest.raises(AudioError, match='has delivered nothing for 0.4 s; check its cable'):
        recording.run()
    assert time.monotonic() - begin >= 0.4
