# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is visible in RViz while the node doa_markers runs."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from visualization_msgs.msg import Marker, MarkerArray

from doa_ros.conversions.audio import make_header
from doa_ros.conversions.directions import (
    estimate_array,
    spectrum_message,
    track_array,
)
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.spectrum import MultiSourceSpectrum
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaEstimateArray, DoaSpectrum, DoaTrackArray

_ROOT = Path(__file__).resolve().parents[2]
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
HOP_NS = 50_000_000
START = 1_700_000_000 * NANOSECONDS
FRAME = 'head_mics'


pytest.importorskip('matplotlib', reason='RViz is stood in for by a script that draws with it')
_SPEC = importlib.util.spec_from_file_location('draw_markers', _ROOT / 'scripts/draw_markers.py')
draw_markers = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(draw_markers)


class Screen:
    """What RViz shows of the messages of a topic."""

    def __init__(self, messages):
        self._messages = messages

    @property
    def visible(self):
        """The markers that are visible after the last message, by namespace and id."""
        shown = draw_markers.Shown()
        for message in list(self._messages):
            shown.take(message)
        return shown.visible

    def ids(self, namespace):
        return {number for name, number in self.visible if name == namespace}


class Robot:
    """The other nodes, and RViz."""

    def __init__(self, start, listener, array, make_track):
        self.listener, self._make_track = listener, make_track
        self.process = start('doa_markers')
        self.messages = listener.collect(MarkerArray, 'markers')
        self.screen = Screen(self.messages)
        self.array = array
        self.array_messages = listener.collect(MarkerArray, 'array_markers', _LATCHED)
        self.array_screen = Screen(self.array_messages)
        node = listener.node
        self._estimates = node.create_publisher(DoaEstimateArray, 'estimates', 10)
        self._tracks = node.create_publisher(DoaTrackArray, 'tracks', 10)
        self._spectra = node.create_publisher(DoaSpectrum, 'spectrum', 10)
        listener.publish_array(array, FRAME)
        for topic in ('estimates', 'tracks'):
            listener.wait_for_subscriber(topic)
        listener.wait_for_publisher('markers')
        self.latest = START
        self.begin(START)

    def begin(self, stamp):
        """Let the next window have a stamp [ns]."""
        self._steps = itertools.count(stamp, HOP_NS)

    def window(self, tracks=(), estimates=0, frame_id=FRAME):
        """Publish one window."""
        self.latest = next(self._steps)
        header = make_header(self.latest, frame_id)
        heard = tuple(Estimate(0.5 * k, 0.2, 0.1, 0.1, 0.8) for k in range(estimates))
        self._estimates.publish(estimate_array(header, WindowDirections(heard, 0.1, 0.05)))
        self._tracks.publish(track_array(header, [self._make_track(k) for k in tracks]))
        grid = DirectionGrid(72, 1)
        spectrum = MultiSourceSpectrum(np.full(72, 0.3))
        if self._spectra.get_subscription_count():
            self._spectra.publish(spectrum_message(header, 0.1, spectrum, grid))
        self.listener.spin(0.02)

    def until(self, condition, what, **window):
        """Publish windows until something is visible."""

        def done():
            self.window(**window)
            self.listener.spin(0.1)
            return condition()

        self.listener.spin_until(done, what)


@pytest.fixture(scope='module')
def running(talk, uma8, make_track):
    with talk() as (start, listener):
        robot = Robot(start, listener, uma8, make_track)
        yield robot
        assert robot.process.stop() == 0
        assert 'Traceback' not in robot.process.output


@pytest.fixture
def robot(running):
    """Return the robot when nothing is heard and nothing is visible."""
    running.begin(running.latest + 10 * NANOSECONDS)
    running.until(lambda: not running.screen.ids('estimates'), 'silence')
    del running.messages[:]
    return running


