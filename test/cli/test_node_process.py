# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Executables of the package are found as `ros2 run` finds them."""

from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import subprocess

import pytest

if find_spec('rclpy') is None:
    pytest.skip('ROS is not set up: source env.sh', allow_module_level=True)

from doa_ros.cli.node_process import NodeProcess
from doa_ros.core.errors import DoaError


@pytest.fixture
def colcon(monkeypatch):
    """Leave of the environment what a sourced workspace sets; return how to name an executable."""
    folder = Path(shutil.which('doa_pipeline')).parent
    path = [p for p in os.environ['PATH'].split(os.pathsep) if Path(p).resolve() != folder]
    monkeypatch.setenv('PATH', os.pathsep.join(path))
    assert shutil.which('doa_pipeline') is None
    return folder.joinpath


@pytest.mark.parametrize('command', ['doa-demo', 'doa-benchmark-cpu', 'doa-soak'])
def test_command_lines_start_the_nodes_of_a_workspace(colcon, command, tmp_path):
    # Instead of the nodes, something that says that it was found.
    prefix = tmp_path / 'install'
    shutil.copytree(colcon().parents[1] / 'share', prefix / 'share', symlinks=True)
    (prefix / 'lib' / 'doa_ros').mkdir(parents=True)
    node = prefix / 'lib' / 'doa_ros' / 'doa_pipeline'
    node.write_text(f'#!/bin/sh\ntouch {tmp_path}/found\nexit 1\n')
    node.chmod(0o755)
    done = subprocess.run(
        [colcon(command)],
        cwd=tmp_path,
        env=os.environ | {'AMENT_PREFIX_PATH': f'{prefix}:{os.environ["AMENT_PREFIX_PATH"]}'},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if command == 'doa-soak' and 'needs a sound server' in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 1
    assert (tmp_path / 'found').exists(), done.stderr


def test_what_is_missing_is_said(monkeypatch):
    with pytest.raises(DoaError, match='lib/doa_ros/doa_none is missing: build the workspace'):
        NodeProcess('doa_none', {}, 'test')
    monkeypatch.setenv('AMENT_PREFIX_PATH', '')
    with pytest.raises(DoaError, match='the package doa_ros is not found: source install'):
        NodeProcess('doa_pipeline', {}, 'test')
