# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The tracker through DDS: detections go in at one process, tracks come out in another."""

import copy
import itertools
import math

from geometry_msgs.msg import PoseStamped, Vector3Stamped
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from visualization_msgs.msg import Marker, MarkerArray

from doa_ros.conversions.audio import make_header
from doa_ros.conversions.directions import directions_of, estimate_array, track_array, tracks_of
from doa_ros.core.geometry import unit_vector, wrap_angle
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.tracker import Tracker
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaEstimate, DoaEstimateArray, DoaTrackArray

HOP_NS = 50_000_000
START = 1_700_000_000_000_000_000
AGE = 0.15
_NOTHING = WindowDirections((), 0.1, 0.05)


def _over_the_wire(message):
    """Return a message as it is received."""
    return deserialize_message(serialize_message(message), type(message))


def _windows(count=60):
    """Return messages of two talkers, one of whom walks and falls silent at last."""
    messages = []
    for k in range(count):
        walker = Estimate(wrap_angle(2.8 + 0.6 * (k * 0.05 - 0.2)), 0.4, 0.05, 0.05, 0.95)
        still = Estimate(-1.0, 0.3, 0.05, 0.05, 0.8)
        found = [walker, still] if k < count - 10 else [still]
        header = make_header(START + k * HOP_NS, 'head')
        messages.append(
            _over_the_wire(estimate_array(header, WindowDirections(tuple(found), 0.1, 0.05, AGE)))
        )
    return messages


def _expected(messages):
    """Return what the core makes of messages."""
    tracker = Tracker(TrackerConfig())
    tracks = [
        tracker.update(stamp_of(m.header), directions_of(m).estimates, sound_age=m.sound_age)
        for m in messages
    ]
    return [
        _over_the_wire(track_array(m.header, [t for t in found if t.confirmed]))
        for m, found in zip(messages, tracks, strict=True)
    ]


@pytest.fixture
def tracker(start, listener, uma8):
    """Return the process, what it publishes, and what it listens to."""
    process = start('doa_tracker')
    listener.publish_array(uma8)
    topics = {
        'tracks': listener.collect(DoaTrackArray, 'tracks'),
        'target': listener.collect(PoseStamped, 'target'),
        'target_vector': listener.collect(Vector3Stamped, 'target_vector'),
    }
    publisher = listener.node.create_publisher(DoaEstimateArray, 'detections', 100)
    listener.wait_for_subscriber('detections')
    for topic in topics:
        listener.wait_for_publisher(topic)
    # What is published first may get lost; nothing is heard in it, long before the rest.
    early = iter(range(10_000))

    def wake():
        header = make_header(START - 1_000_000_000_000 + next(early) * HOP_NS, 'head')
        return estimate_array(header, _NOTHING)

    while not topics['tracks']:
        publisher.publish(wake())
        listener.spin(0.2)
    return process, topics, publisher


def _counted(messages):
    """Return tracks with ids that count from 1, as those begin in a block drawn at random."""
    first = min(t.track_id for m in messages for t in m.tracks)
    # What people are shown.
    assert first % 1000 == 1
    counted = copy.deepcopy(messages)
    for message in counted:
        for track in message.tracks:
            track.track_id -= first - 1
    return counted


def _play(listener, tracks, publisher, messages):
    """Publish messages as they would come, rather than as a flood; return the tracks of each."""
    for message in messages:
        publisher.publish(message)
        stamp = stamp_of(message.header)
        listener.spin_until(lambda s=stamp: stamp_of(tracks[-1].header) == s, 'tracks')
    return tracks[-len(messages) :]


def _ids(messages):
    return {t.track_id for m in messages for t in m.tracks}


def test_tracks_are_those_of_the_core(listener, tracker):
    process, topics, publisher = tracker
    messages = _windows()
    found = _counted(_play(listener, topics['tracks'], publisher, messages))
    assert found == _expected(messages)
    last = tracks_of(found[-1])
    assert [(t.id, t.predicted) for t in sorted(last, key=lambda t: t.id)] == [
        (1, True), (2, False),
    ]  # fmt: skip
    assert topics['tracks'][-1].header.frame_id == 'head'
    # Who goes on is the most confident in the end.
    assert last[0].id == 2
    assert process.stop() == 0
    assert 'Traceback' not in process.output


