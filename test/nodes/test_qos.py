# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The QoS of topics, and how parameters override it."""

from pathlib import Path
import re
import signal
import subprocess

from ament_index_python import get_package_prefix
import pytest
from rclpy.qos import ReliabilityPolicy

_README = Path(__file__).resolve().parents[2] / 'README.md'
_TOPICS = [
    'array_info', 'detections', 'estimates', 'gcc_phat', 'markers', 'spectrum', 'target',
    'target_vector', 'tracks', 'truth',
]  # fmt: skip


@pytest.fixture
def offered(listener, scene, tmp_path):
    """Return a function that gives the QoS of the topics, with a parameter file."""

    def offer(text, namespace):
        path = tmp_path / 'parameters.yaml'
        path.write_text(text)
        command = [Path(get_package_prefix('doa_ros'), 'lib', 'doa_ros', 'doa_pipeline')]
        command += ['--ros-args', '-r', f'__ns:={namespace}', '--params-file', path]
        for setting in ('source:=sim', 'method:=srp_phat', 'loop:=true', f'scene:={scene}'):
            command += ['-p', setting]
        topics = [f'{namespace}/{name}' for name in _TOPICS]
        with subprocess.Popen(command) as process:
            try:
                for topic in topics:
                    listener.wait_for_publisher(topic)
                find = listener.node.get_publishers_info_by_topic
                return {topic: find(topic)[0].qos_profile for topic in topics}
            finally:
                process.send_signal(signal.SIGINT)

    return offer


def test_example_of_the_readme_overrides_the_qos(offered):
    text = _README.read_text(encoding='utf-8')
    (example,) = re.findall(r'```yaml\n(/\*\*:\n.*?qos_overrides.*?)```', text, re.DOTALL)
    qos = offered(example, '/doa')
    best_effort = [t for t, q in qos.items() if q.reliability == ReliabilityPolicy.BEST_EFFORT]
    assert best_effort == ['/doa/estimates']


def test_the_qos_of_every_topic_can_be_overridden(offered, namespace):
    keys = [
        f'      {namespace}/{name}: {{publisher: {{reliability: best_effort}}}}'
        for name in _TOPICS
    ]
    text = '\n'.join(['/**:', '  ros__parameters:', '    qos_overrides:', *keys])
    qos = offered(text, namespace)
    assert {q.reliability for q in qos.values()} == {ReliabilityPolicy.BEST_EFFORT}
