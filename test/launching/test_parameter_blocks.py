# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameter files are joined as a ROS process joins them."""

import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.launching.parameter_blocks import ParameterBlocks, without_node

_NODES = ['/doa/audio_capture', '/doa/gcc_phat', '/doa/doa_estimator']


def _file(folder, text):
    path = folder / 'parameters.yaml'
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('/**: {ros__parameters: {hop: 2}}', 2),
        ('/doa/gcc_phat: {ros__parameters: {hop: 2}}', 2),
        ('doa/gcc_phat: {ros__parameters: {hop: 2}}', 2),
        ('doa: {gcc_phat: {ros__parameters: {hop: 2}}}', 2),
        ('/doa: {gcc_phat: {ros__parameters: {hop: 2}}}', 2),
        ('/doa/*: {ros__parameters: {hop: 2}}', 2),
        ('/*/gcc_phat: {ros__parameters: {hop: 2}}', 2),
        ('/**/gcc_phat: {ros__parameters: {hop: 2}}', 2),
        ('gcc_phat: {ros__parameters: {hop: 2}}', 1),
        ('/*: {ros__parameters: {hop: 2}}', 1),
        ('/doa/gcc: {ros__parameters: {hop: 2}}', 1),
        ('/doa/gcc_phat: {ros__parameters: }', 1),
        # The block that came first into being is the weakest.
        ('{/**: {ros__parameters: {hop: 2}}, /doa/gcc_phat: {ros__parameters: {hop: 3}}}', 3),
        ('{/doa/gcc_phat: {ros__parameters: {hop: 3}}, /**: {ros__parameters: {hop: 2}}}', 2),
    ],
)
def test_value_of_a_parameter_file(text, value, tmp_path):
    blocks = ParameterBlocks()
    blocks.add_file(_file(tmp_path, text))
    assert blocks.value('hop', '/doa/gcc_phat', 1) == value


def test_what_is_given_wins_over_every_block(tmp_path):
    blocks = ParameterBlocks()
    blocks.add('/**', {'hop': 1})
    blocks.add_file(
        _file(tmp_path, '{/**/gcc_phat: {ros__parameters: {hop: 2, window: 5}},'
                        ' /**: {ros__parameters: {hop: 3}}}')
    )  # fmt: skip
    content = blocks.override({'hop': 4})
    assert content == {name: {'ros__parameters': {'hop': 4}} for name in ('/**', '/**/gcc_phat')}
    assert blocks.value('hop', '/doa/gcc_phat', 1) == 4
    assert blocks.value('window', '/doa/gcc_phat', 1) == 5


@pytest.mark.parametrize('text', ['gcc_phat: {hop: 2}', '[]', '', '/**: {ros__parameter: {}}'])
def test_file_without_parameters_is_an_error(text, tmp_path):
    with pytest.raises(ConfigError, match='parameters.yaml'):
        ParameterBlocks().add_file(_file(tmp_path, text))


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match='nope.yaml: cannot be read'):
        ParameterBlocks().add_file(tmp_path / 'nope.yaml')


@pytest.mark.parametrize(
    ('pattern', 'hint'),
    [
        ('/doa_estimator', '; do you mean /doa/doa_estimator?'),
        ('/left/gcc_phat', '; do you mean /doa/gcc_phat?'),
        ('/doa/doa_estimater', '; do you mean /doa/doa_estimator?'),
        ('/camera', ''),
    ],
)
def test_block_without_a_node_is_named(pattern, hint):
    expected = f'{pattern} is the name of no node that starts here{hint}'
    assert without_node(['/**', '/doa/*', pattern], _NODES) == [expected]
