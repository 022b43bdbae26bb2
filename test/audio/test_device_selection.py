# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which device is meant."""

import pytest

from doa_ros.audio.device_selection import Device, Wanted, alsa_name, refusal, select
from doa_ros.core.errors import AudioError

UMA8 = Device(2, 'micArray RAW SPK: USB Audio (hw:1,0)', 'ALSA', 8)
STEREO = Device(0, 'HDA Intel: ALC (hw:0,0)', 'ALSA', 2)
SPEAKER = Device(1, 'micArray speaker', 'ALSA', 0)
PULSE = Device(3, 'pulse', 'ALSA', 32)
ALL = [STEREO, SPEAKER, UMA8, PULSE]


@pytest.fixture
def cards(tmp_path):
    """A folder such as /proc/asound with two cards."""
    for number, card in enumerate(['PCH', 'SPK']):
        (tmp_path / f'card{number}').mkdir()
        (tmp_path / f'card{number}' / 'id').write_text(card + '\n')
        (tmp_path / card).symlink_to(f'card{number}')
    (tmp_path / 'cards').write_text(
        ' 0 [PCH            ]: HDA-Intel - HDA Intel\n'
        ' 1 [SPK            ]: USB-Audio - micArray RAW SPK\n'
        '                      miniDSP micArray RAW SPK at usb-1, high speed\n'
    )
    return tmp_path


def _wanted(name):
    return Wanted(name, 8, 'micArray', 2, 'flash another one')


def _refused(wanted, devices, cards):
    with pytest.raises(AudioError) as error:
        select(devices, _wanted(wanted), cards)
    return str(error.value)


@pytest.mark.parametrize(
    'wanted',
    ['micArray', 'MICARRAY', 'raw spk', '2', 'SPK', 'hw:CARD=SPK,DEV=0', 'hw:SPK', 'hw:SPK,0',
     'hw:1,0', 'hw:CARD=SPK'],
)  # fmt: skip
def test_all_ways_to_name_it(wanted, cards):
    assert select(ALL, _wanted(wanted), cards) == UMA8


def test_an_alsa_id_is_found_under_any_number(cards):
    (cards / 'SPK').unlink()
    (cards / 'SPK').symlink_to('card4')
    moved = Device(0, 'something else (hw:4,0)', 'ALSA', 8)
    assert select([UMA8, moved], _wanted('SPK'), cards) == moved
    assert select([UMA8, moved], _wanted('hw:CARD=SPK,DEV=0'), cards) == moved


def test_a_name_serves_where_there_is_no_alsa(tmp_path):
    assert select(ALL, _wanted('SPK'), tmp_path / 'none') == UMA8


def test_the_device_that_fits_is_taken(cards):
    factory = Device(0, 'micArray DSP (hw:3,0)', 'ALSA', 2)
    server = Device(1, 'micArray RAW SPK Analog Surround 7.1', 'PulseAudio', 8)
    assert select([factory, server, UMA8], _wanted('micArray'), cards) == UMA8


@pytest.mark.parametrize('wanted', ['Other', 'hw:CARD=XYZ,DEV=0', 'hw:1,1', '../PCH'])
def test_a_device_that_is_not_there(wanted, cards):
    message = _refused(wanted, ALL, cards)
    assert f'no input device whose name contains {wanted!r}' in message
    assert 'found: HDA Intel: ALC (hw:0,0) (2 in); micArray RAW SPK' in message
    assert message.endswith('; connect it')


def test_no_devices_at_all(cards):
    assert 'found: none' in _refused('Other', [], cards)


def test_a_card_that_portaudio_leaves_out_is_in_use(cards):
    for wanted in ('micArray', 'SPK'):
        assert 'another program is likely to use it' in _refused(wanted, [STEREO], cards)
    # A number is no name.
    message = _refused('1', [STEREO, SPEAKER], cards)
    assert "no input device whose number is '1'" in message and 'connect it' in message


def test_cards_are_named_in_any_bytes(cards):
    (cards / 'cards').write_bytes(b' 1 [SPK ]: USB-Audio - Micro \xe9 SPK\n')
    assert 'another program is likely to use it' in _refused('micro', [STEREO], cards)
    (cards / 'card1' / 'id').write_bytes(b'\xe9\n')
    assert alsa_name(UMA8, cards) == r'hw:CARD=\xe9,DEV=0'


def test_factory_firmware(cards):
    factory = Device(0, 'micArray DSP (hw:1,0)', 'ALSA', 2)
    message = _refused('micArray', [factory], cards)
    assert "'micArray DSP (hw:1,0)' has 2 input channels and the array needs 8" in message
    assert message.endswith('; it runs its factory firmware: flash another one')


def test_too_few_channels(cards):
    message = _refused('micArray', [Device(0, 'micArray', 'ALSA', 6)], cards)
    assert 'choose another device or another array' in message
    assert 'firmware' not in message


@pytest.mark.parametrize('inputs', [1, 2])
@pytest.mark.parametrize('name', ['ReSpeaker 4 Mic Array (hw:1,0)', 'HD Webcam', 'ALC257'])
def test_the_advice_is_that_for_the_device_that_was_found(name, inputs, cards):
    reason = refusal(Device(0, name, 'ALSA', inputs), _wanted(name))
    assert reason.endswith('and the array needs 8; choose another device or another array')
    # Nothing is known about the device of the array.
    reason = refusal(Device(0, name, 'ALSA', inputs), Wanted(name, 8))
    assert reason.endswith('choose another device or another array')


@pytest.mark.parametrize(
    'name', ['pulse', 'default', 'sysdefault', 'pipewire', 'surround71', 'Pulse', 'sysdefault:PCH']
)
def test_sound_servers_are_refused(name, cards):
    message = _refused(name, [Device(0, name, 'ALSA', 32)], cards)
    assert f'device {name!r} belongs to a sound server' in message
    assert 'hw:CARD=SPK,DEV=0' in message


def test_a_sound_server_is_known_by_its_host(cards):
    device = Device(0, 'micArray RAW SPK Analog Surround 7.1', 'PulseAudio', 8)
    assert 'belongs to a sound server' in _refused('micArray', [device], cards)
    # The firmware is the more useful message.
    factory = Device(1, 'micArray DSP (hw:1,0)', 'ALSA', 2)
    assert 'firmware' in _refused('micArray', [device, factory], cards)


@pytest.mark.parametrize('name', ['micArray RAW SPK', 'defaultish', 'Surround mixer (hw:2,0)'])
def test_names_that_only_look_similar(name):
    assert refusal(Device(0, name, 'ALSA', 8), _wanted(name)) == ''


def test_the_alsa_name_of_a_device(cards):
    assert alsa_name(UMA8, cards) == 'hw:CARD=SPK,DEV=0'
    assert alsa_name(Device(0, 'USB (hw:7,0)', 'ALSA', 8), cards) == ''
    assert alsa_name(PULSE, cards) == ''