def test_the_target_points_to_the_strongest_track(listener, tracker):
    process, topics, publisher = tracker
    messages = _windows()
    found = _play(listener, topics['tracks'], publisher, messages)
    wanted = {stamp_of(m.header): m.tracks[0].estimate for m in found if m.tracks}
    assert 40 < len(wanted) < 60
    listener.spin_until(lambda: len(topics['target']) >= len(wanted), 'all targets')
    # Only while there is one.
    assert [stamp_of(m.header) for m in topics['target']] == list(wanted)
    for message in topics['target']:
        estimate = wanted[stamp_of(message.header)]
        q = message.pose.orientation
        axis = [
            1 - 2 * (q.y**2 + q.z**2),
            2 * (q.x * q.y + q.z * q.w),
            2 * (q.x * q.z - q.y * q.w),
        ]
        towards = unit_vector(estimate.azimuth, estimate.elevation)
        np.testing.assert_allclose(axis, towards, atol=1e-9)
        assert message.header.frame_id == 'head'
        p = message.pose.position
        assert (p.x, p.y, p.z) == (0, 0, 0)
    listener.spin_until(lambda: len(topics['target_vector']) > 40, 'vectors')
    for message in topics['target_vector']:
        estimate = wanted[stamp_of(message.header)]
        v = message.vector
        towards = unit_vector(estimate.azimuth, estimate.elevation)
        np.testing.assert_allclose([v.x, v.y, v.z], towards, atol=1e-9)


def test_who_falls_silent_is_left_out_and_comes_back_with_the_same_id(listener, tracker):
    """A talker speaks for 1 s, pauses for 1.5 s and goes on."""
    _, topics, publisher = tracker
    talker = Estimate(1.0, 0.3, 0.05, 0.05, 0.9)
    messages = [
        estimate_array(
            make_header(START + k * HOP_NS, 'head'),
            WindowDirections((talker,) if k < 20 or k >= 50 else (), 0.1, 0.05, AGE),
        )
        for k in range(60)
    ]
    found = _play(listener, topics['tracks'], publisher, messages)
    # Heard last in window 19; 10 windows are predicted.
    predicted = [[t.predicted for t in m.tracks] for m in found]
    assert predicted[10:] == [[False]] * 10 + [[True]] * 10 + [[]] * 20 + [[False]] * 10
    assert len(_ids(found)) == 1
    wanted = [stamp_of(m.header) for m in found if m.tracks]
    listener.spin_until(lambda: len(topics['target']) >= len(wanted), 'all targets')
    assert [stamp_of(m.header) for m in topics['target']] == wanted


def test_a_replay_gives_the_same(listener, tracker):
    process, topics, publisher = tracker
    messages = _windows()
    first = _play(listener, topics['tracks'], publisher, messages)
    # The first message from the past may be a late one, the second is not.
    publisher.publish(messages[0])
    second = _play(listener, topics['tracks'], publisher, messages[1:])
    first, second = (_counted([*first, *second])[k * len(first) :][: len(first)] for k in (0, 1))
    assert _ids(first) == {1, 2}
    assert _ids(second) == {3, 4}
    again = _expected(messages[1:])
    for message in again:
        for track in message.tracks:
            track.track_id += 2
    assert second == again


def test_ids_do_not_come_again_after_a_restart(start, listener, tracker):
    process, topics, publisher = tracker
    before = _ids(_play(listener, topics['tracks'], publisher, _windows()))
    assert process.stop() == 0
    listener.spin_until(lambda: not listener.node.count_subscribers('detections'), 'the end')
    start('doa_tracker')
    listener.wait_for_subscriber('detections')
    listener.wait_for_publisher('tracks')
    del topics['tracks'][:]
    early = iter(range(1000))
    listener.publish_until(
        lambda: topics['tracks'],
        publisher,
        lambda: estimate_array(make_header(next(early) * HOP_NS, 'head'), _NOTHING),
        'tracks of the second run',
    )
    after = _ids(_play(listener, topics['tracks'], publisher, _windows()))
    assert len(before) == len(after) == 2
    assert not before & after


