# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Other people's methods, to be compared with ours on the same frames."""

import shutil

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray

from ...metrics.frames import Method
from ...metrics.sets import SetMethod
from .esprit import Esprit
from .odas import PROGRAM, Odas
from .pyroom import ALGORITHMS, Pyroom

# Which algorithms of pyroomacoustics are told how many sources there are.
_OF_SETS = ('NormMUSIC', 'SRP-PHAT')


def make_peers(array: MicArray) -> tuple[list[Method], list[str]]:
    """Return the methods that work with an array, and a sentence for each that does not."""
    peers: list[Method] = [Pyroom(title, array) for title in ALGORITHMS]
    left_out = []
    try:
        peers.append(Esprit(array))
    except ConfigError as error:
        left_out.append(f'{Esprit.name} is left out: {error}.')
    odas, missing = make_odas(array)
    return [*peers, *odas], [*left_out, *missing]


def make_set_peers(array: MicArray, sources: int) -> tuple[list[SetMethod], list[str]]:
    """Return the methods that find several sources, told how many: see `make_peers`."""
    odas, missing = make_odas(array)
    return [*(Pyroom(title, array, sources) for title in _OF_SETS), *odas], missing


def make_odas(array: MicArray) -> tuple[list[Odas], list[str]]:
    """Return ODAS where it is installed: see `make_peers`."""
    if shutil.which(PROGRAM):
        return [Odas(array)], []
    return [], [f'{Odas.name} is left out: {PROGRAM} is not on the PATH.']
