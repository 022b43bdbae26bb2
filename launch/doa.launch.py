# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From sound to directions: capture, GCC-PHAT, direction of arrival, markers.

`ros2 launch doa_ros doa.launch.py --show-args` lists the arguments.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, Shutdown
from launch.conditions import IfCondition
from launch.substitutions import EqualsSubstitution, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

# A process that was killed comes back after this time [s].
_RESPAWN_DELAY = 1.0
_NODES = ['audio_capture', 'gcc_phat', 'doa_estimator', 'doa_tracker', 'doa_markers']


def generate_launch_description():
    config = PathJoinSubstitution([FindPackageShare('doa_ros'), 'config'])
    arguments = [
        DeclareLaunchArgument(
            'source',
            default_value='device',
            choices=['device', 'file', 'sim'],
            description='Where the sound comes from: the microphone array, a recording '
            '(see file) or a simulation (see scene).',
        ),
        DeclareLaunchArgument(
            'file',
            default_value='',
            description='Multichannel recording to play when source is file: a path.',
        ),
        DeclareLaunchArgument(
            'loop',
            default_value='false',
            choices=['true', 'false'],
            description='Start a recording or simulation again at its end.',
        ),
        DeclareLaunchArgument(
            'scene',
            default_value='demo',
            description='Simulated scene when source is sim: a shipped name or a YAML path.',
        ),
        DeclareLaunchArgument(
            'array',
            default_value='uma8',
            description='Microphone array: a shipped name or a YAML path.',
        ),
        DeclareLaunchArgument(
            'model',
            default_value='uma8_rooms_int8',
            description='Network when method is cnn: a shipped name or a path.',
        ),
        DeclareLaunchArgument(
            'method',
            default_value='cnn',
            choices=['cnn', 'srp_phat'],
            description='How directions are estimated: the network, or steered response '
            'power, which needs no training.',
        ),
        DeclareLaunchArgument(
            'mode',
            default_value='pipeline',
            choices=['pipeline', 'nodes'],
            description='All nodes in one process (least CPU time) or one process each. Topics '
            'and parameters are the same.',
        ),
        DeclareLaunchArgument(
            'publish_audio',
            default_value=EqualsSubstitution(LaunchConfiguration('mode'), 'nodes'),
            choices=['true', 'false'],
            description='Whether the sound itself is published on the topic audio. By default '
            'it is not, except with mode nodes, whose processes get it in no other way.',
        ),
        DeclareLaunchArgument(
            'namespace',
            default_value='doa',
            description='Namespace of all nodes and topics; one per array.',
        ),
        DeclareLaunchArgument(
            'frame_id',
            default_value='mic_array',
            description='TF frame of the microphone array.',
        ),
        DeclareLaunchArgument(
            'params_file',
            default_value=PathJoinSubstitution([config, 'doa.yaml']),
            description='Parameters of the nodes that are no arguments here: a YAML path.',
        ),
        DeclareLaunchArgument(
            'rviz',
            default_value='false',
            choices=['true', 'false'],
            description='Show the markers in RViz.',
        ),
    ]

    # Every node gets all of them and takes what it declares: the same in both modes.
    strings = ['source', 'file', 'scene', 'array', 'model', 'method', 'frame_id']
    switches = ['loop', 'publish_audio']
    parameters = [
        LaunchConfiguration('params_file'),
        {name: ParameterValue(LaunchConfiguration(name), value_type=str) for name in strings},
        {name: ParameterValue(LaunchConfiguration(name), value_type=bool) for name in switches},
    ]

    def process(executable, mode):
        # No name: the pipeline hosts several nodes, which keep their own.
        return Node(
            package='doa_ros',
            executable=executable,
            namespace=LaunchConfiguration('namespace'),
            parameters=parameters,
            output='screen',
            condition=IfCondition(EqualsSubstitution(LaunchConfiguration('mode'), mode)),
            # One that ended by itself ends all: the recording is over, or a setting is wrong.
            on_exit=lambda event, _: (
                Shutdown(reason=f'{executable} has ended') if event.returncode >= 0 else None
            ),
            respawn=True,
            respawn_delay=_RESPAWN_DELAY,
        )

    return LaunchDescription([
        *arguments,
        process('doa_pipeline', 'pipeline'),
        *(process(executable, 'nodes') for executable in _NODES),
        Node(
            package='rviz2',
            executable='rviz2',
            arguments=['-d', PathJoinSubstitution([config, 'doa.rviz'])],
            condition=IfCondition(LaunchConfiguration('rviz')),
        ),
    ])
