# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file starts what it should, with the parameters it should, and keeps to itself."""

import importlib.util
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile
import yaml

pytest.importorskip('launch_ros', reason='launch and launch_ros come with a ROS installation')

from documents import blocks, commands  # noqa: E402
from launch import LaunchContext  # noqa: E402
from launch.utilities import perform_substitutions  # noqa: E402
import rclpy  # noqa: E402

from doa_ros.core.localization.localizer import LocalizerConfig  # noqa: E402
from doa_ros.nodes.configs import CaptureConfig, ModelConfig  # noqa: E402
from doa_ros.nodes.sources import SOURCES  # noqa: E402
from doa_ros.resources import shipped  # noqa: E402

pytestmark = pytest.mark.alone

_FILE = Path(__file__).resolve().parents[2] / 'launch' / 'doa.launch.py'
_NODES = ['audio_capture', 'gcc_phat', 'doa_estimator', 'doa_tracker', 'doa_markers']

# Argument: default, choices.
_ARGUMENTS = {
    'source': ('device', list(SOURCES)),
    'device': ('', None),
    'file': ('', None),
    'scene': ('demo', None),
    'loop': ('auto', None),
    'array': ('uma8', None),
    'model': ('uma8_rooms_int8', None),
    'method': ('cnn', ['cnn', 'srp_phat']),
    'sensitivity': ('0.5', None),
    'mode': ('pipeline', ['pipeline', 'nodes']),
    'publish_audio': ('auto', None),
    'namespace': ('doa', None),
    'frame_id': ('mic_array', None),
    'params_file': ('', None),
    'required': ('false', None),
    'use_sim_time': ('false', None),
    'log_level': ('info', ['debug', 'info', 'warn', 'error', 'fatal']),
    'rviz': ('false', None),
    'dashboard': ('false', None),
    'foxglove': ('false', None),
    'host': ('127.0.0.1', None),
    'allow_control': ('false', None),
    'allow_recording': ('false', None),
    'publish_tf': ('false', None),
    'parent_frame': ('base_link', None),
    'x': ('0.0', None),
    'y': ('0.0', None),
    'z': ('0.0', None),
    'roll': ('0.0', None),
    'pitch': ('0.0', None),
    'yaw': ('0.0', None),
}


@pytest.fixture(scope='module')
def declared():
    spec = importlib.util.spec_from_file_location('doa_launch', _FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # As `ros2 launch --show-args` finds them.
    return {a.name: a for a in module.generate_launch_description().get_launch_arguments()}


def test_every_argument_is_declared_and_described(declared):
    assert list(declared) == list(_ARGUMENTS)
    for argument in declared.values():
        assert len(argument.description) > 10


@pytest.mark.parametrize('name', list(_ARGUMENTS))
def test_defaults_and_choices(declared, name):
    default, choices = _ARGUMENTS[name]
    argument = declared[name]
    assert argument.choices == choices
    assert perform_substitutions(LaunchContext(), argument.default_value) == default
    # What --show-args shows.
    assert ' + '.join(part.describe() for part in argument.default_value) == f"'{default}'"


@pytest.mark.parametrize('config', [CaptureConfig, ModelConfig, LocalizerConfig])
def test_stated_defaults_are_those_of_the_nodes(config):
    defaults = {name: str(value) for name, value in config().to_mapping().items()}
    common = defaults.keys() & _ARGUMENTS.keys() - {'loop', 'publish_audio', 'required'}
    assert common
    for name in common:
        assert _ARGUMENTS[name][0] == defaults[name]


@pytest.mark.parametrize(
    ('name', 'kind'), [('array', 'arrays'), ('model', 'models'), ('scene', 'scenes')]
)
def test_descriptions_list_what_is_installed(declared, name, kind):
    assert ', '.join(shipped(kind)) in declared[name].description


# What `ros2 launch FILE name:=value ...` does.
_LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

source = PythonLaunchDescriptionSource(sys.argv[1])
service = LaunchService(argv=sys.argv[2:], noninteractive=not sys.stdin.isatty())
arguments = [argument.split(':=', 1) for argument in sys.argv[2:]]
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments)])
)
sys.exit(service.run())
"""

# A robot's own launch file, with a process of its own.
_ROBOT = """
import sys
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import PushROSNamespace, SetParameter, SetParametersFromFile


