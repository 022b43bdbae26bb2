# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The networks that `train` knows by name: the two designs below and every described one.

Descriptions of networks are files (see blocks.py): those of config/architectures and one's own.
"""

from doa_ros.core.errors import ConfigError
from doa_ros.resources import find_resource

from ..data.inputs import Inputs, inputs_for
from ..settings import Settings, is_file
from .blocks import BlockConfig, NetworkConfig, load_network

# Two convolutions over the lags and a dense body: on 13 lags, 15 pairs and 36 azimuth classes, the
# body and the azimuth head have 44,632 parameters.
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
# The rotation-aware design: circular convolutions over a map over direction.
CIRCULAR = NetworkConfig(
    input='map', dense=32, blocks=(BlockConfig('conv', filters=32, kernel=5),) * 3
)


ARCHITECTURES = {'reference': REFERENCE, 'circular': CIRCULAR}


def find_architecture(name: str) -> NetworkConfig:
    """Return a network by its name, or that of a file.

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
    return load_network(path)


def inputs_of(settings: Settings) -> Inputs:
    """Return what the network of the settings is given.

    Raises:
        ConfigError: the array or the architecture is not usable.
    """
    return inputs_for(settings, find_architecture(settings.train.architecture).input)


def describe_architecture(name: str) -> str:
    """Return what a network is, wherever its file lies: its name, or its blocks in one word.

    Raises:
        ConfigError: the file describes none.
    """
    if not is_file(name):
        return name
    return load_network(find_resource('architectures', name)).name
