# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a folder of simulated data is made of, so that data of other settings is never mixed in."""

from pathlib import Path

import yaml

from doa_ros.core.config import load_yaml
from doa_ros.core.errors import ConfigError, DoaError
from doa_ros.core.files import write_whole

from ..splits import SPLITS


def store_provenance(out: Path, made_of: dict, counted_in: str) -> None:
    """Store what the data in a folder is made of, as its settings.yaml.

    Args:
        out: the folder.
        made_of: all that decides what the data is, by section.
        counted_in: the section that says how many clips there are, which may change at any time.

    Raises:
        ConfigError: the folder holds data made of something else.
        DoaError: it cannot be written.
    """
    path = out / 'settings.yaml'
    if path.exists():
        before = load_yaml(path)
        counts = {f'{split}_clips': made_of[counted_in][f'{split}_clips'] for split in SPLITS}
        before[counted_in] = {**(before.get(counted_in) or {}), **counts}
        if before != made_of:
            raise ConfigError(f'{out} holds data of other settings; choose another folder')
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(path, yaml.safe_dump(made_of, sort_keys=False).encode())
    except OSError as error:
        raise DoaError(f'{out}: cannot be written ({error.strerror or error})') from None
