# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The modules as a whole: no circles of imports, and a class name stands once."""

import ast
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]
_FILES = [path for top in ('doa_ros', 'training') for path in sorted((_ROOT / top).rglob('*.py'))]


def _module(path):
    return '.'.join(path.relative_to(_ROOT).with_suffix('').parts).removesuffix('.__init__')


_MODULES = {_module(path): path for path in _FILES}


@cache
def _tree(name):
    return ast.parse(_MODULES[name].read_text(encoding='utf-8'))


def _base(name, node):
    """Return what a module imports from, in full."""
    if not node.level:
        return node.module
    parts = name.split('.')
    is_package = _MODULES[name].name == '__init__.py'
    package = parts[: len(parts) + is_package - node.level]
    return '.'.join([*package, *([node.module] if node.module else [])])


@cache
def _imports(name):
    """Return the modules of ours that one names in its imports, at any depth."""
    found = set()
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _base(name, node)
            for alias in node.names:
                inner = f'{base}.{alias.name}'
                found.add(inner if inner in _MODULES else base)
    return found & _MODULES.keys()


def _circle(graph):
    """Return the names along a circle of a graph, or None."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def _room(name, house):
    """Return the folder directly in a house that a module lies in, or the module itself there."""
    depth = len(house.split('.')) + 1
    return '.'.join(name.split('.')[:depth])


def _rooms(house):
    """Return the rooms that each room of a house imports from."""
    graph = defaultdict(set)
    for name in _MODULES:
        if name.startswith(f'{house}.'):
            inside = {other for other in _imports(name) if other.startswith(f'{house}.')}
            graph[_room(name, house)] |= {_room(other, house) for other in inside}
    return {room: others - {room} for room, others in graph.items()}


def test_the_modules_are_found():
    assert len(_MODULES) > 200
    assert 'doa_ros.core.config' in _imports('doa_ros.core.tracking.config')
    assert 'training.settings' in _imports('training.train')
    assert _circle({'a': {'b'}, 'b': {'c'}, 'c': {'a'}}) is not None


def test_no_module_imports_itself_in_the_end():
    assert _circle({name: _imports(name) for name in _MODULES}) is None


@pytest.mark.parametrize('house', ['doa_ros', 'doa_ros.core', 'training'])
def test_no_room_imports_itself_in_the_end(house):
    rooms = _rooms(house)
    assert len(rooms) > 5
    assert _circle(rooms) is None


def test_a_class_name_stands_once():
    places = defaultdict(list)
    for name in _MODULES:
        for node in ast.walk(_tree(name)):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip('_')].append(name)
    assert len(places) > 200
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
