# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What ALSA and the kernel tell about sound cards: which is which, and who uses it."""

from pathlib import Path
import re

# The beginning of a card in /proc/asound/cards, and a USB device in the path of a card.
_ENTRY = re.compile(r'^ *(\d+) \[', re.MULTILINE)
_USB_INTERFACE = re.compile(r'(\d+-[\d.]+):\d+\.\d+')


class Cards:
    """The sound cards of a computer, by number; what is not known is empty.

    Args:
        proc: where ALSA tells about them.
        system: where the kernel does.
    """

    def __init__(self, proc: Path = Path('/proc/asound'), system: Path = Path('/sys/class/sound')):
        self._proc, self._system = proc, system

    def descriptions(self) -> dict[str, str]:
        """Return what ALSA says about each card, by number."""
        _, *parts = _ENTRY.split(_text(self._proc / 'cards'))
        return dict(zip(parts[::2], parts[1::2], strict=True))

    def id(self, number: str) -> str:
        """Return the id of a card, such as SPK."""
        return _text(self._proc / f'card{number}' / 'id').strip()

    def number(self, card_id: str) -> str:
        """Return the number of the card with an id."""
        if '/' in card_id:
            return ''
        try:
            # Every id is a link to its card: /proc/asound/SPK -> card1.
            return (self._proc / card_id).readlink().name.removeprefix('card')
        except (OSError, ValueError):
            return ''

    def usb_port(self, number: str) -> str:
        """Return where a card is connected: 1-1.4 is port 4 of the hub at port 1 of bus 1."""
        device = (self._system / f'card{number}' / 'device').resolve()
        interface = _USB_INTERFACE.fullmatch(device.name)
        return interface[1] if interface else ''

    def captures(self, number: str) -> bool:
        """Return whether a card has an input."""
        return any((self._proc / f'card{number}').glob('pcm*c'))

    def user(self, number: str) -> str:
        """Return which process captures from a card; empty where none does."""
        for status in (self._proc / f'card{number}').glob('pcm*c/sub*/status'):
            if owner := re.search(r'owner_pid *: *(\d+)', _text(status)):
                program = _text(Path('/proc', owner[1], 'comm')).strip()
                return f'process {owner[1]}' + f' ({program})' * bool(program)
        return ''


def _text(path: Path) -> str:
    try:
        # Names come from the devices, in whatever bytes.
        return path.read_text(encoding='utf-8', errors='backslashreplace')
    except OSError:
        return ''
