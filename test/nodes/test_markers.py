# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How an array and what it hears look in RViz."""

from dataclasses import replace
import itertools
import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from visualization_msgs.msg import Marker, MarkerArray
import yaml

from doa_ros.conversions.audio import make_header
from doa_ros.core.ambiguity import ambiguity_in_frame
from doa_ros.core.array_file import load_array
from doa_ros.core.geometry import direction_of, unit_vector, wrap_angle
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.markers import array_model, estimates, spectrum, tracks
from doa_ros.markers.array_model import array_markers
from doa_ros.markers.estimates import estimate_markers
from doa_ros.markers.spectrum import spectrum_marker
from doa_ros.markers.tracks import Trail, tip_of, track_markers
from doa_ros.nodes.topics import ARRAY_MARKERS, WINDOW_MARKERS
from doa_ros.resources import config_directory, find_resource, shipped

ARRAY = load_array(find_resource('arrays', 'uma8'))
HEADER = make_header(1_700_000_000_123_456_789, 'mic_array')
UPRIGHT = np.array([[0, 0.03, 0.03], [0, -0.03, 0.03], [0, -0.03, -0.03], [0, 0.03, -0.03]])
AZIMUTHS = np.arange(72) * np.radians(5)
LINE = np.array([[0, -0.04, 0], [0, 0.04, 0]])


def _over_the_wire(markers):
    content = serialize_message(MarkerArray(markers=markers))
    return deserialize_message(content, MarkerArray).markers


@given(
    azimuth=st.floats(-math.pi, math.pi),
    elevation=st.floats(-math.pi / 2, math.pi / 2) | st.just(math.nan),
)
def test_arrows_point_at_the_source(points_at, azimuth, elevation):
    estimate = Estimate(azimuth, elevation, 0.1, 0.1, 0.5)
    (marker,) = estimate_markers(HEADER, [estimate], 0, 1.0)
    up = 0.0 if math.isnan(elevation) else elevation
    assert points_at(marker.pose) == pytest.approx(unit_vector(azimuth, up), abs=1e-9)


@pytest.mark.parametrize(
    ('previous', 'count', 'actions'),
    [
        (0, 0, []),
        (0, 2, [Marker.ADD, Marker.ADD]),
        (2, 1, [Marker.ADD, Marker.DELETE]),
        (2, 0, [Marker.DELETE, Marker.DELETE]),
    ],
)
def test_arrows_of_sounds_that_ended_are_deleted(previous, count, actions):
    estimates = [Estimate(0.1, 0.2, 0.1, 0.1, 0.9)] * count
    markers = _over_the_wire(estimate_markers(HEADER, estimates, previous, 2.0))
    assert [marker.action for marker in markers] == actions
    assert [marker.id for marker in markers] == list(range(len(markers)))
    assert {marker.ns for marker in markers} <= {'estimates'}
    assert all(marker.header == HEADER for marker in markers)
    assert all(0 < marker.scale.x <= 2 for marker in markers if marker.action == Marker.ADD)


def _shown(ambiguity, previous, *estimates):
    markers = estimate_markers(HEADER, estimates, previous, 2.0, ambiguity=ambiguity)
    alike = [m for m in _over_the_wire(markers) if m.ns == 'alike']
    return alike, [np.array([(p.x, p.y, p.z) for p in m.points]) for m in alike]


def test_mirror_image_is_shown(make_array, tetrahedron):
    estimate = Estimate(0.6, -0.3, 0.1, 0.1, 0.9)
    (marker,), (points,) = _shown(ambiguity_in_frame(make_array(UPRIGHT)), 0, estimate)
    assert marker.action == Marker.ADD
    np.testing.assert_allclose(points, [[0, 0, 0], 2 * unit_vector(math.pi - 0.6, -0.3)])
    # Where there is nothing to mistake, or only above and below, nothing is.
    for microphones in (ARRAY, tetrahedron):
        assert _shown(ambiguity_in_frame(microphones), 0, estimate) == ([], [])


def test_cone_around_a_line_is_shown(make_array):
    estimates = [Estimate(azimuth, math.nan, 0.1, math.nan, 0.9) for azimuth in (0.0, 0.6)]
    _, rings = _shown(ambiguity_in_frame(make_array(LINE)), 0, *estimates)
    for ring, estimate in zip(rings, estimates, strict=True):
        ends = [2 * unit_vector(estimate.azimuth, 0.0)] * 2
        np.testing.assert_allclose(ring[[0, -1]], ends, atol=1e-12)
        np.testing.assert_allclose(np.linalg.norm(ring, axis=1), 2)
        np.testing.assert_allclose(ring[:, 1], 2 * math.sin(estimate.azimuth), atol=1e-12)
    markers, _ = _shown(ambiguity_in_frame(make_array(LINE)), 2)
    assert [m.action for m in markers] == [Marker.DELETE] * 2


