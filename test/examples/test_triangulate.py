# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a talker is, by arrays that stand in a room and by a robot that drives through it."""

import math

from geometry_msgs.msg import PoseWithCovarianceStamped
import numpy as np
import pytest

from doa_ros.core.geometry import wrap_angle
from doa_ros.headers import stamp_of

STDDEV = math.radians(2)
# x, y [m] and yaw [rad].
POSES = {'left': (0.0, 1.0, -0.5), 'right': (0.0, -1.0, 2.5)}
TALKER = (2.0, 0.4)


def _azimuth(pose, place, error=0.0):
    """Return the azimuth of a place in the frame of an array."""
    x, y, yaw = pose
    return wrap_angle(math.atan2(place[1] - y, place[0] - x) - yaw + error)


def _place(message):
    return np.array([message.pose.pose.position.x, message.pose.pose.position.y])


def _plane(message):
    """Return the covariance of x and y."""
    return np.array(message.pose.covariance).reshape(6, 6)[:2, :2]


@pytest.fixture(scope='module')
def arrays(stage):
    """Return the world and the positions of the talker that two arrays hear."""
    run, listener, world = stage
    found = listener.collect(PoseWithCovarianceStamped, 'talker_position')
    keys = {}
    for name, pose in POSES.items():
        keys |= dict(zip((f'{name}.x', f'{name}.y', f'{name}.yaw'), pose, strict=True))
    run('triangulate_from_arrays', frame_id='room', **keys)
    return world, found


def _hear(arrays, make_track, place, errors=(0.0, 0.0), ages=(0.1, 0.12)):
    """Let both arrays hear a talker at a place; return the positions."""
    world, found = arrays
    count = len(found)
    world.advance()
    for (name, pose), error, age in zip(POSES.items(), errors, ages, strict=True):
        track = make_track(azimuth=_azimuth(pose, place, error), azimuth_stddev=STDDEV)
        world.hear(track, topic=f'{name}/tracks', age=age)
    world.answer(found, 0.1)
    return found[count:]


def test_two_arrays_tell_where_the_talker_is(arrays, make_track):
    world, _ = arrays
    (message,) = _hear(arrays, make_track, TALKER)
    np.testing.assert_allclose(_place(message), TALKER, atol=1e-6)
    assert message.header.frame_id == 'room'
    assert 0.09 < (world.now - stamp_of(message.header)) * 1e-9 < 0.13
    covariance = np.array(message.pose.covariance).reshape(6, 6)
    np.testing.assert_array_equal(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance)[0] > 0
    # Nobody knows the height, nor where the talker faces.
    assert covariance[2, 2] > 0.3
    assert covariance[5, 5] > 3


def test_it_is_within_0_3_m_and_the_covariance_says_so(arrays, make_track):
    rng = np.random.default_rng(2)
    errors, shares = [], []
    for _ in range(40):
        place = np.array([rng.uniform(0.8, 2.5), rng.uniform(-1, 1)])
        bearings = [_azimuth((*pose[:2], 0.0), place) for pose in POSES.values()]
        assert abs(wrap_angle(bearings[0] - bearings[1])) > math.radians(30)
        (message,) = _hear(arrays, make_track, place, rng.normal(0, STDDEV, 2))
        error = _place(message) - place
        errors.append(np.linalg.norm(error))
        shares.append(error @ np.linalg.solve(_plane(message), error))
    assert np.quantile(errors, 0.9) < 0.3
    assert np.mean(np.array(shares) < 5.99) > 0.8


def test_bearings_that_do_not_belong_together_give_nothing(arrays, make_track):
    # Of different times, of a place behind both arrays, and of one array alone.
    assert not _hear(arrays, make_track, TALKER, ages=(0.1, 0.6))
    assert not _hear(arrays, make_track, TALKER, errors=(1.5, -1.5))
    world, found = arrays
    world.hear(topic='left/tracks')
    world.hear(make_track(), topic='right/tracks')
    assert not world.answer(found, 0.1)


def test_arrays_at_one_place_are_refused(stage):
    run, _, _ = stage
    node = run('triangulate_from_arrays')
    assert node.end() == 1
    assert 'each with a position of its own' in node.output


class Robot:
    """Drives along x with an array ahead of its middle, and listens."""

    ARRAY = (0.2, 0.1, 0.7)

    def __init__(self, stage, make_track):
        nav_msgs = pytest.importorskip('nav_msgs.msg', reason='odometry comes with ROS')
        run, listener, self._world = stage
        self._odometry, self._make_track = nav_msgs.Odometry, make_track
        self.found = listener.collect(PoseWithCovarianceStamped, 'talker_position')
        x, y, yaw = self.ARRAY
        run('triangulate_while_driving', array_x=x, array_y=y, array_yaw=yaw)
        self.x, self._rng = 0.0, np.random.default_rng(3)

    def drive(self, distance, talker, number, yaw=0.0):
        """Drive at 1 m/s, turned by an angle as it drives; return the positions."""
        before = len(self.found)
        ahead, left, mounted = self.ARRAY
        for _ in range(round(distance / 0.05)):
            self._world.advance()
            self.x += 0.05
            message = self._odometry(header=self._world.header('odom'))
            message.pose.pose.position.x = self.x
            message.pose.pose.orientation.z = math.sin(yaw / 2)
            message.pose.pose.orientation.w = math.cos(yaw / 2)
            self._world.publish(message, 'odom')
            # The sound of 0.1 s ago.
            pose = (
                self.x - 0.1 + ahead * math.cos(yaw) - left * math.sin(yaw),
                ahead * math.sin(yaw) + left * math.cos(yaw),
                yaw + mounted,
            )
            error = self._rng.normal(0, STDDEV)
            track = self._make_track(
                number, azimuth=_azimuth(pose, talker, error), azimuth_stddev=STDDEV
            )
            self._world.hear(track, age=0.1)
            self._world.answer(self.found, 0.01)
        return self.found[before:]


@pytest.fixture(scope='module')
def robot(stage, make_track):
    return Robot(stage, make_track)


@pytest.mark.parametrize('yaw', [0.0, 3.0])
def test_a_robot_that_drives_tells_where_the_talker_is(robot, yaw):
    talker = robot.x + 1.0, 2.0
    last = robot.drive(2.5, talker, 1 + int(yaw), yaw)[-1]
    error = _place(last) - talker
    assert np.linalg.norm(error) < 0.3
    assert error @ np.linalg.solve(_plane(last), error) < 13.8
    assert last.header.frame_id == 'odom'


def test_a_talker_who_moves_is_found_anew(robot):
    robot.drive(1.5, (robot.x + 1.0, 2.0), 10)
    talker = robot.x + 1.0, -2.0
    last = robot.drive(3.0, talker, 10)[-1]
    assert np.linalg.norm(_place(last) - talker) < 0.5
