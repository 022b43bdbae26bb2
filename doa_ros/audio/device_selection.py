# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which of the sound cards of a computer is meant, and why the others cannot be used."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import re

from doa_ros.core.errors import AudioError

ALSA_CARDS = Path('/proc/asound')

# hw:CARD=SPK,DEV=0 or hw:SPK,0 or hw:1; without the device number it is 0.
_ALSA_NAME = re.compile(r'hw:(?:CARD=)?(?P<card>[^,=]+)(?:,(?:DEV=)?(?P<device>\d+))?')
# How PortAudio ends the name of an ALSA sound card.
_PORTAUDIO_HW = re.compile(r'\(hw:(\d+),(\d+)\)$')
# ALSA devices that lead to a sound server or through a channel map.
_SERVER_NAME = re.compile(r'(pulse|pipewire|default|sysdefault|surround\d+)(?!\w)', re.IGNORECASE)
_SERVER_HOSTS = ('PulseAudio',)


@dataclass(frozen=True)
class Wanted:
    """Which device is asked for.

    Attributes:
        name: an index in PortAudio's list, an ALSA name (hw:CARD=SPK,DEV=0), an ALSA id (SPK) or
            a part of a name, in any case.
        channels: input channels that are needed.
        own_name: part of the name of the array's own device, about which the rest tells;
            empty where nothing is known.
        factory_channels: what that one delivers at most as it is sold, if those are too few.
        factory_advice: what to do about that.
    """

    name: str
    channels: int
    own_name: str = ''
    factory_channels: int = 0
    factory_advice: str = ''


@dataclass(frozen=True)
class Device:
    """A device as PortAudio lists it.

    Attributes:
        index: its number in the list; another one after a replug.
        name: as PortAudio gives it.
        host: name of PortAudio's host API, as ALSA.
        inputs: input channels; 0 where it only plays.
    """

    index: int
    name: str
    host: str
    inputs: int

    @property
    def from_server(self) -> bool:
        """Whether a sound server stands between the device and us."""
        return self.host in _SERVER_HOSTS or _SERVER_NAME.match(self.name) is not None


def select(devices: Sequence[Device], wanted: Wanted, cards: Path = ALSA_CARDS) -> Device:
    """Return the device that is meant.

    Args:
        devices: all that there are.
        wanted: which one.
        cards: where ALSA tells about its cards.

    Raises:
        AudioError: there is none that fits.
    """
    inputs = [device for device in devices if device.inputs > 0]
    found, name = _matching(inputs, wanted.name, cards), wanted.name
    if not found:
        names = '; '.join(f'{d.name} ({d.inputs} in)' for d in inputs) or 'none'
        if not name.isdecimal() and name.lower() in _card_names(cards).lower():
            advice = 'ALSA knows it, so another program is likely to use it: end that'
        else:
            advice = 'connect it'
        criterion = 'number is' if name.isdecimal() else 'name contains'
        raise AudioError(
            f'no input device whose {criterion} {name!r} (found: {names}); {advice}'
        )
    reasons = {device: refusal(device, wanted) for device in found}
    for device, reason in reasons.items():
        if not reason:
            return device
    # What is wrong with the device itself says more than that a server offers it, too.
    raise AudioError(min(reasons.items(), key=lambda item: item[0].from_server)[1])


def refusal(device: Device, wanted: Wanted) -> str:
    """Return why a device is not the one that is wanted, and what to do; empty if it is."""
    if device.from_server:
        return (
            f'device {device.name!r} belongs to a sound server (PulseAudio or PipeWire), whose '
            'channel maps mute or mix microphones, so that no direction can be found; choose '
            'the sound card itself, such as hw:CARD=SPK,DEV=0, and take the card from the '
            'server (pavucontrol, Configuration, profile Off)'
        )
    if device.inputs >= wanted.channels:
        return ''
    advice = 'choose another device or another array'
    own = wanted.own_name and wanted.own_name.lower() in device.name.lower()
    if own and device.inputs <= wanted.factory_channels:
        advice = f'it runs its factory firmware: {wanted.factory_advice}'
    plural = 's' * (device.inputs != 1)
    return (
        f'device {device.name!r} has {device.inputs} input channel{plural} and the array needs '
        f'{wanted.channels}; {advice}'
    )


def alsa_name(device: Device, cards: Path = ALSA_CARDS) -> str:
    """Return the ALSA name that stays when the card gets another number; empty if none."""
    numbers = _PORTAUDIO_HW.search(device.name)
    if numbers is None:
        return ''
    try:
        card = _text(cards / f'card{numbers[1]}' / 'id').strip()
    except OSError:
        return ''
    return f'hw:CARD={card},DEV={numbers[2]}'


def _matching(devices: Sequence[Device], wanted: str, cards: Path) -> list[Device]:
    if wanted.isdecimal():
        return [d for d in devices if d.index == int(wanted)]
    named = _ALSA_NAME.fullmatch(wanted)
    card, number = (named['card'], named['device'] or '0') if named else (wanted, '0')
    # Every id is a link to its card: /proc/asound/SPK -> card1.
    link = cards / card
    if not card.isdecimal() and '/' not in card and link.is_symlink():
        card = link.readlink().name.removeprefix('card')
    found = [d for d in devices if d.name.endswith(f'(hw:{card},{number})')]
    if named or found:
        return found
    return [d for d in devices if wanted.lower() in d.name.lower()]


def _card_names(cards: Path) -> str:
    try:
        return _text(cards / 'cards')
    except OSError:
        return ''


def _text(path: Path) -> str:
    # Names come from the devices, in whatever bytes.
    return path.read_text(encoding='utf-8', errors='backslashreplace')