def test_surer_arrows_are_longer():
    estimates = [Estimate(0.0, 0.0, 0.1, 0.1, confidence) for confidence in (1.0, 0.5, 0.0)]
    lengths = [marker.scale.x for marker in estimate_markers(HEADER, estimates, 0, 2.0)]
    assert lengths[0] == 2
    assert lengths[0] > lengths[1] > lengths[2] > 0


def test_estimates_are_faint_beside_tracks():
    estimates = [Estimate(0.1, 0.2, 0.1, 0.1, 0.9)]
    alone, beside = (
        estimate_markers(HEADER, estimates, 0, 1.0, faint=faint)[0].color.a
        for faint in (False, True)
    )
    assert beside < alone == 1


def _trail(tracks, length=2.0, duration=3.0, step=0.2):
    """Return the trail of a track that was seen every step [s]."""
    trail = Trail()
    for k, track in enumerate(tracks):
        trail.add(round(k * step * NANOSECONDS), tip_of(track, length), round(duration * 1e9))
    return trail


def _track_markers(*shown, ended=(), trails=None, length=2.0):
    """Return the markers of tracks by their namespaces and ids, as they arrive."""
    trails = trails or {track.id: _trail([track], length) for track in shown}
    markers = _over_the_wire(track_markers(HEADER, shown, trails, ended, length))
    found = {(m.ns, m.id): m for m in markers}
    # RViz complains of the same id twice in a message.
    assert len(found) == len(markers)
    return found


def test_trails_fade_and_end(make_track):
    walker = [make_track(4, azimuth=0.1 * k) for k in range(5)]
    pausing = make_track(7, predicted=True)
    trails = {4: _trail(walker), 7: _trail([pausing])}
    shown = _track_markers(walker[-1], pausing, ended={2}, trails=trails)
    assert set(shown) == {
        *itertools.product(tracks.NAMESPACES, [4, 2]),
        *itertools.product(set(tracks.NAMESPACES) - {'trails'}, [7]),
    }
    assert {number for (_, number), m in shown.items() if m.action == Marker.DELETE} == {2}
    assert shown['tracks', 7].color.a < shown['tracks', 4].color.a == 1
    trail = shown['trails', 4]
    ends = [[p.x, p.y, p.z] for p in trail.points]
    # Of confidence 0.75.
    expected = 2.0 * (0.3 + 0.7 * 0.75) * unit_vector(0.1 * np.arange(5), 0.5)
    np.testing.assert_allclose(ends, expected, atol=1e-9)
    assert [c.a for c in trail.colors] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    # RViz looks at the opacities of the corners only then.
    assert trail.color.a < 0.998


def test_a_trail_is_where_the_tip_of_the_arrow_was(make_track):
    confidences = [0.9, 0.5, 0.1]
    walker = [make_track(4, azimuth=0.2 * k, confidence=c) for k, c in enumerate(confidences)]
    shown = _track_markers(walker[-1], trails={4: _trail(walker)})
    reached = [math.hypot(p.x, p.y, p.z) for p in shown['trails', 4].points]
    assert reached == pytest.approx([2.0 * (0.3 + 0.7 * c) for c in confidences])
    assert reached[-1] == pytest.approx(shown['tracks', 4].scale.x)


@pytest.mark.parametrize('duration', [0.0, 0.5, 3.0, 60.0])
@pytest.mark.parametrize('count', [1, 2, 700])
def test_a_trail_has_few_points_however_long_it_is(make_track, duration, count):
    walker = [make_track(4, azimuth=0.001 * k) for k in range(count)]
    corners = _trail(walker, duration=duration, step=0.05).corners
    assert 1 <= len(corners) <= 32
    # It ends where the tip is, and begins at most its length before.
    assert corners[-1] == tip_of(walker[-1], 2.0)
    oldest = max(0, count - 1 - duration / 0.05)
    assert math.atan2(corners[0].y, corners[0].x) >= 0.001 * oldest - 1e-9
    if count == 700 and duration == 60.0:
        assert len(corners) > 15


