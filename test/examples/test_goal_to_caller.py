# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A goal for each call, as Nav2 takes it."""

import math

from geometry_msgs.msg import PoseStamped
import pytest

from doa_ros.headers import stamp_of

STEP = 0.05


@pytest.fixture(scope='module')
def called(stage):
    """Return the world and the goals."""
    run, listener, world = stage
    goals = listener.collect(PoseStamped, 'goal_pose')
    run('goal_to_caller', distance=2.0)
    world.advance(10.0)
    return world, goals


def _speak(world, goals, track, seconds, **changes):
    """Let a voice be heard for a time; return what goals come of it."""
    before = len(goals)
    for step in range(round(seconds / STEP)):
        world.advance()
        world.hear(track._replace(age=step * STEP, **changes))
        world.answer(goals, 0.02)
    return goals[before:]


@pytest.fixture
def quiet(called):
    """Let the pause between goals go by."""
    world, goals = called
    world.advance(10.0)
    return world, goals


def test_a_call_becomes_one_goal_towards_it(quiet, make_track):
    world, goals = quiet
    caller = make_track(3, azimuth=2.0, elevation=0.6, confidence=0.9)
    (goal,) = _speak(world, goals, caller, 1.5)
    p, q = goal.pose.position, goal.pose.orientation
    assert math.hypot(p.x, p.y) == pytest.approx(2.0)
    assert math.atan2(p.y, p.x) == pytest.approx(2.0)
    # It stands upright on the floor, and faces the caller.
    assert (q.x, q.y, p.z) == (0, 0, 0)
    assert 2 * math.atan2(q.z, q.w) == pytest.approx(2.0)
    # Nav2 looks the transform up at the time of the sound.
    assert goal.header.frame_id == 'mic_array'
    assert 0.5 < (world.now - stamp_of(goal.header)) * 1e-9 < 1.2


def test_who_calls_again_after_the_pause_gets_another_goal(quiet, make_track):
    world, goals = quiet
    caller = make_track(4, confidence=0.9)
    assert len(_speak(world, goals, caller, 1.0)) == 1
    assert not _speak(world, goals, caller, 1.0)
    world.advance(5.0)
    assert len(_speak(world, goals, caller, 1.0)) == 1


@pytest.mark.parametrize(
    'changes', [{'confidence': 0.5}, {'predicted': True}], ids=['doubtful', 'silent']
)
def test_what_is_no_call_becomes_no_goal(quiet, make_track, changes):
    world, goals = quiet
    assert not _speak(world, goals, make_track(5, confidence=0.9)._replace(**changes), 1.0)


def test_late_tracks_become_no_goal(quiet, make_track):
    world, goals = quiet
    for _ in range(10):
        world.advance()
        world.hear(make_track(6, confidence=0.9, age=2.0), age=1.0)
        assert not world.answer(goals, 0.02)
