# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may see the page, and who may change something by it."""

import hmac
import ipaddress
import os
from pathlib import Path
import secrets
from urllib.parse import urlsplit

from doa_ros.core.errors import ConfigError

# Of a token that is drawn, and the least of one that is given.
_TOKEN_BYTES, _SHORTEST_TOKEN = 18, 16
_BEARER = 'Bearer '

HEADERS = {
    # Nothing from elsewhere, nothing inline, in no frame of another page.
    'Content-Security-Policy': (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    # The browser asks whether there is a newer one each time: the node may be another version.
    'Cache-Control': 'no-cache',
}
"""Headers of every response."""


def is_own_host(host: str) -> bool:
    """Return whether the `Host` of a request may be that of this computer.

    Whoever owns a name in the DNS can let it point to this computer, and so read the page from
    a page of theirs in a visitor's browser (DNS rebinding). They own no address, no name without
    a dot, and none below .local, which the computers of a network give themselves.
    """
    try:
        name = urlsplit(f'//{host}').hostname or ''
    except ValueError:
        return False
    name = name.rstrip('.')
    try:
        ipaddress.ip_address(name.partition('%')[0])
    except ValueError:
        return bool(name) and ('.' not in name or name.endswith(('.local', '.localhost')))
    return True


def is_own_origin(origin: str | None, host: str) -> bool:
    """Return whether the `Origin` of a request is the page itself, as `Host` names it."""
    return origin in (f'http://{host}', f'https://{host}')


def make_token(path: Path | None) -> str:
    """Return the token that control needs.

    Args:
        path: the file that holds it; it is made where it is not there, for its owner alone. None
            draws a token that is kept nowhere.

    Raises:
        ConfigError: the file cannot be read or written, or holds no good token.
    """
    drawn = secrets.token_urlsafe(_TOKEN_BYTES)
    if path is None:
        return drawn
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_token(path)
    except OSError as error:
        raise ConfigError(f'token_file {path} cannot be written ({error.strerror})') from None
    with os.fdopen(handle, 'w', encoding='ascii') as file:
        file.write(f'{drawn}\n')
    return drawn


def _read_token(path: Path) -> str:
    try:
        token = path.read_text(encoding='ascii').strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f'token_file {path} cannot be read ({error})') from None
    if len(token) < _SHORTEST_TOKEN or not token.isprintable():
        raise ConfigError(
            f'token_file {path} must hold one line of at least {_SHORTEST_TOKEN} characters; '
            'delete it, and it is made again'
        )
    return token


def has_token(authorization: str, token: str) -> bool:
    """Return whether an `Authorization` header holds the token, in a time that tells nothing."""
    given = authorization.removeprefix(_BEARER) if authorization.startswith(_BEARER) else ''
    return hmac.compare_digest(given.encode('utf-8', 'replace'), token.encode())
