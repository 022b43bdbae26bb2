# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which of the sound cards of a computer is meant, and why the others cannot be used."""

from collections.abc import Sequence
from dataclasses import dataclass
import re

from doa_ros.audio.capture.alsa import Cards
from doa_ros.core.errors import AudioError

# hw:CARD=SPK,DEV=0 or hw:SPK,0 or hw:1; without the device number it is 0.
_ALSA_NAME = re.compile(r'hw:(?:CARD=)?(?P<card>[^,=]+)(?:,(?:DEV=)?(?P<device>\d+))?')
_USB = 'usb:'
# How PortAudio ends the name of an ALSA sound card.
_PORTAUDIO_HW = re.compile(r'\(hw:(\d+),(\d+)\)$')
# ALSA devices that lead to a sound server or through a channel map.
_SERVER_NAME = re.compile(r'(pulse|pipewire|default|sysdefault|surround\d+)(?!\w)', re.IGNORECASE)
_SERVER_HOSTS = ('PulseAudio',)


@dataclass(frozen=True)
class Wanted:
    """Which device is asked for.

    Attributes:
        name: an index in PortAudio's list, a USB port (usb:1-1.4), an ALSA name
            (hw:CARD=SPK,DEV=0), an ALSA id (SPK) or a part of a name, in any case.
        channels: input channels that are needed.
        own_name: part of the name of the array's own device; empty where that is not known.
        factory_channels: how many channels that device delivers at most as it is sold, where they
            are too few; else 0.
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
        index: its number in the list, which may change when it is connected again.
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

    @property
    def card(self) -> str:
        """Number of the sound card; empty where it is none."""
        numbers = _PORTAUDIO_HW.search(self.name)
        return numbers[1] if numbers else ''


@dataclass(frozen=True)
class Selection:
    """The devices that are meant.

    Attributes:
        devices: at least one; the first that opens is taken.
        warning: where others are like it, that they are and how one is chosen; empty otherwise.
    """

    devices: tuple[Device, ...]
    warning: str = ''


def select(devices: Sequence[Device], wanted: Wanted, cards: Cards) -> Selection:
    """Return the devices that are meant.

    Args:
        devices: all that PortAudio lists.
        wanted: which one.
        cards: the sound cards behind them.

    Raises:
        AudioError: there is none that fits.
    """
    inputs = [device for device in devices if device.inputs > 0]
    found = _matching(inputs, wanted, cards)
    # PortAudio leaves out what another program uses.
    hidden = _matching_cards(wanted, cards) - {device.card for device in inputs}
    if not found:
        names = '; '.join(f'{placed(d, cards)} ({d.inputs} in)' for d in inputs) or 'none'
        advice = 'connect it'
        if hidden:
            users = ', '.join(filter(None, map(cards.user, sorted(hidden))))
            users = f'and {users} uses it' if users else 'so another program is likely to use it'
            advice = f'ALSA knows it, {users}: end that'
        criterion = (
            'number is' if wanted.name.isdecimal()
            else 'USB port is' if wanted.name.startswith(_USB)
            else 'name contains'
        )  # fmt: skip
        raise AudioError(
            f'no input device whose {criterion} {wanted.name!r} (found: {names}); {advice}'
        )
    reasons = {device: refusal(device, wanted) for device in found}
    usable = tuple(device for device, reason in reasons.items() if not reason)
    if not usable:
        # What is wrong with the device itself says more than that a server offers it, too.
        raise AudioError(min(reasons.items(), key=lambda item: item[0].from_server)[1])
    return Selection(usable, _warning(wanted, usable, hidden, cards))


def _warning(wanted: Wanted, usable: Sequence[Device], hidden: set[str], cards: Cards) -> str:
    busy = {card: user for card in sorted(hidden) if (user := cards.user(card))}
    count = len(usable) + len(busy)
    if count == 1:
        return ''
    choices = [place(card, cards) for card in (*(d.card for d in usable), *busy)]
    if not all(choices) or len(set(choices)) < count:
        names = [alsa_name(device, cards) or str(device.index) for device in usable]
        choices = [*names, *(f'hw:CARD={cards.id(card)}' for card in busy)]
    used = ''.join(
        f'; {user} uses {choice}'
        for user, choice in zip(busy.values(), choices[len(usable) :], strict=True)
    )
    return (
        f'{count} devices match {wanted.name!r}, and another one may be taken the next time; '
        f'choose one of {", ".join(choices)}{used}'
    )


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
    advice = 'if it is the right one, choose the array that describes it'
    own = wanted.own_name and wanted.own_name.lower() in device.name.lower()
    if own and device.inputs <= wanted.factory_channels:
        advice = f'it runs its factory firmware: {wanted.factory_advice}'
    plural = 's' * (device.inputs != 1)
    return (
        f'device {device.name!r} has {device.inputs} input channel{plural} and the array needs '
        f'{wanted.channels}; {advice}'
    )


def alsa_name(device: Device, cards: Cards) -> str:
    """Return the ALSA name that stays when the card gets another number; empty if none."""
    numbers = _PORTAUDIO_HW.search(device.name)
    if numbers is None:
        return ''
    card = cards.id(numbers[1])
    return f'hw:CARD={card},DEV={numbers[2]}' if card else ''


def place(card: str, cards: Cards) -> str:
    """Return the USB port that a card is connected to, as it can be asked for; empty if none."""
    port = cards.usb_port(card)
    return f'{_USB}{port}' if port else ''


def placed(device: Device, cards: Cards) -> str:
    """Return the name of a device, and where it is connected."""
    return ' = '.join(filter(None, [device.name, place(device.card, cards)]))


def _matching(devices: Sequence[Device], wanted: Wanted, cards: Cards) -> list[Device]:
    name = wanted.name
    if name.isdecimal():
        return [d for d in devices if str(d.index) == (name.lstrip('0') or '0')]
    if name.startswith(_USB):
        return [d for d in devices if place(d.card, cards) == name]
    if card := _card(wanted, cards):
        named = _ALSA_NAME.fullmatch(name)
        number = named['device'] if named and named['device'] else '0'
        return [d for d in devices if d.name.endswith(f'(hw:{card},{number})')]
    return [d for d in devices if name.lower() in d.name.lower()]


def _matching_cards(wanted: Wanted, cards: Cards) -> set[str]:
    """Return the numbers of the cards with an input that are meant, whether usable or not."""
    name = wanted.name

    def meant(card: str, description: str) -> bool:
        if name.isdecimal():
            return False
        if name.startswith(_USB):
            return place(card, cards) == name
        if number := _card(wanted, cards):
            return card == number
        return name.lower() in description.lower()

    known = cards.descriptions().items()
    return {card for card, text in known if meant(card, text) and cards.captures(card)}


def _card(wanted: Wanted, cards: Cards) -> str:
    """Return the number of the card that an ALSA name or id stands for; empty if it is none."""
    if named := _ALSA_NAME.fullmatch(wanted.name):
        return cards.number(named['card']) or named['card']
    # What the file of an array gives is a name that several devices may have.
    return '' if wanted.name == wanted.own_name else cards.number(wanted.name)
