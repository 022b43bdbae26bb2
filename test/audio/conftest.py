# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a computer tells about its sound cards."""

import pytest

from doa_ros.audio.capture.alsa import Cards


class Computer:
    """Folders such as /proc/asound and /sys/class/sound, with a built-in card."""

    def __init__(self, folder):
        self.proc, self.system = folder / 'proc', folder / 'sys'
        self.proc.mkdir()
        self.system.mkdir()
        self._texts = []
        self.cards = Cards(self.proc, self.system)
        self.add('PCH', 'HDA-Intel - HDA Intel')

    def add(self, card_id, text, *, port='', user=''):
        number = len(self._texts)
        card, status = self.proc / f'card{number}', 'closed\n'
        if user:
            status = f'state: RUNNING\nowner_pid   : {user}\ntrigger_time: 1.0\n'
        (card / 'pcm0c' / 'sub0').mkdir(parents=True)
        (card / 'pcm0c' / 'sub0' / 'status').write_text(status)
        (card / 'id').write_text(card_id + '\n')
        (self.proc / card_id).symlink_to(card.name)
        self._texts.append(f'{number:2} [{card_id:15}]: {text}\n')
        (self.proc / 'cards').write_text(''.join(self._texts))
        # As in sysfs: the card is a link to its place below the device it is a part of.
        device = self.system.parent / 'devices' / (f'usb1/{port}/{port}:1.0' if port else 'pci0')
        place = device / 'sound' / card.name
        place.mkdir(parents=True)
        (place / 'device').symlink_to('../..')
        (self.system / card.name).symlink_to(place)


@pytest.fixture(scope='session')
def make_computer():
    """Return what makes a computer in a folder."""
    return Computer


@pytest.fixture
def computer(tmp_path):
    return Computer(tmp_path)
