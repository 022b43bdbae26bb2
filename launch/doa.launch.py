# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From sound to directions: capture, GCC-PHAT, direction of arrival, markers.

`ros2 launch doa_ros doa.launch.py --show-args` lists the arguments.
"""

from pathlib import Path
import sys

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, OpaqueFunction
from launch.logging import launch_config
from launch_ros.utilities import make_namespace_absolute, prefix_namespace

from doa_ros.launching.arguments import AUTO, PLACE, launch_arguments
from doa_ros.launching.command_line import is_named, unknown_arguments
from doa_ros.launching.lifetime import lifetime
from doa_ros.launching.node_parameters import node_parameters
from doa_ros.launching.processes import NODES, VIEWERS, our_processes, rviz, tell, transform
from doa_ros.launching.values import switch


def generate_launch_description():
    arguments = launch_arguments()
    given = set()
    # A group keeps the defaults from a second inclusion of this file, which would take them for
    # what was given to it.
    return LaunchDescription(
        [
            GroupAction(
                [
                    OpaqueFunction(
                        function=lambda context: given.update(context.launch_configurations)
                    ),
                    *map(_declaration, arguments),
                    OpaqueFunction(function=_start, args=[given, [a.name for a in arguments]]),
                ]
            )
        ]
    )


def _declaration(argument):
    return DeclareLaunchArgument(
        argument.name,
        default_value=argument.default,
        choices=argument.choices,
        description=argument.description,
    )


def _start(context, given, known):
    """Return the processes; `given` are the names of arguments that are no defaults."""
    arguments = context.launch_configurations
    given = {name: arguments[name] for name in given if arguments[name] != AUTO}
    alone = is_named(Path(__file__), sys.argv)
    if alone:
        for sentence in unknown_arguments(context.argv, known):
            tell(sentence)

    namespace = make_namespace_absolute(
        prefix_namespace(arguments.get('ros_namespace'), arguments['namespace'])
    )
    viewers = [node for name, node in VIEWERS.items() if switch(name, arguments[name])]
    names = [*NODES, *viewers]
    nodes = [f'{namespace.rstrip("/")}/{name}' for name in names]
    parameters = node_parameters(
        arguments.get('global_params', []),
        arguments['params_file'],
        given,
        nodes,
        # Beside the log.
        launch_config.log_dir,
    )
    for sentence in parameters.warnings:
        tell(sentence)

    def value(name, default):
        return parameters.blocks.value(name, nodes[0], default)

    # What comes first on a command line is the weakest.
    ros_arguments = []
    for name, on in (
        ('loop', value('source', 'device') == 'sim'),
        ('publish_audio', arguments['mode'] == 'nodes'),
    ):
        ros_arguments += ['-p', f'{name}:={str(on).lower()}']
    if 'log_level' in given:
        # Not those of ROS itself, which say much at debug.
        for name in [namespace.strip('/').replace('/', '.')] if namespace != '/' else names:
            ros_arguments += ['--log-level', f'{name}:={given["log_level"]}']

    lasting = lifetime(required=value('required', False), alone=alone)
    namespace = {'namespace': arguments['namespace']}
    clock = {'parameters': [{'use_sim_time': value('use_sim_time', False)}]}
    frame = value('frame_id', 'mic_array')
    processes = our_processes(
        names,
        arguments['mode'],
        parameters=parameters.files,
        ros_arguments=ros_arguments,
        **namespace,
        **lasting,
    )
    if switch('publish_tf', arguments['publish_tf']):
        processes += transform(arguments, frame, **namespace, **clock, **lasting)
    elif alone and (unused := [name for name in ('parent_frame', *PLACE) if name in given]):
        tell(f'{", ".join(unused)}: only publish_tf:=true uses it')
    if switch('rviz', arguments['rviz']):
        processes += rviz(frame, **namespace, **clock)
    return processes