def test_what_ends_is_deleted(robot):
    def shown(tracks, estimates):
        of_tracks = [robot.screen.ids(n) for n in ('tracks', 'labels', 'uncertainty', 'trails')]
        return of_tracks == [tracks] * 4 and robot.screen.ids('estimates') == estimates

    robot.until(lambda: shown({1, 2}, {0, 1}), 'two tracks', tracks=[1, 2], estimates=2)
    robot.until(lambda: shown({2}, {0}), 'an end', tracks=[2], estimates=1)
    robot.until(lambda: shown(set(), set()), 'the end of all')
    deleted = [m for a in robot.messages for m in a.markers if m.action == Marker.DELETE]
    assert {(m.ns, m.id) for m in deleted} >= {
        *itertools.product(['tracks', 'labels', 'uncertainty', 'trails'], [1, 2]),
        *itertools.product(['estimates'], [0, 1]),
    }


def test_what_moves_vanishes_when_nothing_comes_any_more(robot):
    robot.until(lambda: robot.screen.ids('tracks'), 'a track', tracks=[1], estimates=1)
    moving = [m for a in robot.messages for m in a.markers if m.action == Marker.ADD]
    assert {(m.lifetime.sec, m.lifetime.nanosec) for m in moving} == {(0, NANOSECONDS // 2)}


def test_nothing_stays_from_before_the_clock_was_set_back(robot):
    screen = robot.screen
    robot.until(lambda: screen.ids('trails') == {1}, 'a track', tracks=[1], estimates=2)
    robot.listener.spin_until(lambda: robot.array_messages, 'the array')
    before = len(robot.array_messages)
    robot.begin(robot.latest - 3600 * NANOSECONDS)
    robot.until(lambda: screen.ids('tracks') == {5}, 'another track', tracks=[5])
    assert screen.ids('labels') == {5}
    robot.until(lambda: screen.ids('spectrum') == {0}, 'the ring', tracks=[5])
    assert screen.ids('estimates') == set()
    trail = screen.visible.get(('trails', 5))
    assert trail is None or len(trail.points) < 10
    cleared = [m for a in robot.messages for m in a.markers if m.action == Marker.DELETEALL]
    assert len(cleared) == 1
    # RViz forgets all that it has got.
    robot.until(lambda: len(robot.array_messages) == before + 1, 'the array again')


def test_a_window_with_a_smaller_stamp_clears_nothing(robot):
    robot.until(lambda: robot.screen.ids('tracks') == {1}, 'a track', tracks=[1])
    robot.begin(robot.latest - NANOSECONDS // 2)
    for _ in range(5):
        robot.window(tracks=[1])
    robot.listener.spin(0.5)
    assert not [m for a in robot.messages for m in a.markers if m.action == Marker.DELETEALL]


def test_the_array_comes_once_and_to_late_subscribers(robot, make_array):
    robot.until(lambda: robot.array_screen.ids('channels') == set(range(6)), 'the array')
    before = len(robot.array_messages)
    for _ in range(10):
        robot.window(tracks=[1])
    late = robot.listener.collect(MarkerArray, 'array_markers', _LATCHED)
    robot.listener.spin_until(lambda: late, 'the array for who comes late')
    assert len(robot.array_messages) == before
    assert late == robot.array_messages[-1:]
    assert {m.header.frame_id for m in late[0].markers} == {FRAME}
    square = make_array(np.array([[1, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0]]) * 0.03)
    robot.listener.publish_array(square, FRAME)
    robot.until(lambda: robot.array_screen.ids('channels') == set(range(4)), 'another array')
    robot.listener.publish_array(robot.array, FRAME)
    robot.until(lambda: robot.array_screen.ids('channels') == set(range(6)), 'the first array')


def test_markers_have_the_frame_of_what_they_show(robot):
    robot.until(lambda: robot.screen.ids('tracks'), 'a track', tracks=[1], estimates=1)
    assert {m.header.frame_id for m in robot.messages[-1].markers} == {FRAME}
    frames = []

    def moved():
        frames[:] = {m.header.frame_id for m in robot.array_screen.visible.values()}
        return frames == ['torso_mics']

    new = {'tracks': [1], 'estimates': 1, 'frame_id': 'torso_mics'}
    robot.until(moved, 'another frame', **new)

    def all_moved():
        return {m.header.frame_id for m in robot.screen.visible.values()} == {'torso_mics'}

    robot.until(all_moved, 'all in the other frame', **new)


def test_the_dial_follows_the_length_of_an_arrow(robot):
    robot.until(lambda: robot.array_messages, 'the array')
    before = len(robot.array_messages)
    assert robot.listener.set('doa_markers', 'markers.arrow_length', 3.0)[0]
    robot.until(lambda: len(robot.array_messages) > before, 'a larger dial')
    small, large = ({(m.ns, m.id): m for m in a.markers} for a in robot.array_messages[-2:])
    assert robot.listener.set('doa_markers', 'markers.arrow_length', 1.0)[0]
    assert large['dial', 0].points[0].x == pytest.approx(3 * small['dial', 0].points[0].x)
    assert large['microphones', 0] == small['microphones', 0]


def test_spectra_are_asked_for_only_while_somebody_looks(robot):
    node = robot.listener.node

    def wanted():
        return node.count_subscribers('spectrum')

    robot.until(lambda: robot.screen.ids('spectrum') == {0}, 'the ring', tracks=[1])
    assert wanted() == 1

    def at_once():
        kinds = [{m.ns for m in message.markers} for message in robot.messages]
        return any({'spectrum', 'tracks', 'estimates'} <= kind for kind in kinds)

    robot.until(at_once, 'all of a window', tracks=[1], estimates=1)
    (subscription,) = [s for s in node.subscriptions if s.topic_name.endswith('/markers')]
    node.destroy_subscription(subscription)
    robot.until(lambda: wanted() == 0, 'no need of spectra')
    del robot.messages[:]
    robot.listener.node.create_subscription(MarkerArray, 'markers', robot.messages.append, 10)
    robot.until(lambda: robot.screen.ids('spectrum') == {0}, 'the ring again', tracks=[1])
    assert wanted() == 1


def test_all_that_is_visible_can_be_drawn(robot):
    robot.until(lambda: robot.screen.ids('trails') == {1}, 'a track', tracks=[1], estimates=1)
    robot.until(lambda: robot.screen.ids('spectrum'), 'the ring', tracks=[1], estimates=1)
    markers = [*robot.array_screen.visible.values(), *robot.screen.visible.values()]
    camera = draw_markers.Camera(yaw=np.pi, pitch=1.0, distance=3.2)
    figure = draw_markers.picture(markers, camera, '#303030')
    whole, detail = (axes.collections[0] for axes in figure.axes)
    assert len(whole.get_paths()) > len(detail.get_paths()) > 6
    # Seen from behind and above, what is ahead is at the top and what is left is left.
    ahead, left = camera.project(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))[0]
    assert ahead == pytest.approx([0.0, ahead[1]])
    assert ahead[1] > 0
    assert left[0] < 0
    assert left[1] == pytest.approx(0.0)
    with pytest.raises(NotImplementedError, match='type 10 cannot be drawn'):
        draw_markers.picture([Marker(type=Marker.MESH_RESOURCE)], camera, '#303030')


def test_ten_windows_a_second_are_shown(robot):
    robot.until(lambda: robot.screen.ids('estimates'), 'the arrow', estimates=1)
    robot.messages.clear()
    for _ in range(20):
        robot.window(tracks=[1], estimates=1)
    robot.listener.spin(0.5)
    stamps = [stamp_of(m.markers[0].header) for m in robot.messages]
    assert 9 <= len(stamps) <= 11
    assert set(np.diff(stamps)) == {2 * HOP_NS}
