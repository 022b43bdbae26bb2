# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest
import yaml

from doa_ros.core.errors import ConfigError
from doa_ros.resources import config_directory
from training.compression.rounding import rounded_network
from training.models.architectures import CIRCULAR, REFERENCE, find_architecture
from training.models.blocks import BlockConfig, NetworkConfig, build, load_network, save_network
from training.sections import TrainConfig
from training.settings import Settings, load_settings

CONFIG = TrainConfig()
ALL = NetworkConfig(
    'map',
    16,
    (
        BlockConfig('conv', filters=8, kernel=1),
        BlockConfig('separable', filters=12, kernel=5),
        BlockConfig('pool', kernel=3),
        BlockConfig('dropout'),
    ),
)
SHAPE = 36, 10
PROBE = np.random.default_rng(0).normal(0, 0.3, (3, *SHAPE)).astype(np.float32)


@pytest.mark.parametrize('network', [ALL, replace(ALL, input='taps'), REFERENCE, CIRCULAR])
def test_a_description_is_read_as_it_was_written(tmp_path, network):
    path = tmp_path / 'net.yaml'
    save_network(network, path, 'By hand.')
    # What an operation does not look at is not written.
    assert load_network(path).name == network.name
    assert load_network(path).to_mapping() == network.to_mapping()
    assert path.read_text(encoding='utf-8').startswith('# By hand.\n')


@pytest.mark.parametrize('kind', ['map', 'taps'])
def test_every_operation_is_built_and_known_to_the_tools_that_compress(kind):
    model = build(replace(ALL, input=kind), SHAPE, CONFIG)
    azimuth, elevation = (np.asarray(head) for head in model(PROBE))
    assert azimuth.shape == (3, 36)
    assert elevation.shape == (3, 10)
    rounded = rounded_network(model, PROBE)(PROBE)
    np.testing.assert_allclose(rounded[0], azimuth, atol=1e-2)
    np.testing.assert_allclose(rounded[1], elevation, atol=1e-2)


def test_a_network_of_map_blocks_alone_needs_no_block():
    model = build(NetworkConfig('map', 8, ()), SHAPE, CONFIG)
    assert model(PROBE)[0].shape == (3, 36)


def test_blocks_look_around_the_circle_once_at_most():
    few, shape = replace(CONFIG, azimuth_classes=4), (4, 3)
    twice, thrice = (NetworkConfig('map', 8, (BlockConfig('conv', 4, 5),) * n) for n in (2, 3))
    assert build(twice, shape, few)(PROBE[:, :4, :3])[0].shape == (3, 4)
    with pytest.raises(ConfigError, match='look further than around 4 azimuth classes'):
        build(thrice, shape, few)


def test_too_many_blocks_for_the_taps_are_named():
    network = NetworkConfig('taps', 8, (BlockConfig('conv', kernel=7),) * 3)
    with pytest.raises(ConfigError, match=r'block 3 \(conv\) is 7 wide, but only 1 of 13'):
        build(network, (13, 15), CONFIG)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('input: picture', 'net.yaml: input must be one of taps, map'),
        ('blocks: 3', 'net.yaml: blocks must be of type'),
        ('blocks: [{operation: lstm}]', 'net.yaml: block 1: operation must be one of conv'),
        ('blocks: [{filters: 0}]', 'net.yaml: block 1: filters must be at least 1'),
        ('blocks: [conv]', 'net.yaml: block 1: must be a mapping'),
        ('{input: map, blocks: [{kernel: 4}]}', 'net.yaml: block 1: on a map, kernels are odd'),
        ('{input: map, blocks: [{operation: pool, stride: 2}]}', 'strides 1'),
        ('layers: []', 'net.yaml: unknown layers'),
    ],
)
def test_a_wrong_description_is_refused(tmp_path, content, message):
    path = tmp_path / 'net.yaml'
    path.write_text(content, encoding='utf-8')
    with pytest.raises(ConfigError, match=message):
        find_architecture(str(path))


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match='none.yaml: no such file'):
        find_architecture('none.yaml')


@pytest.mark.parametrize(
    'name', sorted(path.stem for path in (config_directory() / 'architectures').glob('*.yaml'))
)
def test_every_shipped_description_is_built(name):
    model = build(find_architecture(name), SHAPE, CONFIG)
    assert model(PROBE)[0].shape == (3, 36)


def test_settings_take_a_copy_of_the_description_along(tmp_path):
    first, second = tmp_path / 'first', tmp_path / 'second'
    first.mkdir()
    save_network(ALL, first / 'net.yaml', 'By hand.')
    content = {'array': 'uma8', 'train': {'architecture': 'net.yaml'}}
    (first / 'settings.yaml').write_text(yaml.safe_dump(content), encoding='utf-8')
    # Relative to the settings file, from wherever it is read.
    settings = load_settings(first / 'settings.yaml')
    assert settings.train.architecture == str(first / 'net.yaml')
    second.mkdir()
    settings.save(second / 'settings.yaml')
    moved = second.rename(tmp_path / 'third')
    settings = load_settings(moved / 'settings.yaml')
    # Saved again where it is, nothing changes.
    settings.save(moved / 'settings.yaml')
    assert find_architecture(settings.train.architecture) == ALL


def test_settings_keep_the_name_of_a_network(tmp_path):
    Settings('uma8').save(tmp_path / 'settings.yaml')
    assert load_settings(tmp_path / 'settings.yaml').train.architecture == 'reference'
    assert not (tmp_path / 'architecture.yaml').exists()
