# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What an array cannot tell follows from the places of its microphones."""

from dataclasses import replace
import math

from hypothesis import assume, given
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from doa_ros.core.ambiguity import (
    Line,
    MirrorPlane,
    NoAmbiguity,
    ambiguity_in_frame,
    ambiguity_of,
)
from doa_ros.core.array_file import load_array
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import direction_of, unit_vector, wrap_angle
from doa_ros.resources import config_directory

_SQUARE = np.array([[0.03, 0.03, 0], [-0.03, 0.03, 0], [-0.03, -0.03, 0], [0.03, -0.03, 0]])
_directions = st.tuples(st.floats(-math.pi, math.pi), st.floats(-math.pi / 2, math.pi / 2))


def _turned(normal):
    """Return the square with another normal."""
    return Rotation.align_vectors([normal], [[0, 0, 1]])[0].apply(_SQUARE)


def _line(*direction, places=(-0.06, -0.02, 0.02, 0.06)):
    return np.outer(places, np.array(direction) / np.linalg.norm(direction))


@pytest.mark.parametrize('path', sorted((config_directory() / 'arrays').glob('*.yaml')))
def test_shipped_arrays_are_horizontal(path):
    array = load_array(path)
    for mounted in (array, replace(array, face_down=True, rotation=1.0)):
        for ambiguity in (ambiguity_of(mounted), ambiguity_in_frame(mounted)):
            assert ambiguity.horizontal
            assert ambiguity.elevation_min == 0
            assert ambiguity.axis.tolist() == [0, 0, 1]
            assert ambiguity.fold(0.3, -0.2) == (0.3, 0.2)


def test_tetrahedron_leaves_nothing_open(tetrahedron):
    ambiguity = ambiguity_of(tetrahedron)
    assert isinstance(ambiguity, NoAmbiguity)
    assert ambiguity.fold(0.3, -0.2) == (0.3, -0.2)
    assert ambiguity.axis.tolist() == [0, 0, 0]
    assert len(ambiguity.alike(0.3, -0.2)) == 0


def test_one_microphone_off_the_plane_leaves_nothing_open(make_array):
    assert isinstance(ambiguity_of(make_array([*_SQUARE, [0, 0, 0.02]])), NoAmbiguity)


def test_relief_of_a_board_is_no_height(make_array):
    # What is horizontal within it is so exactly: results do not depend on it.
    relief = 1e-3 * np.array([[0, 0, 1], [0, 0, 0], [0, 0, 1], [0, 0, 0]])
    assert ambiguity_of(make_array(_SQUARE + relief)).horizontal
    upright = ambiguity_of(make_array(_turned([1, 0, 0]) + relief[:, ::-1]))
    assert isinstance(upright, MirrorPlane)
    np.testing.assert_allclose(upright.axis, [1, 0, 0], atol=0.03)


@pytest.mark.parametrize(
    ('normal', 'side'),
    [
        ((1, 0, 0), (1, 0, 0)),  # Upright: the front.
        ((-1, 0, 0), (1, 0, 0)),
        ((0, -1, 0), (0, 1, 0)),  # Along x: the left.
        ((0.005, -1, 0), (-0.005, 1, 0)),
        ((-0.6, 0.8, 0), (0.6, -0.8, 0)),
        ((0.6, 0, 0.8), (0.6, 0, 0.8)),  # Rather horizontal: above.
        ((0.6, 0, -0.8), (-0.6, 0, 0.8)),
        ((-1, 0, 1), (-1, 0, 1)),
        ((-0.8, 0, 0.6), (0.8, 0, -0.6)),  # Rather upright: the front, though below.
    ],
)
def test_side_of_a_plane(make_array, normal, side):
    ambiguity = ambiguity_of(make_array(_turned(normal)))
    assert isinstance(ambiguity, MirrorPlane)
    assert not ambiguity.horizontal
    np.testing.assert_allclose(ambiguity.axis, np.array(side) / np.linalg.norm(side), atol=1e-9)
    assert ambiguity.elevation_min == -math.pi / 2


@pytest.mark.parametrize(
    ('line', 'side'),
    [
        ((0, 1, 0), (1, 0, 0)),
        ((1, 0, 0), (0, 1, 0)),
        ((-1, 0, 0), (0, 1, 0)),
        ((1, 1, 0), (1, -1, 0)),
        ((0, 1, 0.5), (1, 0, 0)),
    ],
)
@pytest.mark.parametrize('places', [(-0.06, -0.02, 0.02, 0.06), (-0.04, 0.04)])
def test_side_of_a_line(make_array, line, side, places):
    ambiguity = ambiguity_of(make_array(_line(*line, places=places)))
    assert isinstance(ambiguity, Line)
    np.testing.assert_allclose(ambiguity.side, np.array(side) / np.linalg.norm(side), atol=1e-9)
    assert abs(ambiguity.axis @ line) == pytest.approx(np.linalg.norm(line))
    assert math.isnan(ambiguity.elevation_min)


def test_line_that_is_not_quite_straight(make_array):
    bent = _line(0, 1, 0) + 1e-3 * np.array([[1, 0, 1], [0, 0, 0], [-1, 0, 0], [0, 0, -1]])
    ambiguity = ambiguity_of(make_array(bent))
    assert isinstance(ambiguity, Line)
    assert ambiguity.axis[2] == 0


