# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Arguments win over the user's file, and that over the parent; each argument has its type."""

import json
from pathlib import Path

import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.launching.arguments import launch_arguments
from doa_ros.launching.node_parameters import node_parameters
from doa_ros.nodes.configs import settings

_NODES = ['/doa/audio_capture', '/doa/doa_estimator']


def _file(folder, text, name='parameters.yaml'):
    (folder / name).write_text(text)
    return str(folder / name)


@pytest.mark.parametrize(
    ('parent', 'file', 'given', 'value'),
    [
        ([], '', {}, None),
        ([('array', 'a')], '', {}, 'a'),
        ([('array', 'a')], '/**: {ros__parameters: {array: b}}', {}, 'b'),
        ([('array', 'a')], '/**: {ros__parameters: {array: b}}', {'array': 'c'}, 'c'),
        ([], '/doa/audio_capture: {ros__parameters: {array: b}}', {'array': 'c'}, 'c'),
    ],
)
def test_argument_wins_over_file_over_parent(parent, file, given, value, tmp_path):
    path = _file(tmp_path, file) if file else ''
    parameters = node_parameters(parent, path, given, _NODES, str(tmp_path))
    assert parameters.blocks.value('array', _NODES[0], None) == value
    # What ROS is to read: the user's file first, then the arguments, which win.
    assert parameters.files[: bool(file)] == [path] * bool(file)
    assert len(parameters.files) == bool(file) + bool(given)
    assert parameters.warnings == []


def test_files_of_the_parent_and_of_the_user(tmp_path):
    parent = _file(tmp_path, '/**: {ros__parameters: {array: a}}', 'parent.yaml')
    broken = _file(tmp_path, '[]', 'broken.yaml')
    user = _file(tmp_path, '/doa_estimator: {ros__parameters: {sensitivity: 0.9}}')
    parameters = node_parameters([broken, parent], user, {}, _NODES, str(tmp_path))
    assert parameters.blocks.value('array', _NODES[0], None) == 'a'
    (warning,) = parameters.warnings
    assert warning.startswith(user) and 'do you mean /doa/doa_estimator?' in warning
    with pytest.raises(ConfigError, match='must hold a mapping'):
        node_parameters([], broken, {}, _NODES, str(tmp_path))


def test_arguments_have_the_types_of_the_parameters(tmp_path):
    texts = {'sensitivity': '1', 'loop': 'True', 'device': '2', 'file': '/tmp/Straße "1".wav'}
    # Not a parameter of a node.
    given = texts | {'mode': 'nodes', 'x': '0.1'}
    (path,) = node_parameters([], '', given, _NODES, str(tmp_path)).files
    content = json.loads(Path(path).read_text())['/**']['ros__parameters']
    expected = {'sensitivity': 1.0, 'loop': True, 'device': '2', 'file': texts['file']}
    assert content == expected
    assert {name: type(value) for name, value in content.items()} == {
        name: type(value) for name, value in expected.items()
    }
    with pytest.raises(ConfigError, match='loop must be true or false'):
        node_parameters([], '', {'loop': 'maybe'}, _NODES, str(tmp_path))


def test_parameters_among_the_arguments_exist():
    foreign = {'use_sim_time'}
    for argument in launch_arguments():
        if argument.parameter and argument.name not in foreign:
            default = settings()[argument.name].default
            assert type(argument.parameter(argument.name, '1')) is type(default), argument.name
