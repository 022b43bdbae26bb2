# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The processes of a launch: our nodes, and those of other packages beside them."""

from collections.abc import Collection, Mapping
import os
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.logging import get_logger
from launch_ros.actions import Node

from doa_ros.core.errors import ConfigError
from doa_ros.launching.arguments import PLACE
from doa_ros.launching.values import number
from doa_ros.nodes.parent import LAUNCH_PID
from doa_ros.resources import config_directory

NODES = ['audio_capture', 'gcc_phat', 'doa_estimator', 'doa_tracker', 'doa_markers']
VIEWERS = {'dashboard': 'doa_dashboard', 'foxglove': 'doa_foxglove'}
"""Nodes that show what the others find, by the arguments that switch them on."""
tell = get_logger('doa.launch.py').warning


def our_processes(names: Collection[str], mode: str, **options: Any) -> list[Node]:
    """Return one process per node, or one for all of them.

    Args:
        names: of the nodes.
        mode: as the argument of the launch file.
        options: of every process.
    """
    hosted = [f'--{name}' for name, node in VIEWERS.items() if node in names]
    return [
        # No name: the pipeline hosts several nodes, which keep their own.
        Node(
            package='doa_ros',
            executable=executable,
            arguments=hosted if mode == 'pipeline' else [],
            additional_env={LAUNCH_PID: str(os.getpid())},
            output='screen',
            **options,
        )
        for executable in (names if mode == 'nodes' else ['doa_pipeline'])
    ]


def transform(arguments: Mapping[str, str], frame: str, **options: Any) -> list[Node]:
    """Return what publishes the place of the array on the robot, if it is installed.

    Args:
        arguments: those of the launch file.
        frame: the TF frame of the array.
        options: of the process.

    Raises:
        ConfigError: they name no place.
    """
    parent = arguments['parent_frame']
    if not parent or parent == frame:
        raise ConfigError(
            f'publish_tf:=true places the frame {frame!r} in parent_frame, which cannot be '
            f'{parent!r}'
        )
    place = [part for n in PLACE for part in (f'--{n}', repr(number(n, arguments[n])))]
    if not _installed('tf2_ros', 'publish_tf:=true needs tf2_ros'):
        return []
    return [
        Node(
            package='tf2_ros',
            executable='static_transform_publisher',
            name='array_transform',
            arguments=[*place, '--frame-id', parent, '--child-frame-id', frame],
            **options,
        )
    ]


def rviz(frame: str, **options: Any) -> list[Node]:
    """Return RViz, if it is installed.

    Args:
        frame: the TF frame of the array.
        options: of the process.
    """
    if not _installed('rviz2', 'rviz:=true needs RViz'):
        return []
    return [
        # Its file names the topics relative to the namespace.
        Node(
            package='rviz2',
            executable='rviz2',
            arguments=['-d', str(config_directory() / 'doa.rviz'), '-f', frame],
            **options,
        )
    ]


def _installed(package: str, sentence: str) -> bool:
    """Return whether a package is installed; else say a sentence and how to install it."""
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        name = package.replace('_', '-')
        tell(f'{sentence}: sudo apt install ros-$ROS_DISTRO-{name}; all else starts')
        return False
    return True
