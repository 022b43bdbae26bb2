# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A base that drives after one of two people."""

import math
import signal

from geometry_msgs.msg import Pose, PoseArray, Twist
import numpy as np
import pytest

from doa_ros.core.geometry import wrap_angle

STEP = 0.1
DISTANCE, SPEED_MAX, ACCELERATION_MAX = 1.2, 0.5, 0.5


class Base:
    """A unicycle that does what it was told last, and sees people."""

    def __init__(self, world, twists, make_track):
        self.x = self.y = self.heading = 0.0
        self._world, self._twists, self._make_track = world, twists, make_track
        self.talker_id = 1

    @property
    def told(self):
        twist = self._twists[-1] if self._twists else Twist()
        return twist.linear.x, twist.angular.z

    @property
    def stands(self):
        return self.told == (0.0, 0.0)

    def seen(self, place):
        """Return a place in the frame of the base."""
        x, y = place[0] - self.x, place[1] - self.y
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        return cos * x + sin * y, cos * y - sin * x

    def distance(self, place):
        return math.dist((self.x, self.y), place)

    def live(self, steps, people, voice=None, age=0.1):
        """Let time go by in which people are seen, in the world, and one of them may be heard."""
        for _ in range(steps):
            self._world.advance(STEP)
            if voice is not None:
                x, y = self.seen(voice)
                # The legs are not quite where the mouth is.
                track = self._make_track(self.talker_id, azimuth=math.atan2(y, x) + 0.1)
                self._world.hear(track)
            else:
                self._world.hear()
            message = PoseArray(header=self._world.header('base_link', age))
            for x, y in map(self.seen, people):
                pose = Pose()
                pose.position.x, pose.position.y = x, y
                message.poses.append(pose)
            self._world.publish(message, 'people')
            self._world.answer(self._twists, 0.02)
            speed, rate = self.told
            self.x += STEP * speed * math.cos(self.heading)
            self.y += STEP * speed * math.sin(self.heading)
            self.heading = wrap_angle(self.heading + STEP * rate)


@pytest.fixture(scope='module')
def following(stage, make_track):
    run, listener, world = stage
    twists = listener.collect(Twist, 'cmd_vel')
    node = run('follow_person')
    return node, Base(world, twists, make_track), twists


@pytest.fixture
def base(following):
    """Return a base that follows nobody."""
    _, base, twists = following
    base.live(2, [])
    assert base.stands
    del twists[:]
    base.x = base.y = base.heading = 0.0
    return base


def test_it_follows_who_has_called_and_not_who_is_near(base, following):
    _, _, twists = following
    near, caller = (1.0, 0.5), (-1.5, 2.0)
    base.live(5, [near, caller])
    # Nobody has called.
    assert not twists
    base.live(5, [near, caller], voice=caller)
    base.live(100, [near, caller])
    assert base.distance(caller) == pytest.approx(DISTANCE, abs=0.2)
    # They walk away, in silence, and past the other one.
    for step in range(100):
        caller = (-1.5, 2.0 + 0.04 * step)
        base.live(1, [caller, near])
    assert base.distance(caller) < DISTANCE + 0.8
    speeds = np.array([0.0, *(t.linear.x for t in twists)])
    assert speeds.min() >= 0
    assert speeds.max() <= SPEED_MAX + 1e-9
    assert np.diff(speeds).max() <= ACCELERATION_MAX * STEP + 1e-6


def test_it_stops_when_the_person_is_lost(base, following):
    _, _, twists = following
    caller, other = (3.0, 0.0), (3.0, 2.0)
    base.live(15, [caller, other], voice=caller)
    assert base.told[0] > 0.3
    base.live(2, [other])
    assert base.stands
    # It does not take somebody else, and says no more.
    said = len(twists)
    base.live(10, [other])
    assert len(twists) == said


def test_it_stops_when_people_come_late_or_not_at_all(base, stage):
    _, listener, world = stage
    caller = (4.0, 0.0)
    base.live(10, [caller], voice=caller)
    assert base.told[0] > 0.3
    base.live(2, [caller], age=1.0)
    assert base.stands
    base.live(10, [caller], voice=caller)
    assert base.told[0] > 0.3
    for _ in range(10):
        world.advance(STEP)
        listener.spin(0.01)
    listener.spin_until(lambda: base.stands, 'a stop')


def test_it_stops_when_the_node_ends(base, following, stage):
    node, _, _ = following
    _, listener, _ = stage
    caller = (4.0, 0.0)
    base.live(10, [caller], voice=caller)
    assert base.told[0] > 0.3
    node.send(signal.SIGINT)
    listener.spin_until(lambda: base.stands, 'a stop')
    assert node.end() == 0
    assert 'Traceback' not in node.output
