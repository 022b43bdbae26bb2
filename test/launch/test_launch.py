# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file declares what the README promises, and starts what it should."""

import importlib.util
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading

import pytest

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


def test_pipeline_is_one_process(entities):
    assert _started(entities) == ['doa_pipeline']


def test_nodes_are_one_process_each(entities):
    assert _started(entities, mode='nodes') == [
        'audio_capture',
        'gcc_phat',
        'doa_estimator',
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


@pytest.mark.parametrize('mode', ['pipeline', 'nodes'])
def test_runs_until_interrupted(mode, tmp_path):
    environment = os.environ | {
        'ROS_DOMAIN_ID': str(1 + os.getpid() % 100),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'ROS_LOG_DIR': str(tmp_path),
        'PYTHONUNBUFFERED': '1',
    }
    arguments = ['source:=sim', 'loop:=true', 'method:=srp_phat', f'mode:={mode}']
    process = subprocess.Popen(
        [sys.executable, '-c', _LAUNCH, str(_FILE), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )
    watchdog = threading.Timer(100, os.killpg, [process.pid, signal.SIGKILL])
    watchdog.start()
    output, started = '', 0
    wanted = ['CaptureConfig(', 'MethodConfig(', 'LocalizerConfig(', 'MarkersConfig(']
    for line in process.stdout:
        output += line
        if started < 4 and any(text in line for text in wanted):
            started += 1
            if started == 4:
                # As a terminal does: to all processes, which launch then signals once more.
                os.killpg(process.pid, signal.SIGINT)
    watchdog.cancel()
    assert process.wait() == 0, output
    assert started == 4, output
    assert output.count('process has finished cleanly') == (1 if mode == 'pipeline' else 4), output
    assert 'Traceback' not in output
    assert 'process has died' not in output
