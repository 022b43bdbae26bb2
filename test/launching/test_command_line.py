# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a launch file learns from the command line."""

from doa_ros.launching.command_line import is_named, unknown_arguments


def test_unknown_arguments_are_named_with_the_nearest():
    argv = ['source:=sim', 'sorce:=sim', 'sigterm_timeout:=9', 'colour:=a:=b', 'sorce:=file']
    assert unknown_arguments(argv, ['source', 'scene']) == [
        'there is no argument sorce; do you mean source?',
        'there is no argument colour',
    ]


def test_a_launch_file_is_named_or_included(tmp_path, monkeypatch):
    file, other = tmp_path / 'doa.launch.py', tmp_path / 'robot' / 'doa.launch.py'
    other.parent.mkdir()
    for path in (file, other):
        path.write_text('')
    assert is_named(file, ['ros2', 'launch', 'doa_ros', 'doa.launch.py', 'source:=sim'])
    assert is_named(file, ['ros2', 'launch', str(file)])
    assert not is_named(file, ['ros2', 'launch', str(other)])
    assert not is_named(file, ['ros2', 'launch', 'robot', 'doa.launch.py'])
    assert not is_named(file, ['bringup.py', 'source:=sim'])
    monkeypatch.chdir(tmp_path)
    assert is_named(file, ['ros2', 'launch', './doa.launch.py'])
