# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Finding the shipped configuration: architectures, arrays, models, scenes, settings."""

import os
from pathlib import Path
import stat

from doa_ros.core.errors import ConfigError

DEFAULT_ARRAY, DEFAULT_MODEL = 'uma8', 'uma8_rooms_int8'
"""The names of the array and of the model that are taken where none is given."""

ANY_ARRAY_MODEL = 'any_rooms_int8'
"""The name of the model that is taken where the default one does not fit the array."""

_SUFFIXES = {
    'architectures': '.yaml',
    'arrays': '.yaml',
    'models': '.tflite',
    'scenes': '.yaml',
    'training': '.yaml',
}


def config_directory() -> Path:
    """Return the folder `config` of this installation.

    It lies inside the module (pip), beside it (a checkout) or in the package's share folder
    (a colcon workspace).

    Raises:
        ConfigError: the installation is incomplete.
    """
    module = Path(__file__).resolve().parent
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    shares = [Path(prefix, 'share', 'doa_ros') for prefix in prefixes if prefix]
    for parent in [module, module.parent, *shares]:
        if (parent / 'config' / 'arrays').is_dir():
            return parent / 'config'
    raise ConfigError('the folder config of doa_ros is not installed; install the package again')


def shipped(kind: str) -> list[str]:
    """Return the names of the shipped resources of a kind, as for `find_resource`."""
    found = (config_directory() / kind).glob('*' + _SUFFIXES[kind])
    # What has no card is part of another model.
    return sorted(p.stem for p in found if p.with_suffix('.yaml').is_file())


def find_resource(kind: str, name: str) -> Path:
    """Return the file of a shipped resource, or of the user's own.

    Args:
        kind: a folder of `config`: architectures, arrays, models, scenes or training.
        name: the name of a shipped file without its suffix, or a path.

    Raises:
        ConfigError: there is none; the message lists the shipped names.
    """
    suffix = _SUFFIXES[kind]
    if name.endswith(suffix) or '/' in name:
        # Unlike Path.expanduser, this leaves the home of an unknown user as it is.
        path = Path(os.path.expanduser(name))
        if not _is_file(path):
            raise ConfigError(f'{path}: no such file')
        return path
    path = config_directory() / kind / (name + suffix)
    if not _is_file(path):
        known = ', '.join(shipped(kind)) or 'none'
        raise ConfigError(
            f'no {kind[:-1]} named {name!r} (shipped: {known}); give a path to use your own'
        )
    return path


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        # ValueError: a name that no file can have.
        reason = getattr(error, 'strerror', None) or error
        raise ConfigError(f'{path}: cannot be read ({reason})') from None
