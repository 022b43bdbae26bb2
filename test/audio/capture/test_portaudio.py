# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which devices PortAudio lists, and which of them is opened."""

import os
from types import SimpleNamespace

import pytest

from doa_ros.audio.capture import portaudio
from doa_ros.audio.capture.block_stream import BlockStream
from doa_ros.audio.capture.device_selection import Wanted
from doa_ros.audio.capture.protocol import CaptureSettings
from doa_ros.core.errors import AudioError


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
    monkeypatch.setattr(portaudio, 'load_portaudio', lambda: library)
    return busy


def _open(name):
    settings = CaptureSettings(Wanted(name, 8, 'micArray'), 48000, 2400)
    blocks = BlockStream(settings, lambda block: None)
    device, _, warning = portaudio.open_device(portaudio.load_portaudio(), settings, blocks)
    return device, warning


def test_devices_are_listed_with_their_ports(two_alike):
    assert portaudio.listing().splitlines() == [
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