def test_a_trail_forgets_what_lies_after_now(make_track):
    trail = _trail([make_track(4, azimuth=0.1 * k) for k in range(5)])
    trail.add(NANOSECONDS // 4, tip_of(make_track(4, azimuth=1.0), 2.0), 3 * NANOSECONDS)
    assert [math.atan2(p.y, p.x) for p in trail.corners] == pytest.approx([0.0, 0.1, 1.0])


def test_a_label_names_a_track_at_the_tip_of_its_arrow(make_track):
    track = make_track(2**31 + 5, azimuth=math.radians(-120.4), elevation=0.3, confidence=0.876)
    shown = _track_markers(track, length=1.0)
    label = shown['labels', 5]
    assert label.text == '653\n-120 deg, 88%'
    assert label.text.isascii()
    assert label.type == Marker.TEXT_VIEW_FACING
    p = label.pose.position
    arrow = shown['tracks', 5]
    assert arrow.scale.x < math.hypot(p.x, p.y, p.z) < arrow.scale.x + 0.3
    assert math.atan2(p.y, p.x) == pytest.approx(track.azimuth)
    assert {number for _, number in shown} == {5}


def test_a_label_knows_no_negative_nought(make_track):
    shown = _track_markers(make_track(1, azimuth=math.radians(-0.4)))
    assert '\n0 deg' in shown['labels', 1].text


def _corners(marker, points_at):
    """Return the corners of a marker as RViz places them, shape (points, 3)."""
    scale = [marker.scale.x, marker.scale.y, marker.scale.z]
    own = np.array([(p.x, p.y, p.z) for p in marker.points]) * scale
    # The axes of its frame: x by the pose, the others square to it, y level.
    x = points_at(marker.pose)
    y = np.cross([0.0, 0.0, 1.0], x)
    y /= np.linalg.norm(y)
    return own @ np.array([x, y, np.cross(x, y)])


@pytest.mark.parametrize(('azimuth', 'elevation'), [(0.4, 0.0), (-2.0, 0.5), (3.0, -0.2)])
def test_the_cone_is_a_standard_deviation_wide(make_track, points_at, azimuth, elevation):
    track = make_track(
        4, azimuth=azimuth, elevation=elevation, azimuth_stddev=0.05, elevation_stddev=0.1
    )
    shown = _track_markers(track)
    cone = shown['uncertainty', 4]
    assert cone.type == Marker.TRIANGLE_LIST
    corners = _corners(cone, points_at)
    assert len(corners) % 3 == 0
    rim = corners[np.linalg.norm(corners, axis=1) > 0.1]
    assert len(rim) == 2 * len(corners) / 3
    # As far as the arrow reaches.
    np.testing.assert_allclose(np.linalg.norm(rim, axis=1), shown['tracks', 4].scale.x, rtol=5e-3)
    azimuths, elevations = direction_of(rim)
    assert np.abs(wrap_angle(azimuths - azimuth)).max() == pytest.approx(0.05, rel=0.08)
    assert np.abs(elevations - elevation).max() == pytest.approx(0.1, rel=0.08)
    assert 0 < cone.color.a < 0.5


def test_the_cone_is_flat_where_there_is_no_elevation(make_track, points_at):
    track = make_track(4, elevation=math.nan, elevation_stddev=math.nan, azimuth_stddev=0.3)
    cone = _track_markers(track)['uncertainty', 4]
    corners = _corners(cone, points_at)
    assert np.abs(corners[:, 2]).max() < 0.01
    assert np.linalg.norm(corners[:, :2], axis=1).max() > 0.5
    # RViz warns of a scale of 0.
    assert min(cone.scale.x, cone.scale.y, cone.scale.z) > 0


@pytest.mark.parametrize('deviation', [0.0, 2.0, 1e3])
def test_a_cone_of_any_width_can_be_shown(make_track, deviation):
    track = make_track(4, azimuth_stddev=deviation, elevation_stddev=deviation)
    scale = _track_markers(track)['uncertainty', 4].scale
    assert all(0 < size <= 2.0 for size in (scale.x, scale.y, scale.z))


def test_no_cone_where_no_standard_deviation_is_known(make_track):
    assert ('uncertainty', 4) not in _track_markers(make_track(4, azimuth_stddev=math.nan))


def test_the_ring_bulges_where_sound_may_come_from():
    probability = np.zeros(72)
    probability[[6, 40]] = 1.0, 0.5
    (marker,) = _over_the_wire([spectrum_marker(HEADER, AZIMUTHS, probability, 2.0)])
    assert (marker.ns, marker.type) == ('spectrum', Marker.LINE_STRIP)
    corners = np.array([(p.x, p.y, p.z) for p in marker.points])
    assert len(corners) == 73
    np.testing.assert_allclose(corners[0], corners[-1], atol=1e-12)
    assert not corners[:, 2].any()
    distances = np.linalg.norm(corners[:-1], axis=1)
    azimuths = np.arctan2(corners[:-1, 1], corners[:-1, 0])
    np.testing.assert_allclose(wrap_angle(azimuths - np.arange(72) * np.radians(5)), 0, atol=1e-12)
    least = distances.min()
    assert 0 < least < distances[40] < distances[6] <= 2.0
    assert distances[6] - least == pytest.approx(2 * (distances[40] - least))


def test_without_a_spectrum_the_ring_is_deleted():
    marker = spectrum_marker(HEADER, np.zeros(0), np.zeros(0), 2.0)
    assert (marker.ns, marker.action) == ('spectrum', Marker.DELETE)


@pytest.mark.parametrize('name', shipped('arrays'))
def test_the_array_is_shown_as_it_is(name):
    array = replace(load_array(find_resource('arrays', name)), rotation=0.3)
    first, *markers = _over_the_wire(array_markers('head', array, 1.0))
    assert first.action == Marker.DELETEALL
    assert all(m.frame_locked and m.header.frame_id == 'head' for m in markers)
    assert {(m.lifetime.sec, m.lifetime.nanosec) for m in markers} == {(0, 0)}
    # With a time, RViz would want the transform of that time for ever.
    assert {stamp_of(m.header) for m in markers} == {0}
    assert len({(m.ns, m.id) for m in markers}) == len(markers)
    (spheres,) = [m for m in markers if m.type == Marker.SPHERE_LIST]
    places = [(p.x, p.y, p.z) for p in spheres.points]
    np.testing.assert_allclose(places, array.frame_positions)
    numbers = [m for m in markers if m.ns == 'channels']
    assert [m.text for m in numbers] == [str(channel) for channel in array.channels]
    for place, number in zip(places, numbers, strict=True):
        p = number.pose.position
        assert spheres.scale.x / 2 < math.dist(place, (p.x, p.y, p.z)) < 2 * spheres.scale.x


def test_the_dial_names_azimuths_where_they_are():
    markers = array_markers('head', ARRAY, 2.0)
    words = {m.text: m.pose.position for m in markers if m.ns == 'azimuths'}
    assert {int(word) for word in words} == set(range(-150, 181, 30))
    for word, place in words.items():
        off = wrap_angle(math.atan2(place.y, place.x) - math.radians(int(word)))
        assert off == pytest.approx(0, abs=1e-9)
        # Around the longest arrow.
        assert math.hypot(place.x, place.y) > 2.0


@pytest.mark.parametrize('microphones', [LINE, np.array([[0, 0, 0], [0, 0.3, 0], [0.3, 0, 0.2]])])
def test_the_array_of_two_or_three_microphones_is_shown(make_array, microphones):
    _over_the_wire(array_markers('head', make_array(microphones), 1.0))


def test_sizes_follow_the_length_of_an_arrow(make_track):
    small, large = (
        [
            *_track_markers(make_track(4), length=length).values(),
            spectrum_marker(HEADER, AZIMUTHS, np.zeros(72), length),
            *estimate_markers(HEADER, [Estimate(0.1, 0.2, 0.1, 0.1, 0.9)], 0, length),
        ]
        for length in (0.1, 1.0)
    )
    for one, other in zip(small, large, strict=True):
        assert 10 * max(one.scale.x, one.scale.z) == pytest.approx(
            max(other.scale.x, other.scale.z)
        )


def test_rviz_shows_every_namespace_and_topic():
    text = (config_directory() / 'doa.rviz').read_text(encoding='utf-8')
    displays = yaml.safe_load(text)['Visualization Manager']['Displays']
    shown = {d['Topic']['Value']: d for d in displays if 'Topic' in d}
    expected = {
        WINDOW_MARKERS: (*estimates.NAMESPACES, *tracks.NAMESPACES, *spectrum.NAMESPACES),
        ARRAY_MARKERS: array_model.NAMESPACES,
    }
    assert list(shown) == [ARRAY_MARKERS.name, WINDOW_MARKERS.name]
    for topic, namespaces in expected.items():
        assert shown[topic.name]['Namespaces'] == dict.fromkeys(sorted(namespaces), True)
    durability = {name: d['Topic']['Durability Policy'] for name, d in shown.items()}
    assert durability == {'array_markers': 'Transient Local', 'markers': 'Volatile'}


def test_every_marker_is_of_a_namespace_that_can_be_switched_off(make_array, make_track):
    upright = ambiguity_in_frame(make_array(UPRIGHT))
    estimate = Estimate(0.6, -0.3, 0.1, 0.1, 0.9)
    walker = [make_track(4, azimuth=0.1 * k) for k in range(5)]
    assert {m.ns for m in estimate_markers(HEADER, [estimate], 0, 1.0, ambiguity=upright)} == set(
        estimates.NAMESPACES
    )
    shown = _track_markers(walker[-1], trails={4: _trail(walker)})
    assert {namespace for namespace, _ in shown} == set(tracks.NAMESPACES)
    assert (spectrum_marker(HEADER, AZIMUTHS, np.zeros(72), 1.0).ns,) == spectrum.NAMESPACES
    assert {m.ns for m in array_markers('head', ARRAY, 1.0)[1:]} == set(array_model.NAMESPACES)
