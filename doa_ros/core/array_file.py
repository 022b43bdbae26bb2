# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Reading array files (config/arrays)."""

import math
from pathlib import Path

import numpy as np

from doa_ros.core.config import error_text, load_yaml, require_keys, short
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray


def load_array(path: Path) -> MicArray:
    """Read an array file (see config/arrays).

    Raises:
        ConfigError: the file is missing or does not describe a usable array.
    """
    content = load_yaml(path)
    where = str(path)
    require_keys(
        content,
        where,
        required={'name', 'sampling_frequency', 'channel_count', 'microphones'},
        optional={
            'description',
            'device',
            'factory_firmware',
            'mounting',
            'rotation_deg',
            'speed_of_sound',
            'unused_channels',
        },
    )
    microphones = content['microphones']
    if not isinstance(microphones, list):
        raise ConfigError(f'{where}: microphones must be a list')
    for number, microphone in enumerate(microphones):
        require_keys(
            microphone,
            f'{where}: microphone {number}',
            required={'label', 'channel', 'position'},
        )
    unused = content.get('unused_channels') or []
    if not isinstance(unused, list):
        raise ConfigError(f'{where}: unused_channels must be a list')
    for number, channel in enumerate(unused):
        require_keys(
            channel,
            f'{where}: unused channel {number}',
            required={'label', 'channel'},
            optional={'description', 'position', 'silent'},
        )
    factory = content.get('factory_firmware') or {'channels': 0, 'advice': ''}
    require_keys(factory, f'{where}: factory_firmware', required={'channels', 'advice'})
    mounting = content.get('mounting', 'face_up')
    if mounting not in ('face_up', 'face_down'):
        raise ConfigError(f'{where}: mounting must be face_up or face_down, not {mounting!r}')
    try:
        return MicArray(
            name=str(content['name']),
            positions=np.array([_position(m) for m in microphones]),
            labels=tuple(str(m['label']) for m in microphones),
            channels=tuple(_whole(m['channel'], _key(m, 'channel')) for m in microphones),
            channel_count=_whole(content['channel_count'], 'channel_count'),
            sampling_frequency=_whole(content['sampling_frequency'], 'sampling_frequency'),
            face_down=mounting == 'face_down',
            rotation=float(np.radians(_number(content.get('rotation_deg', 0.0), 'rotation_deg'))),
            speed_of_sound=_number(
                content.get('speed_of_sound', MicArray.speed_of_sound), 'speed_of_sound'
            ),
            device=str(content.get('device') or ''),
            silent_channels=tuple(
                _whole(c['channel'], _key(c, 'channel')) for c in unused if c.get('silent') is True
            ),
            factory_channels=_whole(factory['channels'], 'factory_firmware: channels'),
            factory_advice=str(factory['advice']),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f'{where}: {error_text(error)}') from None
    except ConfigError as error:
        raise ConfigError(f'{where}: {error}') from None


def _key(microphone: dict, key: str) -> str:
    return f'microphone {short(microphone["label"])}: {key}'


def _position(microphone: dict) -> list[float]:
    key, position = _key(microphone, 'position'), microphone['position']
    if not isinstance(position, list) or len(position) != 3:
        raise ValueError(f'{key} must be [x, y, z] in metres, not {short(position)}')
    return [_number(x, key) for x in position]


def _number(value, key: str) -> float:
    if not isinstance(value, (int, float, str)) or isinstance(value, bool):
        raise ValueError(f'{key} must be a number, not {short(value)}')
    try:
        # Of text, too: YAML takes 43e-3, without a dot, for text.
        return float(value)
    except ValueError:
        raise ValueError(f'{key} must be a number without a unit, not {short(value)}') from None
    except OverflowError:
        raise ValueError(f'{key} is too large: {short(value)}') from None


def _whole(value, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f'{key} must be a whole number, not {short(value)}{_digits(value)}')
    return value


def _digits(value) -> str:
    """Return how to write what was meant: YAML takes 48e3, without a dot and a sign, for text."""
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        return ''
    return f'; write {number:.0f}' if number.is_integer() else ''
