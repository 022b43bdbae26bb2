# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which face speaks. One test builds a package hri_msgs with the fields of the real one."""

import importlib.util
import math
import os
from pathlib import Path
import subprocess
import sys
from types import ModuleType

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / 'examples' / 'match_faces.py'
VIEW = 1.05
# The fields of those of REP-155.
_MESSAGES = {
    'IdsList': 'std_msgs/Header header\nstring[] ids\n',
    'IdsMatch': 'int8 UNSET=0\nint8 PERSON=1\nint8 FACE=2\nint8 BODY=3\nint8 VOICE=4\n'
    'string id1\nint8 id1_type\nstring id2\nint8 id2_type\nfloat32 confidence\n',
    'NormalizedRegionOfInterest2D': 'std_msgs/Header header\nfloat32 xmin\nfloat32 ymin\n'
    'float32 xmax\nfloat32 ymax\nfloat32 c\n',
}
_BUILD = f"""\
cmake_minimum_required(VERSION 3.20)
project(hri_msgs)
find_package(ament_cmake REQUIRED)
find_package(std_msgs REQUIRED)
find_package(rosidl_default_generators REQUIRED)
rosidl_generate_interfaces(${{PROJECT_NAME}}
  {' '.join(f'msg/{name}.msg' for name in _MESSAGES)} DEPENDENCIES std_msgs)
ament_package()
"""
_PACKAGE = """\
<package format="3">
  <name>hri_msgs</name>
  <version>0.0.0</version>
  <description>Stands in for hri_msgs.</description>
  <maintainer email="nobody@doa-ros.example">nobody</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>std_msgs</depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""


def _edges(azimuth):
    """Return xmin and xmax of a face at an azimuth [rad]."""
    middle = 0.5 - 0.5 * math.tan(azimuth) / math.tan(VIEW / 2)
    return middle - 0.05, middle + 0.05


@pytest.fixture
def example(monkeypatch):
    """Return the module of the example, with names in place of the messages."""
    messages = ModuleType('hri_msgs.msg')
    messages.IdsList = messages.IdsMatch = messages.NormalizedRegionOfInterest2D = object
    monkeypatch.setitem(sys.modules, 'hri_msgs', ModuleType('hri_msgs'))
    monkeypatch.setitem(sys.modules, 'hri_msgs.msg', messages)
    spec = importlib.util.spec_from_file_location('match_faces', EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, 'match_faces', module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ('faces', 'expected'),
    [
        ({}, {}),
        ({'a': 0.3}, {'a': 0.96}),
        ({'a': 0.3, 'b': -0.3}, {'a': 0.96, 'b': 0.0}),
        ({'a': 0.3, 'b': 0.3}, {'a': 0.49, 'b': 0.49}),
        ({'a': -0.3}, {'a': 0.0}),
    ],
)
def test_the_confidence_is_the_share_of_a_face(example, make_track, faces, expected):
    track = make_track(azimuth=0.3, azimuth_stddev=0.05)
    found = example.confidences(track, faces, 0.08)
    assert found == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize('azimuth', [-0.4, 0.0, 0.3])
def test_a_face_is_where_the_camera_sees_it(example, azimuth):
    assert example.azimuth_of(*_edges(azimuth), VIEW) == pytest.approx(azimuth)


@pytest.mark.skipif(
    importlib.util.find_spec('hri_msgs') is not None, reason='hri_msgs is installed here'
)
def test_without_hri_msgs_it_says_so():
    done = subprocess.run([EXAMPLE], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == 'match_faces needs hri_msgs: sudo apt install ros-$ROS_DISTRO-hri-msgs\n'


@pytest.fixture(scope='module')
def hri_msgs(tmp_path_factory):
    """Build a package of messages as colcon does; return what makes a process find it."""
    source, prefix = tmp_path_factory.mktemp('hri'), tmp_path_factory.mktemp('prefix')
    (source / 'msg').mkdir()
    (source / 'CMakeLists.txt').write_text(_BUILD)
    (source / 'package.xml').write_text(_PACKAGE)
    for name, fields in _MESSAGES.items():
        (source / 'msg' / f'{name}.msg').write_text(fields)
    unoptimized = os.environ | {'CFLAGS': '-O0', 'CXXFLAGS': '-O0'}
    unoptimized.setdefault('CMAKE_PREFIX_PATH', os.environ['AMENT_PREFIX_PATH'])
    build = source / 'build'
    for command in (
        ['cmake', '-S', source, '-B', build, f'-DCMAKE_INSTALL_PREFIX={prefix}',
         f'-DPython3_EXECUTABLE={sys.executable}'],
        ['cmake', '--build', build],
        ['cmake', '--install', build],
    ):  # fmt: skip
        done = subprocess.run(command, env=unoptimized, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    (site,) = prefix.glob('lib/python3*/*-packages')
    return {
        'AMENT_PREFIX_PATH': str(prefix),
        'LD_LIBRARY_PATH': str(prefix / 'lib'),
        'PYTHONPATH': str(site),
    }


# Talks to the example in a process of its own: libraries are found by what is set at its start.
_TALK = """
import sys
import time
import rclpy
from hri_msgs.msg import IdsList, IdsMatch, NormalizedRegionOfInterest2D as Region
from doa_ros.conversions.directions import track_array
from doa_ros.core.tracking.track import Track
from doa_ros.msg import DoaTrackArray
from std_msgs.msg import Header

rclpy.init()
node = rclpy.create_node('talk', namespace=sys.argv[1])
faces = node.create_publisher(IdsList, 'humans/faces/tracked', 1)
region = node.create_publisher(Region, 'humans/faces/abc/roi', 1)
tracks = node.create_publisher(DoaTrackArray, 'doa/tracks', 1)
node.create_subscription(IdsMatch, 'humans/candidate_matches', lambda m: print(
    m.id1, m.id1_type, m.id2, m.id2_type, round(m.confidence, 1), flush=True), 10)
track = Track(7, 0.3, 0.2, 0, 0, 0.05, 0.1, 0.1, 0.1, 0.9, 1.0, True, False)
begin = time.monotonic()
while time.monotonic() < begin + 30:
    header = Header(stamp=node.get_clock().now().to_msg(), frame_id='mic_array')
    faces.publish(IdsList(header=header, ids=['abc']))
    region.publish(Region(header=header, xmin=float(sys.argv[2]), xmax=float(sys.argv[3])))
    heard = [track] if time.monotonic() < begin + 12 else []
    tracks.publish(track_array(header, heard))
    rclpy.spin_once(node, timeout_sec=0.05)
"""


@pytest.mark.nightly
def test_ros4hri_gets_a_match_and_its_end(hri_msgs, namespace, monkeypatch):
    for name, value in hri_msgs.items():
        monkeypatch.setenv(name, value, prepend=os.pathsep)
    node = subprocess.Popen([EXAMPLE, '--ros-args', '-r', f'__ns:={namespace}'])
    edges = map(str, _edges(0.3))
    talk = subprocess.Popen(
        [sys.executable, '-c', _TALK, namespace, *edges],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert talk.stdout.readline() == 'v7 4 abc 2 1.0\n'
        assert talk.stdout.readline() == 'v7 4 abc 2 0.0\n'
    finally:
        for process in (talk, node):
            process.terminate()
            process.wait()
    assert node.returncode == 0