def doa(**arguments):
    source = PythonLaunchDescriptionSource({file!r})
    return IncludeLaunchDescription(source, launch_arguments=arguments.items())


def generate_launch_description():
    return LaunchDescription([
        {actions}
    ])
"""
_WHEELS = "ExecuteProcess(cmd=['sleep', '{}'], name='wheels')"
# Stands in for all executables: writes how it was called.
_RECORD = """
import json, os, sys
with open(sys.argv[1], 'a') as file:
    file.write(json.dumps(sys.argv[2:]) + os.linesep)
"""


def _environment(folder):
    return os.environ | {
        'ROS_LOG_DIR': str(folder / 'log'),
        'PYTHONUNBUFFERED': '1',
    }


def _robot(folder, *actions):
    path = folder / 'robot.launch.py'
    path.write_text(_ROBOT.format(file=str(_FILE), actions=',\n        '.join(actions)))
    return path


class _Launch:
    """A running launch file; iterating gives what it writes, line by line."""

    def __init__(self, folder, *arguments, file=_FILE, terminal=subprocess.DEVNULL, **environment):
        self._process = subprocess.Popen(
            [sys.executable, '-c', _LAUNCH, str(file), *arguments],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(folder) | environment,
            start_new_session=True,
        )
        self._watchdog = threading.Timer(100, self._kill)
        self._watchdog.start()
        self.output = ''

    def __iter__(self):
        for line in self._process.stdout:
            self.output += line
            yield line

    def _kill(self):
        os.killpg(self._process.pid, signal.SIGKILL)

    def send(self, number):
        """Signal launch alone."""
        self._process.send_signal(number)

    def interrupt(self):
        """Signal all processes, as a terminal does."""
        os.killpg(self._process.pid, signal.SIGINT)

    def started(self, count):
        """Return the process ids of the processes as soon as so many note signals."""
        pids = []
        while len(pids) < count:
            found = re.search(r'process started with pid \[(\d+)\]', next(iter(self)))
            pids += [int(found[1])] if found else []
        for pid in pids:
            while not _catches(pid, signal.SIGTERM):
                time.sleep(0.05)
        return pids

    def end(self):
        """Return the exit status."""
        for _ in self:
            pass
        self._watchdog.cancel()
        return self._process.wait()


def _runs(pid):
    try:
        return 'State:\tZ' not in Path('/proc', str(pid), 'status').read_text()
    except OSError:
        return False


@pytest.fixture
def terminal():
    """Return what makes launch expect that somebody signals its processes, too."""
    ends = os.openpty()
    yield ends[1]
    for end in ends:
        os.close(end)


def _catches(pid, number):
    status = Path('/proc', str(pid), 'status').read_text()
    return int(status.split('SigCgt:')[1].split()[0], 16) >> (number - 1) & 1


class _Recorded:
    """How the executables were called by a launch in which they only say so."""

    def __init__(self, folder, *arguments, file=_FILE, **environment):
        record, calls = folder / 'record.py', folder / 'calls.jsonl'
        record.write_text(_RECORD)
        calls.write_text('')
        prefix = f'launch-prefix:={sys.executable} {record} {calls}'
        launch = _Launch(folder, *arguments, prefix, file=file, **environment)
        self.status, self.output = launch.end(), launch.output
        assert self.status == 0, self.output
        self.calls = [json.loads(line) for line in calls.read_text().splitlines()]
        self.executables = [Path(call[0]).name for call in self.calls]

    def parameter(self, name, node='/doa/audio_capture', default=None, call=0):
        """Return what the node would get, by ROS itself."""
        context = rclpy.Context()
        rclpy.init(context=context)
        try:
            running = rclpy.create_node(
                node.rpartition('/')[2],
                namespace=node.rpartition('/')[0],
                context=context,
                use_global_arguments=False,
                cli_args=self.calls[call][1:],
                allow_undeclared_parameters=True,
                automatically_declare_parameters_from_overrides=True,
            )
            value = running.get_parameter_or(name, rclpy.Parameter(name, value=default)).value
            running.destroy_node()
        finally:
            context.shutdown()
        return value


def _parameters(folder, text):
    path = folder / 'parameters.yaml'
    path.write_text(text)
    return path


def test_pipeline_is_one_process(tmp_path):
    assert _Recorded(tmp_path).executables == ['doa_pipeline']


def test_nodes_are_one_process_each(tmp_path):
    assert sorted(_Recorded(tmp_path, 'mode:=nodes').executables) == sorted(_NODES)


def test_foxglove_is_one_more_node(tmp_path):
    hosted = _Recorded(tmp_path, 'foxglove:=true', 'host:=::1')
    assert hosted.executables == ['doa_pipeline']
    assert hosted.calls[0][1] == '--foxglove'
    assert hosted.parameter('host', '/doa/doa_foxglove') == '::1'


def test_the_dashboard_is_one_more_node(tmp_path):
    arguments = ('dashboard:=true', 'host:=0.0.0.0', 'allow_control:=true')
    hosted = _Recorded(tmp_path, *arguments)
    assert hosted.executables == ['doa_pipeline']
    assert hosted.calls[0][1] == '--dashboard'
    assert hosted.parameter('host', '/doa/doa_dashboard') == '0.0.0.0'
    assert hosted.parameter('allow_control', '/doa/doa_dashboard') is True
    alone = _Recorded(tmp_path, *arguments, 'mode:=nodes')
    assert sorted(alone.executables) == sorted([*_NODES, 'doa_dashboard'])
    assert not any('--dashboard' in call for call in alone.calls)


# How the value of a parameter is decided: what the parent sets, a file, arguments; the result.
_ALL = '/**: {ros__parameters: '
_PRECEDENCE = [
    ([], None, [], None),
    (['array: matrix_creator'], None, [], 'matrix_creator'),
    (['array: matrix_creator'], _ALL + '{array: minidsp_uma16}}', [], 'minidsp_uma16'),
    ([], _ALL + '{array: minidsp_uma16}}', ['array:=uma8'], 'uma8'),
    (['array: matrix_creator'], None, ['array:=uma8'], 'uma8'),
    ([], '/doa/audio_capture: {ros__parameters: {array: minidsp_uma16}}', ['array:=x'], 'x'),
    ([], 'doa: {audio_capture: {ros__parameters: {array: minidsp_uma16}}}', ['array:=x'], 'x'),
    ([], '{/**: {ros__parameters: {features: {hop: 1.0}}}, '
     '/**/audio_capture: {ros__parameters: {array: minidsp_uma16}}}', ['array:=x'], 'x'),
]  # fmt: skip


@pytest.mark.parametrize(('parent', 'file', 'arguments', 'expected'), _PRECEDENCE)
def test_argument_wins_over_file_over_parent(parent, file, arguments, expected, tmp_path):
    actions = [f"SetParameter('{k}', '{v}')" for k, v in (p.split(': ') for p in parent)]
    given = dict(argument.split(':=') for argument in arguments)
    if file:
        given['params_file'] = str(_parameters(tmp_path, file))
    robot = _robot(tmp_path, *actions, f'doa(**{given})')
    assert _Recorded(tmp_path, file=robot).parameter('array') == expected


def test_parent_with_parameters_from_a_file(tmp_path):
    path = _parameters(tmp_path, '/doa/gcc_phat: {ros__parameters: {array: a, window: 0.2}}')
    robot = _robot(tmp_path, f"SetParametersFromFile('{path}')", "doa(array='b')")
    recorded = _Recorded(tmp_path, file=robot)
    assert recorded.parameter('array', '/doa/gcc_phat') == 'b'
    assert recorded.parameter('window', '/doa/gcc_phat') == 0.2


def test_every_parameter_of_a_file_counts(tmp_path, declared):
    values = yaml.safe_load((_FILE.parents[1] / 'config' / 'doa.yaml').read_text())
    values = values['/**']['ros__parameters']
    changed = {
        k: not v if isinstance(v, bool) else v / 2 if isinstance(v, float) else f'{v}x'
        for k, v in values.items()
    } | {'source': 'sim', 'method': 'srp_phat'}
    assert len(changed.keys() & declared.keys()) > 8
    path = _parameters(tmp_path, yaml.safe_dump({'/**': {'ros__parameters': changed}}))
    recorded = _Recorded(tmp_path, f'params_file:={path}')
    assert {name: recorded.parameter(name) for name in changed} == changed


@pytest.mark.parametrize(
    ('argument', 'value'),
    [
        ('device:=hw:1', 'hw:1'),
        ('device:=2', '2'),
        ('device:=1e3', '1e3'),
        ('file:=/tmp/Straße "1".wav', '/tmp/Straße "1".wav'),
        ('sensitivity:=0.9', 0.9),
        ('sensitivity:=1', 1.0),
        ('use_sim_time:=true', True),
        ('required:=1', True),
        ('loop:=True', True),
        ('loop:=0', False),
    ],
)
def test_arguments_become_parameters_of_their_type(argument, value, tmp_path):
    recorded = _Recorded(tmp_path, 'source:=sim', argument)
    got = recorded.parameter(argument.partition(':=')[0])
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ('arguments', 'file', 'loop'),
    [
        (['source:=sim'], None, True),
        ([], _ALL + '{source: sim}}', True),
        (['source:=sim'], _ALL + '{loop: false}}', False),
        (['source:=sim', 'loop:=false'], _ALL + '{loop: true}}', False),
        (['source:=file', 'file:=x'], None, False),
        (['source:=file', 'file:=x'], _ALL + '{source: sim}}', False),
        ([], None, False),
        ([], '{/doa/audio_capture: {ros__parameters: {source: sim}}, '
         '/**: {ros__parameters: {source: device}}}', True),
    ],
)  # fmt: skip
def test_a_scene_is_played_again_unless_told_otherwise(arguments, file, loop, tmp_path):
    if file:
        arguments = [*arguments, f'params_file:={_parameters(tmp_path, file)}']
    assert _Recorded(tmp_path, *arguments).parameter('loop') == loop


@pytest.mark.parametrize(
    ('arguments', 'published'),
    [
        (['mode:=nodes'], True),
        (['mode:=nodes', 'publish_audio:=false'], False),
        (['publish_audio:=1'], True),
        ([], False),
    ],
)
def test_sound_is_published_where_processes_need_it(arguments, published, tmp_path):
    assert _Recorded(tmp_path, *arguments).parameter('publish_audio') == published


@pytest.mark.parametrize('parent', [[], ["SetParameter('sensitivity', 0.2)"]])
@pytest.mark.parametrize('order', [1, -1])
def test_the_block_of_one_node_wins_over_that_of_all(order, parent, tmp_path):
    blocks = [
        '/doa/doa_estimator: {ros__parameters: {sensitivity: 0.1}}',
        '/**: {ros__parameters: {sensitivity: 0.3}}',
    ]
    path = _parameters(tmp_path, '\n'.join(blocks[::order]))
    robot = _robot(tmp_path, *parent, f"doa(params_file='{path}')")
    recorded = _Recorded(tmp_path, file=robot)
    assert recorded.parameter('sensitivity', '/doa/doa_estimator') == 0.1
    assert recorded.parameter('sensitivity', '/doa/gcc_phat') == 0.3


def test_two_arrays_in_one_launch_do_not_share_their_defaults(tmp_path):
    path = _parameters(tmp_path, _ALL + '{sensitivity: 0.7, model: uma8_several_int8}}')
    robot = _robot(
        tmp_path,
        "doa(namespace='left')",
        f"doa(namespace='right', params_file='{path}')",
    )
    recorded = _Recorded(tmp_path, file=robot)
    left, right = sorted(range(2), key=lambda i: '__ns:=/right' in recorded.calls[i])
    assert recorded.parameter('model', '/left/gcc_phat', call=left) is None
    assert recorded.parameter('model', '/right/gcc_phat', call=right) == 'uma8_several_int8'
    assert recorded.parameter('sensitivity', '/right/doa_estimator', call=right) == 0.7


@pytest.fixture
def transforms(tmp_path):
    """Return an AMENT_PREFIX_PATH with a tf2_ros, whose executables are not run."""
    prefix = tmp_path / 'prefix'
    executable = prefix / 'lib' / 'tf2_ros' / 'static_transform_publisher'
    marker = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages' / 'tf2_ros'
    for path in (executable, marker):
        path.parent.mkdir(parents=True)
        path.touch(0o755)
    return f'{prefix}:{os.environ["AMENT_PREFIX_PATH"]}'


def test_the_example_of_a_robot_includes_it_twice(tmp_path, transforms):
    example = _FILE.parents[1] / 'examples' / 'robot.launch.py'
    recorded = _Recorded(tmp_path, 'robot:=r2', file=example, AMENT_PREFIX_PATH=transforms)
    calls = {name: [] for name in recorded.executables}
    for number, name in enumerate(recorded.executables):
        calls[name].append(number)
    assert {name: len(found) for name, found in calls.items()} == {
        'doa_pipeline': 2,
        'static_transform_publisher': 2,
        'turn_to_talker.py': 1,
    }
    for number in calls['doa_pipeline']:
        name = 'front' if '__ns:=/r2/front' in recorded.calls[number] else 'rear'
        node = f'/r2/{name}/audio_capture'
        assert recorded.parameter('frame_id', node, call=number) == f'{name}_mics'
        device = {'front': 'usb:1-1.3', 'rear': 'usb:1-1.4'}[name]
        assert recorded.parameter('device', node, call=number) == device
        assert recorded.parameter('source', node, call=number) == 'device'
    for name in ('front', 'rear'):
        option = ['--child-frame-id', f'{name}_mics']
        transforms = [recorded.calls[number] for number in calls['static_transform_publisher']]
        assert sum(set(option) <= set(call) for call in transforms) == 1
    (number,) = calls['turn_to_talker.py']
    assert '__ns:=/r2' in recorded.calls[number]
    assert 'doa/tracks:=front/tracks' in recorded.calls[number]
    assert recorded.parameter('rate_max', '/r2/turn_to_talker', call=number) == 0.8


def test_two_in_one_namespace_do_not_share_a_file(tmp_path):
    robot = _robot(tmp_path, "doa(model='a')", "doa(model='b')")
    recorded = _Recorded(tmp_path, file=robot)
    assert {recorded.parameter('model', call=call) for call in range(2)} == {'a', 'b'}


def test_block_of_a_file_without_a_node_is_named(tmp_path):
    path = _parameters(tmp_path, 'doa_estimator: {ros__parameters: {sensitivity: 0.9}}')
    recorded = _Recorded(tmp_path, f'params_file:={path}', 'namespace:=left')
    expected = '/doa_estimator is the name of no node that starts here; do you mean /left/'
    assert recorded.output.count(expected) == 1
    robot = _robot(tmp_path, "PushROSNamespace('robot')", f"doa(params_file='{path}')")
    assert 'do you mean /robot/doa/doa_estimator?' in _Recorded(tmp_path, file=robot).output


@pytest.mark.parametrize(
    ('argument', 'sentence'),
    [
        ('params_file:=nope.yaml', 'nope.yaml: cannot be read (No such file or directory)'),
        ('loop:=maybe', "loop must be true or false, not 'maybe'"),
        ('sensitivity:=high', "sensitivity must be a number, not 'high'"),
        ('source:=tape', 'provided value "tape" is not valid'),
    ],
)
def test_unusable_argument_is_an_error(argument, sentence, tmp_path):
    launch = _Launch(tmp_path, argument)
    assert launch.end() == 1
    assert sentence in launch.output
    assert 'process started' not in launch.output


def test_unknown_argument_is_named(tmp_path):
    recorded = _Recorded(tmp_path, 'sorce:=sim', 'sigterm_timeout:=7')
    assert recorded.output.count('there is no argument') == 1
    assert 'there is no argument sorce; do you mean source?' in recorded.output


def test_arguments_of_a_robot_are_no_unknown_ones(tmp_path):
    robot = _robot(tmp_path, "DeclareLaunchArgument('sourc')", 'doa()')
    assert 'no argument' not in _Recorded(tmp_path, 'sourc:=1', file=robot).output


@pytest.mark.parametrize(
    ('namespace', 'loggers'), [('doa', ['doa']), ('robot/left', ['robot.left']), ('/', _NODES)]
)
def test_log_level_of_the_nodes_alone(namespace, loggers, tmp_path):
    call = _Recorded(tmp_path, 'log_level:=debug', f'namespace:={namespace}').calls[0]
    levels = [call[i + 1] for i, word in enumerate(call) if word == '--log-level']
    assert levels == [f'{logger}:=debug' for logger in loggers]


def test_log_level_is_left_to_ros_unless_it_is_given(tmp_path):
    assert '--log-level' not in _Recorded(tmp_path).calls[0]


@pytest.fixture
def installed(tmp_path):
    """Return a function that gives the environment in which an executable is installed."""

    def install(package, executable):
        prefix = tmp_path / 'prefix'
        name = f'lib/{package}/{executable}'
        for path in (f'share/ament_index/resource_index/packages/{package}', name):
            (prefix / path).parent.mkdir(parents=True, exist_ok=True)
            (prefix / path).write_text('#!/bin/sh\nexec sleep 60\n')
        (prefix / name).chmod(0o755)
        return {'AMENT_PREFIX_PATH': f'{prefix}:{os.environ["AMENT_PREFIX_PATH"]}'}

    return install


@pytest.fixture
def rviz(installed):
    """Return the environment in which a package rviz2 is installed."""
    return installed('rviz2', 'rviz2')


@pytest.mark.parametrize(
    ('arguments', 'namespace', 'frame'),
    [
        (['rviz:=True'], '/doa', 'mic_array'),
        (['rviz:=1', 'namespace:=left', 'frame_id:=left_mics'], '/left', 'left_mics'),
    ],
)
def test_rviz_follows_the_arguments(arguments, namespace, frame, tmp_path, rviz):
    recorded = _Recorded(tmp_path, *arguments, **rviz)
    (call,) = [call for call in recorded.calls if Path(call[0]).name == 'rviz2']
    assert call[call.index('-f') + 1] == frame
    assert f'__ns:={namespace}' in call
    config = yaml.safe_load(Path(call[call.index('-d') + 1]).read_text())['Visualization Manager']
    topics = [d['Topic']['Value'] for d in config['Displays'] if 'Topic' in d]
    frames = {d['Reference Frame'] for d in config['Displays'] if 'Reference Frame' in d}
    # Relative to the namespace, and to the fixed frame.
    assert topics == ['array_markers', 'markers']
    assert frames == {'<Fixed Frame>'}


def test_rviz_follows_the_parameter_file(tmp_path, rviz):
    path = _parameters(tmp_path, _ALL + '{frame_id: head_mics}}')
    recorded = _Recorded(tmp_path, 'rviz:=true', f'params_file:={path}', **rviz)
    (call,) = [call for call in recorded.calls if Path(call[0]).name == 'rviz2']
    assert call[call.index('-f') + 1] == 'head_mics'


_DOCUMENTED = [c for b in blocks('bash') for c in commands(b) if c[:2] == ['ros2', 'launch']]


@pytest.mark.parametrize('command', _DOCUMENTED, ids=' '.join)
def test_what_the_documents_launch_is_started(command, tmp_path):
    arguments = [argument for argument in command[4:] if not argument.startswith('--')]
    assert _Recorded(tmp_path, *arguments).executables == ['doa_pipeline']


@pytest.mark.parametrize(
    ('argument', 'package', 'sentence'),
    [
        ('rviz', 'rviz2', 'rviz:=true needs RViz: sudo apt install ros-$ROS_DISTRO-rviz2'),
        (
            'publish_tf',
            'tf2_ros',
            'publish_tf:=true needs tf2_ros: sudo apt install ros-$ROS_DISTRO-tf2-ros',
        ),
    ],
)
def test_without_an_optional_package_all_else_starts(argument, package, sentence, tmp_path):
    # No prefix but those that are needed.
    marker = f'share/ament_index/resource_index/packages/{package}'
    if any(Path(p, marker).exists() for p in os.environ['AMENT_PREFIX_PATH'].split(':')):
        pytest.skip(f'{package} is installed')
    recorded = _Recorded(tmp_path, f'{argument}:=true')
    assert recorded.executables == ['doa_pipeline']
    assert sentence in recorded.output


@pytest.mark.parametrize(
    ('arguments', 'namespace', 'place', 'frames'),
    [
        (['publish_tf:=true'], '/doa', [0.0] * 6, ('base_link', 'mic_array')),
        (
            ['publish_tf:=1', 'namespace:=left', 'frame_id:=left_mics', 'parent_frame:=head',
             'x:=0.1', 'y:=-2e-2', 'z:=1', 'roll:=3.14', 'pitch:=-.1', 'yaw:=0.5'],
            '/left', [0.1, -0.02, 1.0, 3.14, -0.1, 0.5], ('head', 'left_mics'),
        ),
    ],
)  # fmt: skip
def test_the_transform_is_what_the_arguments_say(
    arguments, namespace, place, frames, tmp_path, installed
):
    environment = installed('tf2_ros', 'static_transform_publisher')
    recorded = _Recorded(tmp_path, *arguments, **environment)
    assert 'WARNING' not in recorded.output
    (call,) = [c for c in recorded.calls if Path(c[0]).name == 'static_transform_publisher']
    options = dict(zip(call[1:17:2], call[2:17:2], strict=True))
    assert (options.pop('--frame-id'), options.pop('--child-frame-id')) == frames
    assert {name: float(value) for name, value in options.items()} == dict(
        zip(['--x', '--y', '--z', '--roll', '--pitch', '--yaw'], place, strict=True)
    )
    assert call[17] == '--ros-args'
    assert f'__ns:={namespace}' in call


def test_the_transform_follows_the_parameter_file(tmp_path, installed):
    path = _parameters(tmp_path, _ALL + '{frame_id: head_mics}}')
    environment = installed('tf2_ros', 'static_transform_publisher')
    recorded = _Recorded(tmp_path, 'publish_tf:=true', f'params_file:={path}', **environment)
    (call,) = [c for c in recorded.calls if Path(c[0]).name == 'static_transform_publisher']
    assert call[call.index('--child-frame-id') + 1] == 'head_mics'


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['x:=left'], "x must be a number, not 'left'"),
        (['yaw:=nan'], "yaw must be a number, not 'nan'"),
        (['parent_frame:='], "places the frame 'mic_array' in parent_frame, which cannot be ''"),
        (['parent_frame:=mic_array'], "which cannot be 'mic_array'"),
    ],
)
def test_a_place_that_cannot_be_is_an_error(arguments, sentence, tmp_path):
    launch = _Launch(tmp_path, 'publish_tf:=true', *arguments)
    assert launch.end() == 1
    assert sentence in launch.output
    assert 'process started' not in launch.output


def test_a_place_that_is_not_published_is_named(tmp_path):
    recorded = _Recorded(tmp_path, 'x:=0.1', 'yaw:=0.5')
    assert 'x, yaw: only publish_tf:=true uses it' in recorded.output


_SIM = ['source:=sim', 'method:=srp_phat']


@pytest.mark.parametrize('mode', ['pipeline', 'nodes'])
def test_runs_until_interrupted(mode, tmp_path, terminal):
    launch = _Launch(tmp_path, *_SIM, f'mode:={mode}', terminal=terminal)
    count = 1 if mode == 'pipeline' else len(_NODES)
    launch.started(count)
    launch.interrupt()
    assert launch.end() == 0, launch.output
    assert launch.output.count('process has finished cleanly') == count, launch.output
    assert 'Traceback' not in launch.output
    assert 'process has died' not in launch.output


def test_ends_as_the_systemd_unit_ends_it(tmp_path):
    launch = _Launch(tmp_path, *_SIM, 'mode:=nodes')
    launch.started(len(_NODES))
    launch.send(signal.SIGINT)
    assert launch.end() == 0, launch.output
    assert launch.output.count('process has finished cleanly') == len(_NODES), launch.output


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_processes_end_with_a_launch_that_is_killed(number, tmp_path):
    launch = _Launch(tmp_path, *_SIM, 'mode:=nodes')
    pids = launch.started(len(_NODES))
    # Some take note of the launch while it is there, on a busy machine others afterwards.
    time.sleep(4)
    launch.send(number)
    assert launch.end() != 0
    deadline = time.monotonic() + 40
    while any(map(_runs, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(('mode', 'victim'), [('pipeline', 'doa_pipeline'), ('nodes', 'gcc_phat')])
def test_killed_processes_come_back(mode, victim, tmp_path, terminal):
    launch = _Launch(tmp_path, *_SIM, f'mode:={mode}', terminal=terminal)
    pids = []
    for line in launch:
        found = re.search(rf'\[{victim}-\d\]: process started with pid \[(\d+)\]', line)
        if found:
            pids.append(int(found[1]))
            while not _catches(pids[-1], signal.SIGTERM):
                time.sleep(0.05)
            if len(pids) == 2:
                launch.interrupt()
            else:
                os.kill(pids[0], signal.SIGKILL)
    assert launch.end() == 0, launch.output
    assert len(pids) == 2, launch.output
    assert launch.output.count('process has died') == 1, launch.output


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / 'short.wav'
    soundfile.write(path, np.zeros((48000, 8)), 48000)
    return path


# What ends, and the status of a launch that is named on the command line.
_ENDS = [
    (['source:=file', 'file:={recording}'], 'process has finished cleanly', 0),
    (['source:=file'], 'process has died', 1),
    (['source:=sim', 'sensitivity:=7'], 'process has died', 1),
    (['source:=sim', 'array:=nope'], 'process has died', 1),
]


@pytest.mark.parametrize(('arguments', 'sentence', 'status'), _ENDS)
def test_what_ends_by_itself_stays_ended(arguments, sentence, status, tmp_path, recording):
    arguments = [argument.format(recording=recording) for argument in arguments]
    launch = _Launch(tmp_path, 'method:=srp_phat', *arguments)
    assert launch.end() == status, launch.output
    assert launch.output.count(sentence) == 1, launch.output
    assert launch.output.count('process started') == 1, launch.output
    assert 'Traceback' not in launch.output


@pytest.mark.parametrize('required', [False, True])
@pytest.mark.parametrize(('arguments', 'sentence', 'status'), _ENDS)
def test_a_robot_goes_on_unless_it_requires_the_nodes(
    arguments, sentence, status, required, tmp_path, recording
):
    given = dict(argument.format(recording=recording).split(':=') for argument in arguments)
    given |= {'required': str(required)}
    # Long enough for what ends, or longer than anything takes.
    wheels = _WHEELS.format(90 if required else 5)
    launch = _Launch(tmp_path, file=_robot(tmp_path, wheels, f'doa(**{given})'))
    ended, wheels = [], []
    for line in launch:
        if sentence in line and 'doa_pipeline' in line:
            ended.append(time.monotonic())
        elif 'wheels' in line and ('finished' in line or 'died' in line):
            wheels.append(line)
    # Its status is its own.
    assert launch.end() == 0, launch.output
    assert len(ended) == 1, launch.output
    assert len(wheels) == 1, launch.output
    assert ('process has died' in wheels[0]) == required, launch.output
    assert launch.output.count('process started') == 2, launch.output
    assert 'Traceback' not in launch.output


def test_a_robot_waits_for_its_array(tmp_path, terminal):
    robot = _robot(tmp_path, _WHEELS.format(5), "doa(device='no such device', method='srp_phat')")
    launch = _Launch(tmp_path, file=robot, terminal=terminal)
    for _ in launch:
        wheels = 'process has finished cleanly' in launch.output
        if wheels and 'no such device' in launch.output:
            # An interruption while a process ends makes launch wait for it in vain.
            time.sleep(1.0)
            launch.interrupt()
            break
    assert launch.end() == 0, launch.output
    assert launch.output.count('process started') == 2, launch.output
    assert 'process has died' not in launch.output


def test_an_array_that_is_required_is_not_waited_for(tmp_path):
    launch = _Launch(tmp_path, 'device:=no such device', 'method:=srp_phat', 'required:=true')
    assert launch.end() == 1, launch.output
    assert 'no such device' in launch.output


def test_only_the_process_ends_that_has_played_the_recording(tmp_path, recording, terminal):
    arguments = ['source:=file', f'file:={recording}', 'method:=srp_phat', 'mode:=nodes']
    launch = _Launch(tmp_path, *arguments, terminal=terminal)
    for line in launch:
        if 'process has finished cleanly' in line:
            assert 'audio_capture' in line
            # Longer than a process that was killed would take to come back.
            time.sleep(1.5)
            launch.interrupt()
            break
    assert launch.end() == 0, launch.output
    assert launch.output.count('process started') == len(_NODES), launch.output
    assert launch.output.count('process has finished cleanly') == len(_NODES), launch.output
