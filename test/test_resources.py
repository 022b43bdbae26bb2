# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Finding files, and the parts that do without ROS."""

import ast
from pathlib import Path
import subprocess
import sys

import pytest

import doa_ros
from doa_ros import resources
from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.model_card import load_card
from doa_ros.resources import config_directory, find_resource, shipped

_PACKAGE = Path(doa_ros.core.__file__).resolve().parents[1]


def test_shipped_resources_are_found_by_name():
    assert find_resource('arrays', 'uma8') == config_directory() / 'arrays' / 'uma8.yaml'
    assert find_resource('scenes', 'demo').name == 'demo.yaml'
    for name in (
        'uma8_reference_int8',
        'uma8_reference_float32',
        'uma8_rooms_int8',
        'uma8_several_int8',
    ):
        assert load_card(find_resource('models', name)).array.name == 'uma8'
    for name in shipped('models'):
        card = load_card(find_resource('models', name))
        assert (card.array is None) == name.startswith('any_')


def test_own_file_is_found_by_path(tmp_path, monkeypatch):
    path = tmp_path / 'mine.yaml'
    path.touch()
    assert find_resource('arrays', str(path)) == path
    monkeypatch.chdir(tmp_path)
    assert find_resource('arrays', 'mine.yaml').samefile(path)
    assert find_resource('arrays', './mine.yaml').samefile(path)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert find_resource('arrays', '~/mine.yaml') == path


def test_unknown_name_lists_what_there_is():
    with pytest.raises(ConfigError, match=r"no array named 'uma9' \(shipped: .*uma8.*\); give"):
        find_resource('arrays', 'uma9')
    with pytest.raises(ConfigError, match="no scene named ''"):
        find_resource('scenes', '')
    # The network of a recurrent filter is part of a model.
    with pytest.raises(ConfigError, match='uma8_several_int8') as refused:
        find_resource('models', 'nonesuch')
    assert '_filter' not in str(refused.value)


@pytest.mark.parametrize('name', ['none.yaml', './uma8', '/etc', '~nobody-of-this-name/a.yaml'])
def test_missing_path(name):
    with pytest.raises(ConfigError, match='no such file'):
        find_resource('arrays', name)


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('a' * 300 + '.yaml', 'File name too long'),
        ('a' * 300, 'File name too long'),
        ('/etc/passwd/a.yaml', 'Not a directory'),
        ('a\0b.yaml', 'null byte'),
    ],
)
def test_paths_that_cannot_be_looked_at(name, reason):
    with pytest.raises(ConfigError, match=reason):
        find_resource('arrays', name)


def test_share_folder_of_a_workspace_is_found(tmp_path, monkeypatch):
    # As if only the Python files were elsewhere than the rest.
    share = tmp_path / 'share' / 'doa_ros' / 'config'
    (share / 'arrays').mkdir(parents=True)
    monkeypatch.setattr(resources, '__file__', str(tmp_path / 'lib' / 'doa_ros' / 'resources.py'))
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path}/other:{tmp_path}')
    assert config_directory() == share
    monkeypatch.setenv('AMENT_PREFIX_PATH', '')
    with pytest.raises(ConfigError, match='is not installed; install the package again'):
        config_directory()


def _modules(folder):
    return sorted((_PACKAGE / folder).glob('**/*.py'))


def _dotted(path):
    return '.'.join(path.relative_to(_PACKAGE.parent).with_suffix('').parts)


@pytest.mark.parametrize(
    'paths',
    [
        *(_modules(folder) for folder in ('core', 'audio', 'simulation', 'dashboard', 'foxglove')),
        [
            _PACKAGE / 'command.py',
            *(_PACKAGE / 'cli' / f'{t}.py' for t in ('check', 'extract', 'locate')),
        ],
    ],
    ids=['core', 'audio', 'simulation', 'dashboard', 'foxglove', 'cli'],
)
def test_imports_without_ros_and_training(paths):
    names = [_dotted(path) for path in paths]
    blocked = ('rclpy', 'rosidl_runtime_py', 'builtin_interfaces', 'doa_ros.msg', 'tensorflow',
               'keras', 'pyroomacoustics', 'training')  # fmt: skip
    code = (
        'import importlib, sys\n'
        f'for name in {blocked}: sys.modules[name] = None\n'
        f'for name in {names}: importlib.import_module(name)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def _imported(path):
    """Return the modules that a file names in its imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            names = [f'doa_ros.{alias.name}' for alias in node.names]
            yield from names if node.module == 'doa_ros' else [node.module]


_CORE_IMPORTS = {'numpy', 'scipy', 'yaml', *sys.stdlib_module_names}


@pytest.mark.parametrize(
    ('folder', 'own', 'others'),
    [
        ('core', {'core'}, _CORE_IMPORTS),
        ('simulation', {'core', 'audio', 'simulation'}, _CORE_IMPORTS | {'soundfile'}),
        (
            'dashboard',
            {'core', 'audio', 'dashboard'},
            _CORE_IMPORTS | {'aiohttp'},
        ),
        ('foxglove', {'core', 'foxglove', 'columns', 'looks'}, _CORE_IMPORTS | {'foxglove'}),
        (
            'audio',
            {'core', 'audio', 'simulation', 'headers'},
            _CORE_IMPORTS | {'soundfile', 'sounddevice'},
        ),
    ],
)
def test_the_rooms_without_ros_import_nothing_of_it(folder, own, others):
    for path in _modules(folder):
        for name in _imported(path):
            top, *rest = name.split('.')
            if top == 'doa_ros':
                assert rest[0] in own, f'{path} imports {name}'
            else:
                assert top in others, f'{path} imports {name}'


def test_every_file_has_its_licence():
    for path in _PACKAGE.rglob('*.py'):
        if 'msg' not in path.relative_to(_PACKAGE).parts:
            assert 'SPDX-License-Identifier: Apache-2.0' in path.read_text()[:200], path