@pytest.mark.parametrize('line', [(0, 0, 1), (0.5, 0, -1)])
def test_microphones_above_each_other_tell_no_azimuth(make_array, line):
    with pytest.raises(ConfigError, match='one above the other .* no azimuth'):
        ambiguity_of(make_array(_line(*line)))


@pytest.mark.parametrize(
    ('positions', 'source', 'answer'),
    [
        (_turned([1, 0, 0]), (140, 20), (40, 20)),
        (_turned([1, 0, 0]), (40, -30), (40, -30)),
        (_turned([0, 1, 0]), (-40, -30), (40, -30)),
        (_line(1, 0, 0), (-150, 0), (150, math.nan)),
        (_line(0, 1, 0), (150, 0), (30, math.nan)),
        (_line(0, 1, 0), (0, 60), (0, math.nan)),
        # A slanted line: a source at its height, before it, is where it is.
        (_line(0, 1, 1), (35, 0), (35, math.nan)),
        # Farther up than the line is slanted: its own azimuth.
        (_line(0, 1, 1), (90, 45), (90, math.nan)),
    ],
)
def test_answers(make_array, positions, source, answer):
    told = ambiguity_of(make_array(positions)).fold(*np.radians(source))
    np.testing.assert_allclose(np.degrees(told), answer, atol=1e-6)


@given(
    st.lists(st.tuples(*[st.floats(-0.1, 0.1)] * 3), min_size=2, max_size=6),
    st.sampled_from([1, 2, 3]),
    _directions,
)
def test_answers_sound_like_the_sources(make_array, points, rank, direction):
    points = np.array(points)
    points[:, rank:] = 0
    points = Rotation.from_euler('xyz', [20, 15, 80], degrees=True).apply(points)
    try:
        array = make_array(points)
        ambiguity = ambiguity_of(array)
    except ConfigError:
        assume(False)
    answer = ambiguity.fold(*direction)
    again = ambiguity.fold(*answer)
    np.testing.assert_allclose(
        unit_vector(*np.nan_to_num(again)), unit_vector(*np.nan_to_num(answer)), atol=1e-6
    )
    assert ambiguity.inside(*np.nan_to_num(answer))
    flat = np.linalg.svd(points - points.mean(axis=0))[1][-1] < 1e-9
    if isinstance(ambiguity, Line) or not (flat or isinstance(ambiguity, NoAmbiguity)):
        return
    heard, expected = array.tdoa(unit_vector(*direction)), array.tdoa(unit_vector(*answer))
    np.testing.assert_allclose(heard, expected, atol=1e-9)
    for other in ambiguity.alike(*answer):
        np.testing.assert_allclose(array.tdoa(other), expected, atol=1e-9)


@given(st.just(0) | st.floats(5, 40) | st.floats(-40, -5), _directions)
def test_answers_of_a_line_sound_like_the_sources(make_array, slope, direction):
    array = make_array(_line(0.3, 1, math.tan(math.radians(slope))))
    ambiguity = ambiguity_of(array)
    along = abs(unit_vector(*direction) @ ambiguity.axis)
    # Others have no answer that sounds the same.
    assume(along < math.cos(math.radians(slope)))
    azimuth, elevation = ambiguity.fold(*direction)
    assert math.isnan(elevation)
    heard = array.tdoa(unit_vector(*direction))
    np.testing.assert_allclose(array.tdoa(unit_vector(azimuth, 0.0)), heard, atol=1e-9)
    for other in ambiguity.alike(azimuth, elevation):
        np.testing.assert_allclose(array.tdoa(other), heard, atol=1e-9)


@pytest.mark.parametrize('positions', [_turned([1, 0, 0]), _turned([1, 1, 1]), _line(0, 1, 0.5)])
def test_side_turns_with_the_board(make_array, positions):
    array = make_array(positions, rotation=2.0)
    board, frame = ambiguity_of(array), ambiguity_in_frame(array)
    for azimuth, elevation in ((0.3, 0.2), (2.5, -0.4), (-1.9, 0.9)):
        on_board = board.fold(azimuth, elevation)
        in_frame = frame.fold(array.frame_azimuth(azimuth), elevation)
        assert abs(wrap_angle(in_frame[0] - array.frame_azimuth(on_board[0]))) < 1e-9
        np.testing.assert_allclose(in_frame[1], on_board[1])


def test_line_that_is_turned_over(make_array):
    array = make_array(_line(1, 1, 0), face_down=True, rotation=0.4)
    frame = ambiguity_in_frame(array)
    x, y, z = frame.axis
    along = array.frame_positions - array.frame_positions.mean(axis=0)
    np.testing.assert_allclose(np.abs(along @ frame.axis), np.linalg.norm(along, axis=1))
    assert z == 0
    azimuth = array.frame_azimuth(ambiguity_of(array).fold(0.2, 0.0)[0])
    assert frame.fold(azimuth, 0.0)[0] == pytest.approx(azimuth)
    assert abs(wrap_angle(direction_of(frame.side)[0] - math.atan2(y, x))) == pytest.approx(
        math.pi / 2
    )


def test_sentences_say_which_side(make_array, uma8, tetrahedron):
    said = [
        str(ambiguity_of(array))
        for array in (
            uma8,
            make_array(_turned([1, 0, 0])),
            make_array(_line(1, 0, 0)),
            tetrahedron,
        )  # fmt: skip
    ]
    assert 'above from below' in said[0]
    assert 'mirror image on the side of azimuth 0, elevation 0 degrees' in said[1]
    assert 'on the side of azimuth 90 degrees, and elevations are not known' in said[2]
    assert 'all directions' in said[3]
