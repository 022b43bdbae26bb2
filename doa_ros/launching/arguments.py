# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The arguments of the launch file; needs neither ROS nor launch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doa_ros.core.localization.localizer import METHODS, MethodConfig
from doa_ros.launching.values import number, switch, text
from doa_ros.nodes.configs import settings
from doa_ros.resources import DEFAULT_ARRAY, DEFAULT_MODEL, config_directory, shipped

# A default that depends on other arguments.
AUTO = 'auto'
# Where the array is on the robot.
PLACE = {
    'x': 'place [m]',
    'y': 'place [m]',
    'z': 'place [m]',
    'roll': 'angle about x [rad]',
    'pitch': 'angle about y, after roll [rad]',
    'yaw': 'angle about z, after roll and pitch [rad]',
}


@dataclass(frozen=True)
class LaunchArgument:
    """An argument of the launch file.

    Attributes:
        name, default, description: as `--show-args` shows them.
        choices: all that it may be; None where that is not a list.
        parameter: where it is a parameter of the nodes, what makes a value of its name and text.
            Every node gets all of them and takes what it declares: the same in both modes.
    """

    name: str
    default: str
    description: str
    choices: Sequence[str] | None = None
    parameter: Callable[[str, str], str | bool | float] | None = None


def launch_arguments() -> list[LaunchArgument]:
    """Return all of them, in the order in which they are shown."""
    return [
        LaunchArgument(
            'source',
            'device',
            'Where the sound comes from: the microphone array, a recording (see file) or a '
            'simulation (see scene).',
            choices=list(settings(['audio_capture'])['source'].metadata['choices']),
            parameter=text,
        ),
        LaunchArgument(
            'device',
            '',
            'Which device, where source is device; empty takes the name in the array file. '
            '`ros2 run doa_ros audio_capture --list-devices` shows them.',
            parameter=text,
        ),
        LaunchArgument(
            'file',
            '',
            'Multichannel recording to play, where source is file: a path.',
            parameter=text,
        ),
        LaunchArgument(
            'scene',
            'demo',
            'Simulated scene to play, where source is sim: a YAML path or one of '
            f'{_names("scenes")}.',
            parameter=text,
        ),
        LaunchArgument(
            'loop',
            AUTO,
            'Whether a recording or scene starts again at its end, true or false; auto: a scene '
            'does.',
            parameter=switch,
        ),
        LaunchArgument(
            'array',
            DEFAULT_ARRAY,
            f'Microphone array: a YAML path or one of {_names("arrays")}.',
            parameter=text,
        ),
        LaunchArgument(
            'model',
            DEFAULT_MODEL,
            f'Network, where method is cnn: a path or one of {_names("models")}.',
            parameter=text,
        ),
        LaunchArgument(
            'method',
            MethodConfig.method,
            'How directions are estimated: the network, or steered response power, which needs no '
            'training.',
            choices=list(METHODS),
            parameter=text,
        ),
        LaunchArgument(
            'sensitivity',
            '0.5',
            'How readily an answer is given: 0 never, 1 always.',
            parameter=number,
        ),
        LaunchArgument(
            'mode',
            'pipeline',
            'All nodes in one process (least CPU time) or one process each. Topics and parameters '
            'are the same.',
            choices=['pipeline', 'nodes'],
        ),
        LaunchArgument(
            'publish_audio',
            AUTO,
            'Whether the sound itself is published on the topic audio, true or false; auto: only '
            'with mode nodes, whose processes get it in no other way.',
            parameter=switch,
        ),
        LaunchArgument(
            'namespace',
            'doa',
            'Namespace of all nodes and topics; one per array.',
        ),
        LaunchArgument(
            'frame_id',
            'mic_array',
            'TF frame of the microphone array.',
            parameter=text,
        ),
        LaunchArgument(
            'params_file',
            '',
            'Parameters of the nodes: a YAML path. What is given as an argument here wins over '
            f'it. {config_directory() / "doa.yaml"} lists all parameters.',
        ),
        LaunchArgument(
            'required',
            'false',
            'Whether all that was launched ends with the nodes: true or false. An array that is '
            'not there is then an error instead of being waited for.',
            parameter=switch,
        ),
        LaunchArgument(
            'use_sim_time',
            'false',
            'Whether the time is that of the topic /clock: true or false.',
            parameter=switch,
        ),
        LaunchArgument(
            'log_level',
            'info',
            'The least severe messages that the nodes log.',
            choices=['debug', 'info', 'warn', 'error', 'fatal'],
        ),
        LaunchArgument(
            'rviz',
            'false',
            'Whether the directions are shown in RViz: true or false.',
        ),
        LaunchArgument(
            'dashboard',
            'false',
            'Whether the live page is served, for a browser: true or false.',
        ),
        LaunchArgument(
            'foxglove',
            'false',
            'Whether Foxglove can connect: true or false.',
        ),
        LaunchArgument(
            'host',
            '127.0.0.1',
            'Address of the live page and for Foxglove; 0.0.0.0 shows what is heard to everybody '
            'in the network.',
            parameter=text,
        ),
        LaunchArgument(
            'allow_control',
            'false',
            'Whether the live page may set the sensitivity and mute: true or false. It needs the '
            'token that is printed.',
            parameter=switch,
        ),
        LaunchArgument(
            'allow_recording',
            'false',
            'Whether the live page may record labelled sound, too: true or false.',
            parameter=switch,
        ),
        LaunchArgument(
            'publish_tf',
            'false',
            'Whether the place of the array on the robot is published on /tf_static: true or '
            'false. A robot whose URDF has the array publishes it already.',
        ),
        LaunchArgument(
            'parent_frame',
            'base_link',
            'With publish_tf: the TF frame in which the place is given.',
        ),
        *(
            LaunchArgument(
                name,
                '0.0',
                f'With publish_tf: {what} of frame_id in parent_frame.',
            )
            for name, what in PLACE.items()
        ),
    ]


def _names(kind: str) -> str:
    return ', '.join(shipped(kind))
