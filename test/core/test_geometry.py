# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Axes and signs, from the microphones to the decoded angle."""

from dataclasses import replace
import math

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import direction_of, unit_vector, wrap_angle

_AZIMUTHS = st.floats(-math.pi, math.pi)
_FINITE = st.floats(-1e4, 1e4)


# --- angles ---------------------------------------------------------------------------


@given(_FINITE)
def test_wrap_angle_keeps_the_direction_in_the_half_open_circle(angle):
    wrapped = wrap_angle(angle)
    assert isinstance(wrapped, float)
    assert -math.pi < wrapped <= math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)
    assert math.sin(wrapped) == pytest.approx(math.sin(angle), abs=1e-9)


@pytest.mark.parametrize('turns', range(-3, 4))
def test_wrap_angle_never_gives_minus_pi(turns):
    for angle in (math.pi, -math.pi):
        wrapped = wrap_angle(angle + 2 * math.pi * turns)
        assert abs(wrapped) == pytest.approx(math.pi)
        assert wrapped > -math.pi
    assert wrap_angle(np.nextafter(math.pi, 4)) == math.pi
    assert wrap_angle(-math.pi) == math.pi


def test_wrap_angle_works_on_arrays():
    wrapped = wrap_angle(np.radians([[-180, 190], [-190, 360]]))
    np.testing.assert_allclose(np.degrees(wrapped), [[180, -170], [170, 0]], atol=1e-9)


@given(_AZIMUTHS, st.floats(-1.5, 1.5), st.floats(1e-3, 1e3))
def test_direction_of_inverts_unit_vector(azimuth, elevation, length):
    vector = unit_vector(azimuth, elevation)
    assert np.linalg.norm(vector) == pytest.approx(1)
    found = direction_of(length * vector)
    assert wrap_angle(found[0] - azimuth) == pytest.approx(0, abs=1e-9)
    assert found[1] == pytest.approx(elevation, abs=1e-9)


@pytest.mark.parametrize(
    ('azimuth', 'elevation', 'vector'),
    [(0, 0, (1, 0, 0)), (90, 0, (0, 1, 0)), (180, 0, (-1, 0, 0)), (0, 90, (0, 0, 1))],
)
def test_axes_are_forward_left_up(azimuth, elevation, vector):
    found = unit_vector(math.radians(azimuth), math.radians(elevation))
    np.testing.assert_allclose(found, vector, atol=1e-12)


def test_unit_vector_broadcasts():
    assert unit_vector(np.zeros(5), 0.3).shape == (5, 3)
    assert unit_vector(np.zeros((5, 1)), np.zeros(4)).shape == (5, 4, 3)


# --- plane waves ----------------------------------------------------------------------


@given(_AZIMUTHS, st.floats(0, math.pi / 2))
def test_tdoa_is_arrival_at_first_minus_arrival_at_second(uma8, azimuth, elevation):
    direction = unit_vector(azimuth, elevation)
    arrival = -uma8.positions @ direction / uma8.speed_of_sound
    expected = [arrival[i] - arrival[j] for i, j in uma8.pairs]
    np.testing.assert_allclose(uma8.tdoa(direction), expected, atol=1e-12)
    assert np.abs(expected).max() <= uma8.max_delay + 1e-12


@settings(max_examples=25)
@given(_AZIMUTHS)
def test_plane_wave_is_found_where_it_comes_from(uma8, plane_wave, locate, azimuth):
    found = locate(uma8, plane_wave(uma8, azimuth))
    assert abs(wrap_angle(found.azimuth - azimuth)) < math.radians(1)


@pytest.mark.parametrize('degrees', [0, 45, 90, 135, 180, -135, -90, -45])
def test_source_at_plus_y_is_at_plus_90_degrees(uma8, square, plane_wave, locate, degrees):
    azimuth = math.radians(degrees)
    for array in (uma8, square):
        found = locate(array, plane_wave(array, azimuth)).azimuth
        assert abs(wrap_angle(found - azimuth)) < math.radians(1), array.name


@pytest.mark.parametrize('degrees', [0, 20, 45, 70, 90])
def test_elevation_is_counted_from_the_plane_of_the_array(uma8, plane_wave, locate, degrees):
    found = locate(uma8, plane_wave(uma8, 1.0, math.radians(degrees)))
    # A planar array hardly tells elevations near its plane apart.
    assert math.degrees(found.elevation) == pytest.approx(degrees, abs=8 if degrees < 15 else 4)


@pytest.mark.parametrize('degrees', [20, 50])
def test_a_sound_below_the_plane_is_taken_for_its_mirror_image(
    uma8, face_down, plane_wave, locate, degrees
):
    for array in (uma8, face_down):
        above, below = (
            locate(array, plane_wave(array, 1.0, math.radians(sign * degrees))) for sign in (1, -1)
        )
        assert below.azimuth == pytest.approx(above.azimuth, abs=1e-6)
        assert below.elevation == pytest.approx(above.elevation, abs=1e-6)
        assert math.degrees(below.elevation) == pytest.approx(degrees, abs=4)


