# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Other people's methods, to be compared with ours on the same frames."""

import shutil

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray

from ..frames import Method
from .esprit import Esprit
from .odas import PROGRAM, Odas
from .pyroom import ALGORITHMS, Pyroom


def make_peers(array: MicArray) -> tuple[list[Method], list[str]]:
    """Return the methods that work with an array, and a sentence for each that does not."""
    peers: list[Method] = [Pyroom(title, array) for title in ALGORITHMS]
    left_out = []
    try:
        peers.append(Esprit(array))
    except ConfigError as error:
        left_out.append(f'{Esprit.name} is left out: {error}.')
    if shutil.which(PROGRAM):
        peers.append(Odas(array))
    else:
        left_out.append(f'{Odas.name} is left out: {PROGRAM} is not on the PATH.')
    return peers, left_out