def test_bad_estimates_are_dropped(listener, tracker):
    process, topics, publisher = tracker
    header = make_header(START, 'head')
    for bad in (
        DoaEstimateArray(header=header, hop=0.05, estimates=[DoaEstimate(azimuth=math.nan)]),
        DoaEstimateArray(header=header, hop=0.05, estimates=[DoaEstimate()] * 1000),
        DoaEstimateArray(header=header, hop=0.05, sound_age=math.inf),
        DoaEstimateArray(header=header, hop=0.05, sound_age=-1.0),
        DoaEstimateArray(hop=0.05, estimates=[DoaEstimate(confidence=1.0)]),
        DoaEstimateArray(header=header),
    ):
        publisher.publish(bad)
    process.wait_for('dropped: ')
    messages = _windows()[1:]
    _play(listener, topics['tracks'], publisher, messages)
    assert len(topics['tracks'][-1].tracks) == 2
    assert process.alive


def test_a_late_message_does_not_end_tracks(listener, tracker):
    process, topics, publisher = tracker
    messages = _windows()
    _play(listener, topics['tracks'], publisher, messages[:30])
    publisher.publish(messages[25])
    found = _play(listener, topics['tracks'], publisher, messages[30:40])
    assert _ids(_counted(found)) == {1, 2}
    process.wait_for('dropped: ')


def test_markers_show_tracks_in_colours_of_their_own(start, listener, uma8):
    start('doa_markers')
    listener.publish_array(uma8)
    markers = listener.collect(MarkerArray, 'markers')
    publisher = listener.node.create_publisher(DoaTrackArray, 'tracks', 100)
    listener.wait_for_subscriber('tracks')
    listener.wait_for_publisher('markers')
    messages = [m for m in _expected(_windows()) if len(m.tracks) == 2]
    for message in messages:
        publisher.publish(message)
        listener.spin(0.05)
    later = itertools.count(START + 10**10, HOP_NS)

    def ended():
        return DoaTrackArray(header=make_header(next(later), 'head'))

    def shown():
        return [m for message in markers for m in message.markers]

    listener.publish_until(
        lambda: any(m.action == Marker.DELETE for m in shown()), publisher, ended, 'the end'
    )
    arrows = [m for m in shown() if (m.ns, m.action) == ('tracks', Marker.ADD)]
    assert {m.id for m in arrows} == {1, 2}
    colours = {m.id: (m.color.r, m.color.g, m.color.b) for m in arrows}
    assert colours[1] != colours[2]
    trails = [m for m in shown() if (m.ns, m.action) == ('trails', Marker.ADD)]
    assert {m.id for m in trails} == {1, 2}
    longest = max(trails, key=lambda m: len(m.points))
    assert len(longest.points) == len(longest.colors) > 10
    assert np.all(np.diff([c.a for c in longest.colors]) > 0)
    gone = {(m.ns, m.id) for m in shown() if m.action == Marker.DELETE}
    parts = ('tracks', 'labels', 'uncertainty', 'trails')
    assert gone == {(part, number) for part in parts for number in (1, 2)}


def test_markers_of_a_window_come_in_one_message(start, listener, recording):
    markers = listener.collect(MarkerArray, 'markers')
    source = {'source': 'file', 'file': str(recording), 'loop': True}
    start('doa_pipeline', method='srp_phat', sensitivity=1.0, **source)

    def both():
        kinds = [{m.ns for m in message.markers} for message in markers]
        return sum({'estimates', 'tracks', 'labels', 'spectrum'} <= kind for kind in kinds) > 20

    listener.spin_until(both, 'estimates and tracks')
    stamps = [{stamp_of(m.header) for m in message.markers} for message in markers]
    assert all(len(stamp) == 1 for stamp in stamps)
    assert len(set.union(*stamps)) == len(stamps)


@pytest.mark.parametrize('mode', ['pipeline', 'nodes'])
def test_a_recording_gets_a_track(play_again_and_again, listener, mode):
    tracks = listener.collect(DoaTrackArray, 'tracks')
    play_again_and_again(mode, 'doa_tracker')
    listener.spin_until(lambda: sum(bool(m.tracks) for m in tracks) > 20, 'tracks')
    azimuths = [t.estimate.azimuth for m in tracks for t in m.tracks if not t.predicted]
    # Where the recording comes from.
    assert abs(wrap_angle(np.median(azimuths) - np.radians(70))) < np.radians(5)
