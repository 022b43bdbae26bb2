# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The networks that `train` knows by name: the two designs below and every described one.

Descriptions of networks are files (see blocks.py): those of config/architectures and one's own.
"""

from collections.abc import Callable
from functools import partial

import keras

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import MicArray
from doa_ros.resources import find_resource

from ..sections import TrainConfig
from ..settings import is_file
from .blocks import BlockConfig, NetworkConfig, build, load_network

Architecture = Callable[[MicArray, FeatureConfig, TrainConfig], keras.Model]

REFERENCE = NetworkConfig(
    input='taps',
    dense=100,
    blocks=(
        BlockConfig('conv', filters=64, kernel=3),
        BlockConfig('conv', filters=64, kernel=3),
        BlockConfig('dropout'),
        BlockConfig('pool', kernel=2, stride=2),
    ),
)
CIRCULAR = NetworkConfig(
    input='map', dense=32, blocks=(BlockConfig('conv', filters=32, kernel=5),) * 3
)


def reference(array: MicArray, features: FeatureConfig, config: TrainConfig) -> keras.Model:
    """Return the reference design: two convolutions over the lags and a dense body.

    On 13 lags, 15 pairs and 36 azimuth classes, body and azimuth head have 44,632 parameters.
    """
    return build(REFERENCE, array, features, config)


def circular(array: MicArray, features: FeatureConfig, config: TrainConfig) -> keras.Model:
    """Return the rotation-aware design: a map over direction, then circular convolutions."""
    return build(CIRCULAR, array, features, config)


ARCHITECTURES: dict[str, Architecture] = {'reference': reference, 'circular': circular}


def find_architecture(name: str) -> Architecture:
    """Return an architecture by its name, or that of a file.

    Args:
        name: of ARCHITECTURES or of a file in config/architectures, or a path.

    Raises:
        ConfigError: there is none of this name, or the file describes none.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    try:
        path = find_resource('architectures', name)
    except ConfigError as error:
        raise ConfigError(f'{error}; without a file: {", ".join(ARCHITECTURES)}') from None
    return partial(build, load_network(path))


def describe_architecture(name: str) -> str:
    """Return what a network is, wherever its file lies: its name, or its blocks in one word.

    Raises:
        ConfigError: the file describes none.
    """
    if not is_file(name):
        return name
    return load_network(find_resource('architectures', name)).name
