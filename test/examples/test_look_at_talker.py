# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A head that follows trajectories, on a body that stands still."""

import numpy as np
import pytest

pytest.importorskip('trajectory_msgs', reason='the messages of trajectories come with ROS')

from sensor_msgs.msg import JointState  # noqa: E402
from trajectory_msgs.msg import JointTrajectory  # noqa: E402

STEP = 0.05
JOINTS = ['head_tilt_joint', 'head_pan_joint']
PAN_MAX, TILT_MAX, RATE_MAX, DEADBAND = 1.3, 0.5, 1.5, 0.1


class Head:
    """Does what a joint_trajectory_controller does with trajectories of one point."""

    def __init__(self, world, trajectories):
        # Tilt and pan, as the joints have been named [rad].
        self.there = np.zeros(2)
        self._world, self._trajectories = world, trajectories
        self._left = 0.0

    def live(self, steps, *tracks, age=0.1):
        """Let time go by in which tracks are published; return the trajectories."""
        before = len(self._trajectories)
        for _ in range(steps):
            self._world.advance()
            state = JointState(header=self._world.header(), name=['wheel', *JOINTS])
            state.position = [7.0, *self.there.tolist()]
            self._world.publish(state, 'joint_states')
            self._world.hear(*tracks, age=age)
            for trajectory in self._world.answer(self._trajectories):
                (point,) = trajectory.points
                wanted = dict(zip(trajectory.joint_names, point.positions, strict=True))
                self._wanted = np.array([wanted[name] for name in JOINTS])
                self._left = point.time_from_start.nanosec * 1e-9
            if self._left > 0:
                self.there += (self._wanted - self.there) * min(STEP / self._left, 1.0)
                self._left -= STEP
        return self._trajectories[before:]


@pytest.fixture(scope='module')
def head(stage):
    run, listener, world = stage
    trajectories = listener.collect(JointTrajectory, 'head_controller/joint_trajectory')
    run('look_at_talker')
    return Head(world, trajectories)


@pytest.fixture
def at_rest(head, make_track):
    """Return the head, which looks ahead."""
    head.live(60, make_track(azimuth=0.0, elevation=0.0))
    head.live(10)
    np.testing.assert_allclose(head.there, 0, atol=DEADBAND)
    return head


def test_it_looks_at_the_talker_and_then_rests(at_rest, make_track):
    before = at_rest.there.copy()
    path = [before]
    for _ in range(40):
        at_rest.live(1, make_track(azimuth=1.0, elevation=0.3))
        path.append(at_rest.there.copy())
    # Up is negative for a joint that turns about y.
    np.testing.assert_allclose(at_rest.there, [-0.3, 1.0], atol=DEADBAND)
    assert np.abs(np.diff(path, axis=0)).max() <= RATE_MAX * STEP * 1.01
    assert not at_rest.live(10, make_track(azimuth=1.0 + DEADBAND / 2, elevation=0.3))


def test_it_looks_as_near_as_it_can_and_does_not_swing(at_rest, make_track):
    at_rest.live(60, make_track(azimuth=2.0, elevation=1.2))
    np.testing.assert_allclose(at_rest.there, [-TILT_MAX, PAN_MAX], atol=DEADBAND)
    # Behind, left and right are the same.
    assert not at_rest.live(10, make_track(azimuth=-3.1, elevation=1.2))


def test_an_elevation_that_is_not_known_is_that_of_the_plane(at_rest, make_track):
    at_rest.live(40, make_track(azimuth=0.5, elevation=np.nan, elevation_rate=np.nan))
    np.testing.assert_allclose(at_rest.there, [0.0, 0.5], atol=DEADBAND)


def test_it_stops_when_tracks_end_or_come_late(at_rest, make_track):
    talker = make_track(azimuth=1.3, elevation=0.0)
    at_rest.live(4, talker)
    # What is left of the last trajectory.
    assert not at_rest.live(1)
    assert not at_rest.live(20, talker, age=1.0)
    assert at_rest.there[1] < 1.0


def test_without_joint_states_it_does_not_move(at_rest, stage, make_track):
    _, _, world = stage
    for _ in range(10):
        world.advance(0.1)
        world.hear(make_track(azimuth=1.3, elevation=0.0))
        late = world.answer(at_rest._trajectories)
    assert not late
