# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How directions look in RViz."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from visualization_msgs.msg import Marker, MarkerArray

from doa_ros.conversions.audio import make_header
from doa_ros.core.ambiguity import ambiguity_in_frame
from doa_ros.core.array_file import load_array
from doa_ros.core.geometry import unit_vector
from doa_ros.core.localization.decoding import Estimate
from doa_ros.markers import estimate_markers, track_markers
from doa_ros.resources import find_resource

ARRAY = load_array(find_resource('arrays', 'uma8'))
HEADER = make_header(1_700_000_000_123_456_789, 'mic_array')
UPRIGHT = np.array([[0, 0.03, 0.03], [0, -0.03, 0.03], [0, -0.03, -0.03], [0, 0.03, -0.03]])
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
    assert {marker.ns for marker in markers} <= {'doa'}
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


def test_trails_fade_and_end(make_track):
    walker = [make_track(4, azimuth=0.1 * k) for k in range(5)]
    trails = {4: walker, 7: [make_track(7, predicted=True)]}
    markers = _over_the_wire(track_markers(HEADER, trails, {2}, 2.0))
    shown = {(m.ns, m.id): m for m in markers}
    assert set(shown) == {
        *itertools.product(['tracks', 'labels', 'trails'], [4, 2]),
        *itertools.product(['tracks', 'labels'], [7]),
    }
    assert {number for (_, number), m in shown.items() if m.action == Marker.DELETE} == {2}
    assert shown['tracks', 7].color.a < shown['tracks', 4].color.a == 1
    trail = shown['trails', 4]
    ends = [[p.x, p.y, p.z] for p in trail.points]
    # Of confidence 0.75.
    expected = 2.0 * (0.3 + 0.7 * 0.75) * unit_vector(0.1 * np.arange(5), 0.5)
    np.testing.assert_allclose(ends, expected, atol=1e-9)
    assert [c.a for c in trail.colors] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_trail_is_where_the_tip_of_the_arrow_was(make_track):
    confidences = [0.9, 0.5, 0.1]
    trail = [make_track(4, azimuth=0.2 * k, confidence=c) for k, c in enumerate(confidences)]
    markers = track_markers(HEADER, {4: trail}, (), 2.0)
    shown = {m.ns: m for m in markers}
    reached = [math.hypot(p.x, p.y, p.z) for p in shown['trails'].points]
    assert reached == pytest.approx([2.0 * (0.3 + 0.7 * c) for c in confidences])
    assert reached[-1] == pytest.approx(shown['tracks'].scale.x)


def test_a_label_names_a_track_at_the_tip_of_its_arrow(make_track):
    track = make_track(2**31 + 5, azimuth=math.radians(-120.4), elevation=0.3)
    markers = _over_the_wire(track_markers(HEADER, {track.id: [track]}, (), 1.0))
    label = next(m for m in markers if m.ns == 'labels')
    assert label.text == f'{track.id}: -120 deg'
    assert label.type == Marker.TEXT_VIEW_FACING
    p = label.pose.position
    towards = np.array([p.x, p.y, p.z])
    arrow = next(m for m in markers if m.ns == 'tracks')
    assert arrow.scale.x < np.linalg.norm(towards) < arrow.scale.x + 0.2
    expected = unit_vector(track.azimuth, track.elevation)
    np.testing.assert_allclose(towards / np.linalg.norm(towards), expected, atol=1e-9)
    assert len({m.id for m in markers}) == 1
