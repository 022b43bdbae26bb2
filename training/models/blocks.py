# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks described by a file: an input, a chain of blocks and the output heads.

    input: map      # what it takes, a name of NETWORK_INPUTS: taps or map
    dense: 32       # units of the dense layer before the heads; of a map, before the elevation
    blocks:
      - {operation: conv, filters: 32, kernel: 5}
      - {operation: separable, filters: 32, kernel: 3}
      - {operation: pool, kernel: 3, stride: 1}
      - {operation: dropout}

A network takes an input of shape (columns, channels): of taps they are lags and pairs, of a map
azimuths and elevations. It gives the outputs of the settings (heads.py), in their order.
Convolutions along one axis are 2-D ones of height 1, which every tool that quantises or prunes
knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers
import yaml

from doa_ros.core.config import Config, load_yaml, setting
from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.network_input import NETWORK_INPUTS

from ..sections import TrainConfig
from .heads import trained_heads

# The settings that each operation looks at.
_USED = {
    'conv': ('filters', 'kernel'),
    'separable': ('filters', 'kernel'),
    'pool': ('kernel', 'stride'),
    'dropout': (),
}


@dataclass(frozen=True)
class BlockConfig(Config):
    """One block of a network."""

    operation: str = setting('conv', 'What the block does.', choices=tuple(_USED))
    filters: int = setting(32, 'Channels that leave a convolution.', minimum=1, maximum=1024)
    kernel: int = setting(3, 'Width [taps or columns of the map].', minimum=1, maximum=31)
    stride: int = setting(1, 'Of pooling.', minimum=1, maximum=8)

    @property
    def reach(self) -> int:
        """How many columns the block looks to either side."""
        return self.kernel // 2 if 'kernel' in _USED[self.operation] else 0

    def to_mapping(self) -> dict[str, Any]:
        """Return the settings that the operation looks at."""
        used = {name: getattr(self, name) for name in _USED[self.operation]}
        return {'operation': self.operation, **used}


@dataclass(frozen=True)
class NetworkConfig(Config):
    """A network."""

    input: str = setting('taps', 'What the blocks see.', choices=tuple(NETWORK_INPUTS))
    dense: int = setting(
        100, 'Units of the dense layer before the heads.', minimum=1, maximum=4096
    )
    blocks: tuple[BlockConfig, ...] = setting((), 'What happens to the input, in this order.')

    def __post_init__(self):
        super().__post_init__()
        for number, block in enumerate(self.blocks, 1):
            used = _USED[block.operation]
            odd = 'kernel' not in used or block.kernel % 2
            if self.input == 'map' and not (odd and ('stride' not in used or block.stride == 1)):
                raise ConfigError(f'block {number}: on a map, kernels are odd and strides 1')

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], where: str):
        """Build from a parsed YAML mapping.

        Raises:
            ConfigError: an unknown key or a value out of bounds; the message starts with `where`.
        """
        if isinstance(mapping, Mapping) and isinstance(mapping.get('blocks'), list):
            blocks = tuple(
                BlockConfig.from_mapping(block, f'{where}: block {number}')
                for number, block in enumerate(mapping['blocks'], 1)
            )
            mapping = {**mapping, 'blocks': blocks}
        return super().from_mapping(mapping, where)

    def to_mapping(self) -> dict[str, Any]:
        """Return the settings as a plain dictionary."""
        blocks = [block.to_mapping() for block in self.blocks]
        return {'input': self.input, 'dense': self.dense, 'blocks': blocks}

    @property
    def name(self) -> str:
        """The network in one word, such as `map_conv32x5_pool3x1_dense32`."""
        blocks = (
            b.operation + 'x'.join(str(getattr(b, name)) for name in _USED[b.operation])
            for b in self.blocks
        )
        return '_'.join([self.input, *blocks, f'dense{self.dense}'])


def load_network(path: Path) -> NetworkConfig:
    """Read the description of a network.

    Raises:
        ConfigError: the file is missing or describes none.
    """
    return NetworkConfig.from_mapping(load_yaml(path), str(path))


def save_network(network: NetworkConfig, path: Path, comment: str) -> None:
    """Write the description of a network, and a line that says where it comes from."""
    text = yaml.safe_dump(network.to_mapping(), sort_keys=False, default_flow_style=None)
    path.write_text(f'# {comment}\n{text}', encoding='utf-8')


def build(network: NetworkConfig, shape: tuple[int, int], config: TrainConfig) -> keras.Model:
    """Return the network of a description.

    Args:
        network: the description.
        shape: of the input: (columns, channels).
        config: says which outputs there are.

    Raises:
        ConfigError: its blocks need more taps, or a larger circle, than there are.
    """
    inputs = keras.Input(shape, name=network.input)
    x = layers.Reshape((1, *shape))(inputs)
    if network.input == 'map':
        margin = sum(block.reach for block in network.blocks)
        if margin > shape[0]:
            raise ConfigError(f'the blocks look further than around {shape[0]} azimuth classes')
        x = closed_circle(x, margin)
    for number, block in enumerate(network.blocks, 1):
        if 'kernel' in _USED[block.operation] and x.shape[2] < block.kernel:
            raise ConfigError(
                f'block {number} ({block.operation}) is {block.kernel} wide, '
                f'but only {x.shape[2]} of {inputs.shape[1]} taps are left'
            )
        for layer in block_layers(block, config):
            x = layer(x)
    heads = map_heads if network.input == 'map' else taps_heads
    return keras.Model(inputs, heads(x, config, network.dense), name=network.name)


def block_layers(block: BlockConfig, config: TrainConfig) -> list[layers.Layer]:
    """Return the layers of a block, none of which pads."""
    width = (1, block.kernel)
    if block.operation == 'conv':
        return [layers.Conv2D(block.filters, width, activation='relu')]
    if block.operation == 'separable':
        pointwise = layers.Conv2D(block.filters, (1, 1), activation='relu')
        return [layers.DepthwiseConv2D(width), pointwise]
    if block.operation == 'pool':
        return [layers.MaxPooling2D(width, strides=(1, block.stride))]
    return [layers.Dropout(config.dropout)]


def taps_heads(x, config: TrainConfig, units: int) -> list:
    """Return the heads of the settings from what the blocks make of the taps."""
    x = layers.Dense(units, activation='relu')(layers.Flatten()(x))
    return [head.from_features(x, config) for head in trained_heads(config)]


def closed_circle(x, margin: int):
    """Return a map that goes on over its ends, so that blocks without padding see no end.

    Args:
        x: the map over direction, shape (1, azimuths, channels).
        margin: what the blocks take from either side [columns]; they end with exactly the circle.
    """
    if not margin:
        return x
    others = x.shape[2] - margin
    last, first = layers.Cropping2D((0, (others, 0)))(x), layers.Cropping2D((0, (0, others)))(x)
    return layers.Concatenate(axis=2)([last, x, first])


def map_heads(x, config: TrainConfig, units: int) -> list:
    """Return the heads of the settings from what the blocks make of a map.

    Those without a place on the map are made of its maxima and means over the circle.
    """
    heads = trained_heads(config)
    outputs = [head.from_map(x, config, units) for head in heads]
    x = layers.Concatenate()([layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)])
    x = layers.Dense(units, activation='relu')(x)
    x = layers.Dropout(config.dropout)(x)
    return [
        head.from_features(x, config) if output is None else output
        for head, output in zip(heads, outputs, strict=True)
    ]
