# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which device is meant."""

import os
from pathlib import Path
import tempfile

from hypothesis import given
from hypothesis import strategies as st
import pytest

from doa_ros.audio.capture.alsa import Cards
from doa_ros.audio.capture.device_selection import (
    Device,
    Wanted,
    alsa_name,
    placed,
    refusal,
    select,
)
from doa_ros.core.errors import AudioError

UMA8 = Device(2, 'micArray RAW SPK: USB Audio (hw:1,0)', 'ALSA', 8)
STEREO = Device(0, 'HDA Intel: ALC (hw:0,0)', 'ALSA', 2)
SPEAKER = Device(1, 'micArray speaker', 'ALSA', 0)
PULSE = Device(3, 'pulse', 'ALSA', 32)
ALL = [STEREO, SPEAKER, UMA8, PULSE]


@pytest.fixture
def cards(computer):
    """A computer with two cards."""
    text = 'USB-Audio - micArray RAW SPK\n' + ' ' * 22 + 'miniDSP micArray RAW SPK at usb-1, high'
    computer.add('SPK', text)
    return computer.cards


def _wanted(name):
    return Wanted(name, 8, 'micArray', 2, 'flash another one')


def _selected(devices, wanted, cards):
    """Return the only device that is meant."""
    selection = select(devices, _wanted(wanted), cards)
    assert selection.warning == ''
    (device,) = selection.devices
    return device


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
    assert _selected(ALL, wanted, cards) == UMA8


def test_an_alsa_id_is_found_under_any_number(cards, computer):
    (computer.proc / 'SPK').unlink()
    (computer.proc / 'SPK').symlink_to('card4')
    moved = Device(0, 'something else (hw:4,0)', 'ALSA', 8)
    assert _selected([UMA8, moved], 'SPK', cards) == moved
    assert _selected([UMA8, moved], 'hw:CARD=SPK,DEV=0', cards) == moved


def test_a_name_serves_where_there_is_no_alsa(tmp_path):
    assert _selected(ALL, 'SPK', Cards(tmp_path / 'none', tmp_path / 'none')) == UMA8


def test_the_device_that_fits_is_taken(cards):
    factory = Device(0, 'micArray DSP (hw:3,0)', 'ALSA', 2)
    server = Device(1, 'micArray RAW SPK Analog Surround 7.1', 'PulseAudio', 8)
    assert _selected([factory, server, UMA8], 'micArray', cards) == UMA8


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


def test_cards_are_named_in_any_bytes(cards, computer):
    (computer.proc / 'cards').write_bytes(b' 1 [SPK ]: USB-Audio - Micro \xe9 SPK\n')
    assert 'another program is likely to use it' in _refused('micro', [STEREO], cards)
    (computer.proc / 'card1' / 'id').write_bytes(b'\xe9\n')
    assert alsa_name(UMA8, cards) == r'hw:CARD=\xe9,DEV=0'


def test_factory_firmware(cards):
    factory = Device(0, 'micArray DSP (hw:1,0)', 'ALSA', 2)
    message = _refused('micArray', [factory], cards)
    assert "'micArray DSP (hw:1,0)' has 2 input channels and the array needs 8" in message
    assert message.endswith('; it runs its factory firmware: flash another one')


def test_too_few_channels(cards):
    message = _refused('micArray', [Device(0, 'micArray', 'ALSA', 6)], cards)
    assert 'if it is the right one, choose the array that describes it' in message
    assert 'firmware' not in message


@pytest.mark.parametrize('inputs', [1, 2])
@pytest.mark.parametrize('name', ['ReSpeaker 4 Mic Array (hw:1,0)', 'HD Webcam', 'ALC257'])
def test_the_advice_is_that_for_the_device_that_was_found(name, inputs, cards):
    reason = refusal(Device(0, name, 'ALSA', inputs), _wanted(name))
    advice = 'if it is the right one, choose the array that describes it'
    assert reason.endswith(f'and the array needs 8; {advice}')
    # Nothing is known about the device of the array.
    reason = refusal(Device(0, name, 'ALSA', inputs), Wanted(name, 8))
    assert reason.endswith(advice)


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


@pytest.mark.parametrize(
    'wanted', ['x' * 300, '9' * 5000, 'a\0b', '..', '.', '/', 'usb:', 'hw:..', '\udce9', '²']
)
def test_names_that_no_device_can_have(wanted, cards):
    assert 'no input device' in _refused(wanted, ALL, cards)


@given(st.text(), st.binary(), st.binary(), st.binary())
def test_whatever_is_asked_for_and_alsa_says(make_computer, wanted, listing, card_id, status):
    with tempfile.TemporaryDirectory() as folder:
        computer = make_computer(Path(folder))
        computer.add('SPK', 'micArray RAW SPK', port='1-1.4')
        (computer.proc / 'cards').write_bytes(b' 1 [' + listing)
        (computer.proc / 'card1' / 'id').write_bytes(card_id)
        (computer.proc / 'card1' / 'pcm0c' / 'sub0' / 'status').write_bytes(status)
        for name in filter(None, (wanted, 'micArray', 'usb:1-1.4')):
            try:
                devices = select(ALL, _wanted(name), computer.cards).devices
            except AudioError:
                continue
            assert set(devices) == {UMA8}


