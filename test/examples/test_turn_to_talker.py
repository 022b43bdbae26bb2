# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A base that turns on the spot, and talkers beside it."""

import math
import signal

from geometry_msgs.msg import Twist
import numpy as np
import pytest

from doa_ros.core.geometry import wrap_angle

STEP = 0.05
# The sound of tracks is so old [steps].
AGE = 2
DEADBAND, RATE_MAX, ACCELERATION_MAX = 0.2, 1.0, 2.0
# How the array is mounted [rad].
YAW = 1.0


class Base:
    """Turns as it was told last, and stays where it is."""

    def __init__(self, world, twists, make_track):
        self.heading = 0.0
        self._world, self._twists, self._make_track = world, twists, make_track
        self._headings = [0.0] * (AGE + 1)

    @property
    def rate(self):
        return self._twists[-1].angular.z if self._twists else 0.0

    def ahead(self, angle):
        """Return the azimuth in the world of what is at an angle from ahead."""
        return wrap_angle(self.heading + angle)

    def angle_to(self, azimuth):
        return wrap_angle(azimuth - self.heading)

    def live(self, steps, talkers, age=AGE * STEP):
        """Let time go by in which talkers are heard.

        `talkers` are their azimuths in the world [rad] by the ids of their tracks, most confident
        first.
        """
        for _ in range(steps):
            self._world.advance()
            mounted = self._headings[-1 - AGE] + YAW
            self._world.hear(
                *(
                    self._make_track(number, azimuth=wrap_angle(azimuth - mounted))
                    for number, azimuth in talkers.items()
                ),
                age=age,
            )
            self._world.answer(self._twists)
            self.heading += STEP * self.rate
            self._headings.append(self.heading)


@pytest.fixture(scope='module')
def turning(stage, make_track):
    """Return the process, the base and what it is told."""
    run, listener, world = stage
    twists = listener.collect(Twist, 'cmd_vel')
    node = run('turn_to_talker', array_yaw=YAW)
    return node, Base(world, twists, make_track), twists


@pytest.fixture
def base(turning):
    """Return the base, standing still."""
    _, base, _ = turning
    base.live(25, {})
    assert base.rate == 0
    return base


def test_it_turns_to_the_talker_and_stands_still(base, turning):
    _, _, twists = turning
    talker = base.ahead(2.5)
    del twists[:]
    base.live(100, {1: talker})
    assert abs(base.angle_to(talker)) < DEADBAND
    assert base.rate == 0
    rates = np.array([0.0, *(t.angular.z for t in twists)])
    assert rates.max() == pytest.approx(RATE_MAX)
    assert rates.min() > -0.1
    assert np.abs(np.diff(rates)).max() <= ACCELERATION_MAX * STEP + 1e-6
    # Whoever else drives the base is not disturbed.
    said = len(twists)
    base.live(10, {1: base.ahead(0.9 * DEADBAND)})
    assert len(twists) == said


def test_it_stays_with_the_talker_it_has_turned_to(base):
    talker, other = base.ahead(1.0), base.ahead(-1.0)
    base.live(60, {2: talker})
    # Somebody else is more confident now.
    base.live(20, {3: other, 2: talker})
    assert abs(base.angle_to(talker)) < DEADBAND
    base.live(60, {3: other})
    assert abs(base.angle_to(other)) < DEADBAND


def test_it_stops_when_nobody_is_tracked(base):
    talker = base.ahead(2.5)
    base.live(15, {4: talker})
    assert base.rate > 0.5
    base.live(15, {})
    assert base.rate == 0
    assert base.angle_to(talker) > DEADBAND


def test_it_stops_when_tracks_come_late(base):
    talker = base.ahead(2.5)
    base.live(15, {5: talker})
    assert base.rate > 0.5
    base.live(3, {5: talker}, age=1.0)
    assert base.rate == 0


def test_it_stops_when_tracks_come_no_more(base, stage):
    _, listener, world = stage
    base.live(15, {6: base.ahead(2.5)})
    assert base.rate > 0.5
    for _ in range(10):
        world.advance()
        listener.spin(0.01)
    listener.spin_until(lambda: base.rate == 0, 'a stop')


def test_a_message_that_is_not_usable_is_dropped(base, turning):
    node, _, _ = turning
    base.live(1, {7: math.nan})
    node.wait_for('dropped: estimate with azimuth nan')
    base.live(15, {7: base.ahead(2.5)})
    assert base.rate > 0.5


def test_it_stops_when_the_node_ends(base, turning, stage):
    node, _, _ = turning
    _, listener, _ = stage
    base.live(15, {8: base.ahead(2.5)})
    assert base.rate > 0.5
    node.send(signal.SIGTERM)
    listener.spin_until(lambda: base.rate == 0, 'a stop')
    assert node.end() == 0
    assert 'Traceback' not in node.output


def test_a_parameter_out_of_bounds_is_one_sentence(stage):
    run, _, _ = stage
    node = run('turn_to_talker', gain=-1.0)
    assert node.end() == 1
    assert 'parameter gain must be at least 0.0, not -1.0' in node.output
    assert 'Traceback' not in node.output
