# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The macros of boards for URDF: every microphone where the array file has it."""

from dataclasses import replace
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from doa_ros.core.array_file import load_array
from doa_ros.resources import config_directory, find_resource, shipped

FOLDER = config_directory() / 'urdf'
XACRO = '{http://www.ros.org/wiki/xacro}'
ROBOT = """
<robot name="robot" xmlns:xacro="http://www.ros.org/wiki/xacro">
  <xacro:include filename="{file}"/>
  <link name="head"/>
  <xacro:{name} parent="head" {arguments}>
    <origin xyz="0.1 0 0.3" rpy="0 0 0.5"/>
  </xacro:{name}>
</robot>
"""
_PARTS = ('link', 'joint')
MOUNTINGS = [(False, 0.0), (True, 0.0), (False, 0.7), (True, -2.5)]


def _macro(name):
    """Return the only macro of a file, and the defaults of its parameters."""
    root = ElementTree.parse(FOLDER / f'{name}.urdf.xacro').getroot()
    (macro,) = root.findall(f'{XACRO}macro')
    assert len(root) == 1
    defaults = dict(re.findall(r'(\w+):=(\S+)', macro.get('params')))
    names = [word.partition(':=')[0] for word in macro.get('params').split()]
    assert names == ['parent', 'name', 'face_down', 'rotation', '*origin']
    assert macro.get('name') == name
    return macro, defaults


def _expanded(array, **arguments):
    """Return links and joints as xacro makes them, which is not installed everywhere."""
    macro, defaults = _macro(array)
    values = {**defaults, 'parent': 'head', **arguments}
    numbers = {k: float(values[k]) for k in ('face_down', 'rotation')}

    def value(found):
        expression = found[1]
        if expression in values and expression not in numbers:
            return values[expression]
        return str(eval(expression, {'pi': math.pi, **numbers}))

    text = re.sub(r'\$\{([^}]+)\}', value, ElementTree.tostring(macro, encoding='unicode'))
    expanded = ElementTree.fromstring(text)
    for joint in expanded.iter('joint'):
        for block in joint.findall(f'{XACRO}insert_block'):
            assert block.get('name') == 'origin'
            joint.remove(block)
            joint.insert(0, ElementTree.Element('origin', xyz='0.1 0 0.3', rpy='0 0 0.5'))
    return expanded


def _vector(element, name):
    return np.array([float(word) for word in element.get(name, '0 0 0').split()])


def _turn(rpy):
    """Return the rotation by roll, pitch and yaw about fixed axes, as URDF has it."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(rpy), np.sin(rpy)
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def _facts(robot):
    """Return parent, place and turn of each link, and the places of what is seen of it."""
    joints = {}
    for joint in robot.iter('joint'):
        assert joint.get('type') == 'fixed'
        origin = joint.find('origin')
        joints[joint.find('child').get('link')] = (
            joint.find('parent').get('link'),
            _vector(origin, 'xyz').tolist(),
            _vector(origin, 'rpy').tolist(),
        )
    seen = {
        (link.get('name'), visual.get('name')): _vector(visual.find('origin'), 'xyz').tolist()
        for link in robot.iter('link')
        for visual in link.findall('visual')
    }
    return joints, seen


def test_every_array_has_a_macro():
    assert sorted(path.name.removesuffix('.urdf.xacro') for path in FOLDER.iterdir()) == shipped(
        'arrays'
    )


@pytest.mark.parametrize('name', shipped('arrays'))
@pytest.mark.parametrize(('face_down', 'rotation'), MOUNTINGS)
def test_microphones_are_where_the_array_file_has_them(name, face_down, rotation):
    array = load_array(find_resource('arrays', name))
    array = replace(array, face_down=face_down, rotation=rotation)
    joints, seen = _facts(_expanded(name, face_down=int(face_down), rotation=rotation))
    # The frame of all directions is placed by the robot, ...
    assert joints['mic_array'] == ('head', [0.1, 0.0, 0.3], [0.0, 0.0, 0.5])
    # ... and the board is mounted in it.
    parent, place, turn = joints['mic_array_board']
    assert (parent, place) == ('mic_array', [0.0, 0.0, 0.0])
    board = seen.pop(('mic_array_board', 'board'))
    assert board[2] < 0
    assert set(seen) == {('mic_array_board', label) for label in array.labels}
    positions = [seen['mic_array_board', label] for label in array.labels]
    np.testing.assert_allclose(positions @ _turn(turn).T, array.frame_positions, atol=1e-9)


@pytest.mark.parametrize('name', shipped('arrays'))
def test_the_board_holds_its_microphones(name):
    array = load_array(find_resource('arrays', name))
    (board,) = [v for v in _expanded(name).iter('visual') if v.get('name') == 'board']
    disc, plate = board.find('geometry/cylinder'), board.find('geometry/box')
    if disc is not None:
        reach = np.linalg.norm(array.positions[:, :2], axis=1).max()
        assert reach < float(disc.get('radius')) < reach + 0.01
    else:
        reach = np.abs(array.positions[:, :2]).max(axis=0)
        assert (reach < _vector(plate, 'size')[:2] / 2).all()


def test_two_arrays_on_one_robot_share_no_name():
    robots = [_expanded('uma8', name=name) for name in ('left', 'right')]
    names = [part.get('name') for robot in robots for part in robot.iter() if part.tag in _PARTS]
    assert len(names) == 8
    assert len(set(names)) == 8


@pytest.mark.parametrize('name', shipped('arrays'))
def test_xacro_itself_makes_the_same(name, tmp_path):
    xacro = pytest.importorskip('xacro', reason='xacro comes with a ROS installation')
    file = tmp_path / 'robot.urdf.xacro'
    arguments = 'name="left" face_down="1" rotation="0.7"'
    path = FOLDER / f'{name}.urdf.xacro'
    file.write_text(ROBOT.format(file=path, name=name, arguments=arguments))
    robot = ElementTree.fromstring(xacro.process_file(str(file)).toxml())
    assert _facts(robot) == _facts(_expanded(name, name='left', face_down=1, rotation=0.7))


def test_the_text_above_a_macro_says_how_it_is_included():
    for name in shipped('arrays'):
        text = (FOLDER / f'{name}.urdf.xacro').read_text(encoding='utf-8')
        included = re.search(r'<xacro:include filename="\$\(find doa_ros\)/(\S+)"/>', text)
        assert (FOLDER.parents[1] / included[1]) == FOLDER / f'{name}.urdf.xacro'
        assert f'<xacro:{name} parent=' in text
