# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot's own launch file that includes that of doa_ros, for two arrays, and acts on one.

`ros2 launch doa_ros robot.launch.py source:=sim` tries it without hardware. Copy it into the
package of your robot: what it includes is found by the name of the package.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node, PushROSNamespace
from launch_ros.substitutions import FindPackageShare

# Where the arrays are on the base: x, y, z [m], yaw [rad], and the USB port of each.
_ARRAYS = {
    'front': ([0.2, 0.0, 0.9, 0.0], 'usb:1-1.3'),
    'rear': ([-0.2, 0.0, 0.9, 3.1416], 'usb:1-1.4'),
}


def generate_launch_description():
    return LaunchDescription(
        [
            DeclareLaunchArgument('source', default_value='device', description='As in doa_ros.'),
            DeclareLaunchArgument('robot', default_value='robot', description='Its namespace.'),
            GroupAction(
                [
                    PushROSNamespace(LaunchConfiguration('robot')),
                    *(action for name in _ARRAYS for action in _array(name)),
                    Node(
                        package='doa_ros',
                        executable='turn_to_talker.py',
                        parameters=[{'array_yaw': _ARRAYS['front'][0][3], 'rate_max': 0.8}],
                        remappings=[('doa/tracks', 'front/tracks')],
                    ),
                ]
            ),
        ]
    )


def _array(name):
    (x, y, z, yaw), device = _ARRAYS[name]
    frame = f'{name}_mics'
    doa = PathJoinSubstitution([FindPackageShare('doa_ros'), 'launch', 'doa.launch.py'])
    arguments = {
        'source': LaunchConfiguration('source'),
        'device': device,
        'namespace': name,
        'frame_id': frame,
        'sensitivity': '0.4',
    }
    return [
        # Its arguments are not to reach the next inclusion.
        GroupAction(
            [
                IncludeLaunchDescription(
                    PythonLaunchDescriptionSource(doa), launch_arguments=arguments.items()
                ),
            ]
        ),
        Node(
            package='tf2_ros',
            executable='static_transform_publisher',
            name=f'{frame}_transform',
            arguments=[
                *('--x', str(x), '--y', str(y), '--z', str(z), '--yaw', str(yaw)),
                *('--frame-id', 'base_link', '--child-frame-id', frame),
            ],
        ),
    ]
