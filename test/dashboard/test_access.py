# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whose requests are answered, and the token."""

import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.dashboard.access import has_token, is_own_host, is_own_origin, make_token


@pytest.mark.parametrize(
    'host',
    [
        *('127.0.0.1:8800', 'localhost', 'localhost:9000', '[::1]:8800', '192.168.1.20:8800'),
        *('robot:8800', 'robot.local:8800', 'ROBOT.local.', 'robot.localhost', '[fe80::1%25eth0]'),
    ],
)
def test_names_that_only_this_network_gives(host):
    assert is_own_host(host)


@pytest.mark.parametrize(
    'host',
    [
        *('evil.example', 'evil.example:8800', '127.0.0.1.evil.example', 'local.evil.example.'),
        *('', ':8800', '[', 'evil.example/.local', 'a@evil.example', '127.0.0.1@evil.example'),
    ],
)
def test_names_that_anybody_may_own(host):
    assert not is_own_host(host)


@pytest.mark.parametrize(
    ('origin', 'own'),
    [
        ('http://robot:8800', True),
        ('https://robot:8800', True),
        ('http://robot:8801', False),
        ('http://robot', False),
        ('http://evil.example', False),
        ('http://robot:8800.evil.example', False),
        ('null', False),
        (None, False),
    ],
)
def test_only_the_page_itself_is_its_origin(origin, own):
    assert is_own_origin(origin, 'robot:8800') == own


def test_a_token_that_is_drawn_is_long_and_another_each_time():
    assert len(make_token(None)) >= 24
    assert make_token(None) != make_token(None)


def test_a_token_file_is_made_for_its_owner_alone_and_kept(tmp_path):
    path = tmp_path / 'token'
    token = make_token(path)
    assert path.read_text() == f'{token}\n'
    assert path.stat().st_mode & 0o777 == 0o600
    assert make_token(path) == token


@pytest.mark.parametrize(
    'content', [b'', b'short\n', b'two lines of it\nare no token\n', b'\xff' * 30]
)
def test_a_file_without_a_token(tmp_path, content):
    path = tmp_path / 'token'
    path.write_bytes(content)
    with pytest.raises(ConfigError, match='token_file .*token'):
        make_token(path)


def test_a_token_file_that_cannot_be(tmp_path):
    with pytest.raises(ConfigError, match='cannot be written .No such file'):
        make_token(tmp_path / 'none' / 'token')
    with pytest.raises(ConfigError, match='cannot be read'):
        make_token(tmp_path)


def test_the_token_is_compared_as_a_whole():
    token = make_token(None)
    assert has_token(f'Bearer {token}', token)
    for wrong in (
        '',
        token,
        f'Bearer {token} ',
        f'Bearer {token[:-1]}',
        f'bearer {token}',
        'Bearer é',
    ):
        assert not has_token(wrong, token)