@settings(max_examples=15)
@given(_AZIMUTHS)
def test_face_down_mirrors_the_azimuth(uma8, face_down, plane_wave, locate, azimuth):
    samples = plane_wave(uma8, azimuth, 0.4)
    found = locate(face_down, samples)
    assert abs(wrap_angle(found.azimuth + azimuth)) < math.radians(1)
    assert found.elevation == pytest.approx(locate(uma8, samples).elevation, abs=1e-3)


@settings(max_examples=10)
@given(_AZIMUTHS)
def test_face_down_is_right_in_the_mounted_frame(face_down, plane_wave, locate, azimuth):
    # plane_wave places the microphones as mounted: what it was told is what must come out.
    found = locate(face_down, plane_wave(face_down, azimuth, 0.3))
    assert abs(wrap_angle(found.azimuth - azimuth)) < math.radians(1)


def test_turning_the_source_by_60_degrees_permutes_the_ring(uma8, plane_wave):
    # The ring runs clockwise: microphone n + 1 is where n comes to when turned by -60 degrees.
    before = plane_wave(uma8, 0.3)
    after = plane_wave(uma8, 0.3 - math.pi / 3)
    # The file gives positions to 0.1 mm: 1 % of a sample.
    np.testing.assert_allclose(np.roll(before, 1, axis=1), after, atol=2e-3)
    assert np.abs(before - after).max() > 1e-2


# --- arrays ---------------------------------------------------------------------------


def test_uma8_is_a_ring_seen_clockwise_from_the_capsules(uma8):
    assert uma8.positions.shape == (6, 3)
    radius = np.linalg.norm(uma8.positions, axis=1)
    np.testing.assert_allclose(radius, 0.043, atol=1e-4)
    azimuth = np.degrees(direction_of(uma8.positions)[0])
    np.testing.assert_allclose(wrap_angle(np.radians(np.diff(azimuth) + 60)), 0, atol=0.01)
    assert azimuth[0] == pytest.approx(-90)
    assert uma8.channels == (1, 2, 3, 4, 5, 6)
    assert (uma8.channel_count, uma8.sampling_frequency) == (8, 48000)


def test_pairs_are_all_pairs_in_order(uma8):
    assert len(uma8.pairs) == 15
    assert [tuple(p) for p in uma8.pairs[:6]] == [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 2)]
    assert (uma8.pairs[:, 0] < uma8.pairs[:, 1]).all()


def test_max_delay_is_the_diameter(uma8):
    assert uma8.max_delay == pytest.approx(0.086 / 343, rel=1e-3)


def test_positions_cannot_be_changed(uma8):
    with pytest.raises(ValueError, match='read-only'):
        uma8.positions[0, 0] = 1


def test_microphone_channels_takes_all_or_the_microphones_alone(uma8, square):
    assert uma8.microphone_channels(8) == [1, 2, 3, 4, 5, 6]
    assert uma8.microphone_channels(6) == [0, 1, 2, 3, 4, 5]
    assert square.microphone_channels(5) == [3, 1, 0, 4]
    alone = replace(uma8, channels=tuple(range(6)), channel_count=6, silent_channels=())
    with pytest.raises(ConfigError, match='all 6 channels of its device, but the audio has 8'):
        alone.microphone_channels(8)
    with pytest.raises(ConfigError, match='6 microphones alone, but the audio has 1 channel$'):
        uma8.microphone_channels(1)
    with pytest.raises(ConfigError, match='has 7 channels'):
        uma8.microphone_channels(7)


def test_frame_positions_turn_over_about_x(uma8, face_down):
    np.testing.assert_array_equal(uma8.frame_positions, uma8.positions)
    np.testing.assert_allclose(face_down.frame_positions, uma8.positions * [1, -1, -1])


@settings(max_examples=10)
@given(_AZIMUTHS, st.floats(-math.tau, math.tau), st.booleans())
def test_a_turned_array_is_right_in_the_mounted_frame(
    uma8, plane_wave, locate, azimuth, rotation, down
):
    # SRP-PHAT on the board is judged by test_localizer; here it is geometry alone.
    array = replace(uma8, face_down=down, rotation=rotation)
    on_board = locate(uma8, plane_wave(array, azimuth, 0.3)).azimuth
    assert abs(wrap_angle(array.frame_azimuth(on_board) - azimuth)) < math.radians(1)
    back = array.board_azimuth(array.frame_azimuth(on_board))
    assert abs(wrap_angle(back - on_board)) < 1e-9


def test_unmounted_is_the_board_itself(uma8):
    array = replace(uma8, face_down=True, rotation=1.0).unmounted()
    np.testing.assert_array_equal(array.frame_positions, uma8.positions)
    assert array.frame_azimuth(0.5) == pytest.approx(0.5)


def test_silent_channels_come_from_the_file(uma8):
    assert uma8.silent_channels == (7,)
    for channel in (3, 8, -1):
        with pytest.raises(ConfigError, match=f'silent channel {channel}'):
            replace(uma8, silent_channels=(channel,))


def test_face_down_needs_a_planar_array(uma8):
    positions = uma8.positions.copy()
    positions[0, 2] = 0.01
    with pytest.raises(ConfigError, match='planar'):
        replace(uma8, positions=positions, face_down=True)


def test_each_microphone_needs_label_channel_and_position(uma8):
    with pytest.raises(ConfigError, match='each microphone needs'):
        replace(uma8, labels=('a', 'b'))


# --- array files ----------------------------------------------------------------------
