# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the text of a launch argument says."""

from contextlib import suppress
import math

from doa_ros.core.errors import ConfigError

_SWITCHES = {'true': True, '1': True, 'false': False, '0': False}


def text(name: str, text: str) -> str:
    """Return what an argument such as `array:=uma8` says: what stands there."""
    return text


def switch(name: str, text: str) -> bool:
    """Return what an argument such as `loop:=true` says.

    Raises:
        ConfigError: neither yes nor no.
    """
    try:
        return _SWITCHES[text.strip().lower()]
    except KeyError:
        raise ConfigError(f'{name} must be true or false, not {text!r}') from None


def number(name: str, text: str) -> float:
    """Return what an argument such as `sensitivity:=1` says.

    Raises:
        ConfigError: it is no finite number.
    """
    with suppress(ValueError):
        if math.isfinite(value := float(text)):
            return value
    raise ConfigError(f'{name} must be a number, not {text!r}')