# --- two identical arrays -------------------------------------------------------------

_TEXT = 'USB-Audio - micArray RAW SPK'
FIRST = UMA8
SECOND = Device(4, 'micArray RAW SPK: USB Audio (hw:2,0)', 'ALSA', 8)


def _two(computer, *, ports=('1-1.3', '1-1.4'), users=('', '')):
    for card_id, port, user in zip(['SPK', 'SPK_1'], ports, users, strict=True):
        computer.add(card_id, _TEXT, port=port, user=user)


def test_of_two_alike_one_is_chosen_by_its_usb_port(computer):
    _two(computer)
    both = [STEREO, FIRST, SECOND]
    assert _selected(both, 'usb:1-1.3', computer.cards) == FIRST
    assert _selected(both, 'usb:1-1.4', computer.cards) == SECOND
    # The other way round after the next start.
    assert _selected([STEREO, SECOND, FIRST], 'usb:1-1.4', computer.cards) == SECOND
    assert _selected(both, 'hw:CARD=SPK_1,DEV=0', computer.cards) == SECOND


def test_of_two_alike_any_is_taken_with_a_warning(computer):
    _two(computer)
    selection = select([STEREO, FIRST, SECOND], _wanted('micArray'), computer.cards)
    assert selection.devices == (FIRST, SECOND)
    assert selection.warning == (
        "2 devices match 'micArray', and another one may be taken the next time; choose one of "
        'usb:1-1.3, usb:1-1.4'
    )


@pytest.mark.parametrize(
    ('ports', 'choices'),
    [(('', ''), 'hw:CARD=SPK,DEV=0, hw:CARD=SPK_1,DEV=0'), (('1-1.3', '1-1.3'), 'hw:CARD=SPK')],
)
def test_of_two_alike_without_ports_one_is_chosen_by_its_alsa_name(computer, ports, choices):
    _two(computer, ports=ports)
    selection = select([FIRST, SECOND], _wanted('micArray'), computer.cards)
    assert f'choose one of {choices}' in selection.warning


def test_one_alike_that_is_in_use_is_told_of(computer):
    # PortAudio leaves it out.
    _two(computer, users=(os.getpid(), ''))
    selection = select([STEREO, SECOND], _wanted('micArray'), computer.cards)
    assert selection.devices == (SECOND,)
    assert 'choose one of usb:1-1.4, usb:1-1.3; process ' in selection.warning
    assert selection.warning.endswith(' uses usb:1-1.3')


def test_the_one_that_is_meant_is_not_replaced_by_the_other(computer):
    _two(computer, users=(os.getpid(), ''))
    for wanted in ('usb:1-1.3', 'SPK', 'hw:CARD=SPK,DEV=0', 'hw:1,0'):
        message = _refused(wanted, [STEREO, SECOND], computer.cards)
        assert f'ALSA knows it, and process {os.getpid()} (' in message
        assert message.endswith(') uses it: end that')
        assert '(hw:2,0) = usb:1-1.4 (8 in)' in message


def test_an_id_is_one_card_and_the_name_of_an_array_may_be_several(computer):
    computer.add('UMA16v2', 'USB-Audio - UMA16v2')
    computer.add('UMA16v2_1', 'USB-Audio - UMA16v2', user=os.getpid())
    free = Device(1, 'UMA16v2: USB Audio (hw:1,0)', 'ALSA', 16)
    assert _selected([free], 'UMA16v2', computer.cards) == free
    own = Wanted('UMA16v2', 16, 'UMA16v2')
    assert '2 devices match' in select([free], own, computer.cards).warning


def test_a_port_without_a_device(computer):
    _two(computer)
    message = _refused('usb:1-1.2', [FIRST, SECOND], computer.cards)
    assert message.startswith("no input device whose USB port is 'usb:1-1.2' (found: micArray RAW")
    assert message.endswith('; connect it')
    assert _refused('usb:', [STEREO], computer.cards).endswith('; connect it')


def test_a_factory_firmware_beside_a_good_one_is_no_choice(computer):
    _two(computer)
    factory = Device(7, 'micArray DSP: USB Audio (hw:1,0)', 'ALSA', 2)
    assert _selected([factory, SECOND], 'micArray', computer.cards) == SECOND
    assert 'factory firmware' in _refused('usb:1-1.3', [factory, SECOND], computer.cards)


def test_a_name_with_its_place(computer):
    _two(computer)
    assert placed(FIRST, computer.cards) == f'{FIRST.name} = usb:1-1.3'
    assert placed(STEREO, computer.cards) == STEREO.name
