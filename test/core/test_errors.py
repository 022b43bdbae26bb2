# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of errors can be printed everywhere, whatever they name."""

import pytest

from doa_ros.core.errors import AudioError, DoaError, MessageError


@pytest.mark.parametrize('kind', [DoaError, AudioError, MessageError])
@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('a.wav: is café', 'a.wav: is café'),
        ('caf\udce9.wav', r'caf\udce9.wav'),
        ('two\nlines\x1b[2J', r'two\nlines\x1b[2J'),
    ],
)
def test_a_message_is_one_line_that_can_be_printed(kind, text, shown):
    error = kind(text)
    assert str(error) == f'{error}' == shown
    str(error).encode('utf-8')
