# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which network is run with which array."""

from pathlib import Path

from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.compatibility import network_match
from doa_ros.core.localization.model_card import load_card
from doa_ros.resources import ANY_ARRAY_MODEL, DEFAULT_MODEL, find_resource, shipped


def find_network(name: str, array: MicArray) -> Path:
    """Return the .tflite file of a network.

    Args:
        name: the name of a shipped one, or a path. In the place of the default one, an array that
            it does not fit gets the one for every array, if that is shipped.
        array: the microphones.

    Raises:
        ConfigError: there is none.
        ModelError: the default one is not usable.
    """
    path = find_resource('models', name)
    if name != DEFAULT_MODEL or ANY_ARRAY_MODEL not in shipped('models'):
        return path
    if network_match(load_card(path), array) is not None:
        return path
    return find_resource('models', ANY_ARRAY_MODEL)
