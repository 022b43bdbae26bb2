# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file declares what the README promises, and starts what it should."""

import importlib.util
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile

pytest.importorskip('launch_ros', reason='launch and launch_ros come with a ROS installation')

from launch import LaunchContext  # noqa: E402
from launch.actions import DeclareLaunchArgument  # noqa: E402
from launch.utilities import perform_substitutions  # noqa: E402
from launch_ros.actions import Node  # noqa: E402

_FILE = Path(__file__).resolve().parents[2] / 'launch' / 'doa.launch.py'

# Argument: default, choices.
_ARGUMENTS = {
    'source': ('device', ['device', 'file', 'sim']),
    'file': ('', None),
    'loop': ('false', ['true', 'false']),
    'scene': ('demo', None),
    'array': ('uma8', None),
    'model': ('uma8_rooms_int8', None),
    'method': ('cnn', ['cnn', 'srp_phat']),
    'mode': ('pipeline', ['pipeline', 'nodes']),
    'publish_audio': (None, ['true', 'false']),
    'namespace': ('doa', None),
    'frame_id': ('mic_array', None),
    'params_file': (None, None),
    'rviz': ('false', ['true', 'false']),
}


@pytest.fixture
def entities():
    spec = importlib.util.spec_from_file_location('doa_launch', _FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.generate_launch_description().entities


def _declared(entities):
    return {e.name: e for e in entities if isinstance(e, DeclareLaunchArgument)}


def _started(entities, **arguments):
    """Return the executables that start with these arguments, in order."""
    context = LaunchContext()
    for name, (default, _) in _ARGUMENTS.items():
        context.launch_configurations[name] = arguments.get(name, default or '')
    return [
        node.node_executable
        for node in entities
        if isinstance(node, Node) and node.condition.evaluate(context)
    ]


def test_every_argument_is_declared_and_described(entities):
    declared = _declared(entities)
    assert sorted(declared) == sorted(_ARGUMENTS)
    for argument in declared.values():
        assert len(argument.description) > 10


@pytest.mark.parametrize('name', sorted(_ARGUMENTS))
def test_defaults_and_choices(entities, name):
    default, choices = _ARGUMENTS[name]
    argument = _declared(entities)[name]
    assert argument.choices == choices
    if default is not None:
        assert perform_substitutions(LaunchContext(), argument.default_value) == default


@pytest.mark.parametrize(('mode', 'expected'), [('pipeline', 'false'), ('nodes', 'true')])
def test_sound_is_published_where_processes_need_it(entities, mode, expected):
    context = LaunchContext()
    context.launch_configurations['mode'] = mode
    default = _declared(entities)['publish_audio'].default_value
    assert perform_substitutions(context, default) == expected


def test_pipeline_is_one_process(entities):
    assert _started(entities) == ['doa_pipeline']


def test_nodes_are_one_process_each(entities):
    assert _started(entities, mode='nodes') == [
        'audio_capture',
        'gcc_phat',
        'doa_estimator',
        'doa_tracker',
        'doa_markers',
    ]


def test_rviz_on_request(entities):
    assert _started(entities, rviz='true') == ['doa_pipeline', 'rviz2']


# What `ros2 launch FILE name:=value ...` does.
_LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

source = PythonLaunchDescriptionSource(sys.argv[1])
arguments = [argument.split(':=') for argument in sys.argv[2:]]
service = LaunchService()
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments)])
)
sys.exit(service.run())
"""


# The last line that each node writes while it starts.
_STARTED = ('CaptureConfig(', 'MethodConfig(', 'LocalizerConfig(', 'TrackerConfig(',
            'MarkersConfig(')  # fmt: skip


class _Launch:
    """A running launch file; iterating gives what it writes, line by line."""

    def __init__(self, folder, *arguments):
        environment = os.environ | {
            'ROS_DOMAIN_ID': str(1 + os.getpid() % 100),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            'ROS_LOG_DIR': str(folder),
            'PYTHONUNBUFFERED': '1',
        }
        self._process = subprocess.Popen(
            [sys.executable, '-c', _LAUNCH, str(_FILE), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self._watchdog = threading.Timer(100, self.send, [signal.SIGKILL])
        self._watchdog.start()
        self.output = ''

    def __iter__(self):
        for line in self._process.stdout:
            self.output += line
            yield line

    def send(self, number):
        """As a terminal does: to all processes, which launch then signals once more."""
        os.killpg(self._process.pid, number)

    def end(self):
        """Return the exit status."""
        for _ in self:
            pass
        self._watchdog.cancel()
        return self._process.wait()


@pytest.mark.parametrize('mode', ['pipeline', 'nodes'])
def test_runs_until_interrupted(mode, tmp_path):
    launch = _Launch(tmp_path, 'source:=sim', 'loop:=true', 'method:=srp_phat', f'mode:={mode}')
    started = 0
    for line in launch:
        started += any(text in line for text in _STARTED)
        if started == len(_STARTED):
            launch.send(signal.SIGINT)
            break
    assert launch.end() == 0, launch.output
    assert started == len(_STARTED), launch.output
    clean = launch.output.count('process has finished cleanly')
    assert clean == (1 if mode == 'pipeline' else len(_STARTED)), launch.output
    assert 'Traceback' not in launch.output
    assert 'process has died' not in launch.output


@pytest.mark.parametrize(
    ('mode', 'victim', 'sentence'),
    [('pipeline', 'doa_pipeline', 'CaptureConfig('), ('nodes', 'gcc_phat', 'MethodConfig(')],
)
def test_killed_processes_come_back(mode, victim, sentence, tmp_path):
    launch = _Launch(tmp_path, 'source:=sim', 'loop:=true', 'method:=srp_phat', f'mode:={mode}')
    started, pids = 0, []
    for line in launch:
        found = re.search(rf'\[{victim}-\d\]: process started with pid \[(\d+)\]', line)
        pids += [int(found[1])] if found else []
        if sentence not in line:
            continue
        started += 1
        if started == 1:
            os.kill(pids[0], signal.SIGKILL)
        else:
            launch.send(signal.SIGINT)
            break
    assert launch.end() == 0, launch.output
    assert len(pids) == 2, launch.output
    assert launch.output.count('process has died') == 1, launch.output


def test_ends_with_the_recording(tmp_path):
    path = tmp_path / 'short.wav'
    soundfile.write(path, np.zeros((48000, 8)), 48000)
    arguments = ['source:=file', f'file:={path}', 'method:=srp_phat', 'mode:=nodes']
    launch = _Launch(tmp_path, *arguments)
    assert launch.end() == 0, launch.output
    assert 'end of the file' in launch.output
    assert launch.output.count('process has finished cleanly') == len(_STARTED), launch.output


def test_ends_where_a_setting_is_wrong(tmp_path):
    launch = _Launch(tmp_path, 'source:=sim', 'mode:=nodes', 'publish_audio:=false')
    launch.end()
    assert launch.output.count('needs publish_audio:=true') == 1, launch.output
    assert launch.output.count('process started') == len(_STARTED), launch.output
