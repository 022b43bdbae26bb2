# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From sound to directions: capture, GCC-PHAT, direction of arrival, markers.

`ros2 launch doa_ros doa.launch.py --show-args` lists the arguments.
"""

from contextlib import suppress
from functools import partial
import json
import os
from pathlib import Path
import sys
from tempfile import NamedTemporaryFile

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    GroupAction,
    OpaqueFunction,
    Shutdown,
)
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.logging import get_logger, launch_config
from launch_ros.actions import Node
from launch_ros.utilities import make_namespace_absolute, prefix_namespace

from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.localizer import METHODS, MethodConfig
from doa_ros.launch_arguments import (
    ParameterBlocks,
    is_named,
    number,
    switch,
    unknown_arguments,
    without_node,
)
from doa_ros.nodes.configs import settings
from doa_ros.nodes.parent import LAUNCH_PID
from doa_ros.resources import DEFAULT_ARRAY, DEFAULT_MODEL, config_directory, shipped

# A process that was killed comes back after this time [s].
_RESPAWN_DELAY = 1.0
_NODES = ['audio_capture', 'gcc_phat', 'doa_estimator', 'doa_tracker', 'doa_markers']
_DASHBOARD = 'doa_dashboard'
# The arguments that are parameters, by type. Every node gets all of them and takes what it
# declares: the same in both modes.
_TEXTS = ['source', 'device', 'file', 'scene', 'array', 'model', 'method', 'frame_id', 'host']
_SWITCHES = [
    *('loop', 'publish_audio', 'required', 'use_sim_time'),
    *('allow_control', 'allow_recording'),
]
_NUMBERS = ['sensitivity']
# Where the array is on the robot.
_PLACE = {
    'x': 'place [m]',
    'y': 'place [m]',
    'z': 'place [m]',
    'roll': 'angle about x [rad]',
    'pitch': 'angle about y, after roll [rad]',
    'yaw': 'angle about z, after roll and pitch [rad]',
}
_AUTO = 'auto'
_tell = get_logger('doa.launch.py').warning


def generate_launch_description():
    arguments = [
        DeclareLaunchArgument(
            'source',
            default_value='device',
            choices=list(settings(['audio_capture'])['source'].metadata['choices']),
            description='Where the sound comes from: the microphone array, a recording '
            '(see file) or a simulation (see scene).',
        ),
        DeclareLaunchArgument(
            'device',
            default_value='',
            description='Which device, where source is device; empty takes the name in the array '
            'file. `ros2 run doa_ros audio_capture --list-devices` shows them.',
        ),
        DeclareLaunchArgument(
            'file',
            default_value='',
            description='Multichannel recording to play, where source is file: a path.',
        ),
        DeclareLaunchArgument(
            'scene',
            default_value='demo',
            description='Simulated scene to play, where source is sim: a YAML path or one of '
            f'{_names("scenes")}.',
        ),
        DeclareLaunchArgument(
            'loop',
            default_value=_AUTO,
            description='Whether a recording or scene starts again at its end, true or false; '
            'auto: a scene does.',
        ),
        DeclareLaunchArgument(
            'array',
            default_value=DEFAULT_ARRAY,
            description=f'Microphone array: a YAML path or one of {_names("arrays")}.',
        ),
        DeclareLaunchArgument(
            'model',
            default_value=DEFAULT_MODEL,
            description=f'Network, where method is cnn: a path or one of {_names("models")}.',
        ),
        DeclareLaunchArgument(
            'method',
            default_value=MethodConfig.method,
            choices=list(METHODS),
            description='How directions are estimated: the network, or steered response '
            'power, which needs no training.',
        ),
        DeclareLaunchArgument(
            'sensitivity',
            default_value='0.5',
            description='How readily an answer is given: 0 never, 1 always.',
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
            default_value=_AUTO,
            description='Whether the sound itself is published on the topic audio, true or false; '
            'auto: only with mode nodes, whose processes get it in no other way.',
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
            default_value='',
            description='Parameters of the nodes: a YAML path. What is given as an argument here '
            f'wins over it. {config_directory() / "doa.yaml"} lists all parameters.',
        ),
        DeclareLaunchArgument(
            'required',
            default_value='false',
            description='Whether all that was launched ends with the nodes: true or false. An '
            'array that is not there is then an error instead of being waited for.',
        ),
        DeclareLaunchArgument(
            'use_sim_time',
            default_value='false',
            description='Whether the time is that of the topic /clock: true or false.',
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=['debug', 'info', 'warn', 'error', 'fatal'],
            description='The least severe messages that the nodes log.',
        ),
        DeclareLaunchArgument(
            'rviz',
            default_value='false',
            description='Whether the directions are shown in RViz: true or false.',
        ),
        DeclareLaunchArgument(
            'dashboard',
            default_value='false',
            description='Whether the live page is served, for a browser: true or false.',
        ),
        DeclareLaunchArgument(
            'host',
            default_value='127.0.0.1',
            description='Address of the live page; 0.0.0.0 shows it to everybody in the network.',
        ),
        DeclareLaunchArgument(
            'allow_control',
            default_value='false',
            description='Whether the live page may set the sensitivity and mute: true or false. '
            'It needs the token that is printed.',
        ),
        DeclareLaunchArgument(
            'allow_recording',
            default_value='false',
            description='Whether the live page may record labelled sound, too: true or false.',
        ),
        DeclareLaunchArgument(
            'publish_tf',
            default_value='false',
            description='Whether the place of the array on the robot is published on /tf_static: '
            'true or false. A robot whose URDF has the array publishes it already.',
        ),
        DeclareLaunchArgument(
            'parent_frame',
            default_value='base_link',
            description='With publish_tf: the TF frame in which the place is given.',
        ),
        *(
            DeclareLaunchArgument(
                name,
                default_value='0.0',
                description=f'With publish_tf: {what} of frame_id in parent_frame.',
            )
            for name, what in _PLACE.items()
        ),
    ]
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
                    *arguments,
                    OpaqueFunction(function=_start, args=[given, [a.name for a in arguments]]),
                ]
            )
        ]
    )


def _names(kind):
    return ', '.join(shipped(kind))


def _start(context, given, known):
    """Return the processes; `given` are the names of arguments that are no defaults."""
    arguments = context.launch_configurations
    given = {name: arguments[name] for name in given if arguments[name] != _AUTO}
    alone = is_named(Path(__file__), sys.argv)
    if alone:
        for sentence in unknown_arguments(context.argv, known):
            _tell(sentence)

    namespace = make_namespace_absolute(
        prefix_namespace(arguments.get('ros_namespace'), arguments['namespace'])
    )
    dashboard = switch('dashboard', arguments['dashboard'])
    names = [*_NODES, _DASHBOARD] if dashboard else _NODES
    nodes = [f'{namespace.rstrip("/")}/{name}' for name in names]
    blocks, files = _parameters(arguments, given, nodes)

    def value(name, default):
        return blocks.value(name, nodes[0], default)

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

    lasting = {
        'on_exit': partial(_on_exit, required=value('required', False), alone=alone),
        'respawn': True,
        'respawn_delay': _RESPAWN_DELAY,
    }
    executables = names if arguments['mode'] == 'nodes' else ['doa_pipeline']
    hosts = dashboard and arguments['mode'] == 'pipeline'
    processes = [
        # No name: the pipeline hosts several nodes, which keep their own.
        Node(
            package='doa_ros',
            executable=executable,
            namespace=arguments['namespace'],
            arguments=['--dashboard'] if hosts else [],
            parameters=files,
            ros_arguments=ros_arguments,
            additional_env={LAUNCH_PID: str(os.getpid())},
            output='screen',
            **lasting,
        )
        for executable in executables
    ]
    clock = {'use_sim_time': value('use_sim_time', False)}
    frame = value('frame_id', 'mic_array')
    if switch('publish_tf', arguments['publish_tf']):
        processes += _transform(arguments, frame, clock, lasting)
    elif alone and (unused := [name for name in ('parent_frame', *_PLACE) if name in given]):
        _tell(f'{", ".join(unused)}: only publish_tf:=true uses it')
    if switch('rviz', arguments['rviz']):
        processes += _rviz(arguments['namespace'], frame, clock)
    return processes


def _parameters(arguments, given, nodes):
    """Return what the nodes get, and the files in which they get it.

    A parameter is what was given as an argument, or in params_file, or by SetParameter of what
    includes this file, in this order.
    """
    blocks, files = ParameterBlocks(), []
    # Begun by the defaults of this file, and so weaker than the block of any one node.
    blocks.add('/**', {})
    for parameter in arguments.get('global_params', []):
        if isinstance(parameter, tuple):
            blocks.add('/**', dict([parameter]))
        else:
            # Each node reports what is wrong with a file of the user.
            with suppress(ConfigError):
                blocks.add_file(Path(parameter))
    if arguments['params_file']:
        path = Path(os.path.expanduser(arguments['params_file']))
        for sentence in without_node(blocks.add_file(path), nodes):
            _tell(f'{path}: {sentence}')
        files.append(str(path))

    values = {name: given[name] for name in _TEXTS if name in given}
    values |= {name: switch(name, given[name]) for name in _SWITCHES if name in given}
    values |= {name: number(name, given[name]) for name in _NUMBERS if name in given}
    if values:
        files.append(_write(blocks.override(values)))
    return blocks, files


def _write(content):
    """Return the path of a parameter file."""
    with NamedTemporaryFile(
        'w',
        # Beside the log: it is read again whenever a process comes back.
        dir=launch_config.log_dir,
        prefix='doa_',
        suffix='.yaml',
        encoding='utf-8',
        errors='surrogateescape',
        delete=False,
    ) as file:
        # JSON is YAML that leaves no type to be guessed.
        json.dump(content, file, ensure_ascii=False)
    return file.name


def _on_exit(event, context, required, alone):
    # In a shutdown, what launch says of a process that has just ended may be wrong.
    if event.returncode < 0 or context.is_shutdown:
        return None
    if event.returncode and alone:
        # The way to a status of launch that goes on for now.
        context.asyncio_loop.call_exception_handler(
            {'message': f'{event.process_name} has failed, and this launch with it'}
        )
    if required:
        return Shutdown(reason=f'{event.process_name} has ended')
    # One that ended by itself would end again: only one that was killed comes back.
    return EmitEvent(event=ShutdownProcess(process_matcher=matches_action(event.action)))


def _transform(arguments, frame, clock, lasting):
    parent = arguments['parent_frame']
    if not parent or parent == frame:
        raise ConfigError(
            f'publish_tf:=true places the frame {frame!r} in parent_frame, which cannot be '
            f'{parent!r}'
        )
    place = [part for n in _PLACE for part in (f'--{n}', repr(number(n, arguments[n])))]
    if not _installed('tf2_ros', 'publish_tf:=true needs tf2_ros'):
        return []
    return [
        Node(
            package='tf2_ros',
            executable='static_transform_publisher',
            name='array_transform',
            namespace=arguments['namespace'],
            arguments=[*place, '--frame-id', parent, '--child-frame-id', frame],
            parameters=[clock],
            **lasting,
        )
    ]


def _rviz(namespace, frame, clock):
    if not _installed('rviz2', 'rviz:=true needs RViz'):
        return []
    return [
        # Its file names the topics relative to the namespace.
        Node(
            package='rviz2',
            executable='rviz2',
            namespace=namespace,
            arguments=['-d', str(config_directory() / 'doa.rviz'), '-f', frame],
            parameters=[clock],
        )
    ]


def _installed(package, sentence):
    """Return whether a package is installed; else say a sentence and how to install it."""
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        name = package.replace('_', '-')
        _tell(f'{sentence}: sudo apt install ros-$ROS_DISTRO-{name}; all else starts')
        return False
    return True
