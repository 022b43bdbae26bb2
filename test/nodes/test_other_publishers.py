# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Two systems in one namespace, whose topics would mix without a word."""

from contextlib import closing
from types import SimpleNamespace

import pytest
import rclpy
from std_msgs.msg import String

from doa_ros.core.monitoring import Level
from doa_ros.nodes import diagnostics
from doa_ros.nodes.diagnostics import Diagnostics
from doa_ros.nodes.publishing_thread import PublishingThread

LINGERING = 1.0


@pytest.fixture
def warnings():
    """What the node has logged."""
    return []


@pytest.fixture
def system(monkeypatch, namespace, listener, warnings):
    """A node that publishes, and what it says of other publishers."""
    monkeypatch.setattr(diagnostics, '_LINGERING', LINGERING)
    monkeypatch.setattr(diagnostics, '_ASKING_PERIOD', 0.0)
    context = rclpy.Context()
    context.init()
    node = rclpy.create_node('ours', namespace=namespace, context=context)
    # Where a context of this process has ended before, ROS may log nothing any more.
    logger = SimpleNamespace(warning=lambda sentence, **_: warnings.append(sentence))
    monkeypatch.setattr(node, 'get_logger', lambda: logger)
    with closing(PublishingThread()) as publishing:
        health = Diagnostics(node, publishing, 'fine')
        for name in ('first', 'second'):
            publishing.topic(node, String, name, 10, health.note_publishing)
        yield diagnostics._OtherPublishers(node).status
    node.destroy_node()
    context.try_shutdown()


def _see(listener, status, seconds):
    """Ask for the status as often as the node does, or more; return all answers."""
    found = []
    for _ in range(round(seconds / 0.1)):
        listener.spin(0.1)
        found.append(status())
    return found


def test_somebody_else_is_told_of_while_they_are_there(system, listener, namespace, warnings):
    assert {s.level for s in _see(listener, system, 1.5)} == {Level.OK}
    stranger = listener.node.create_publisher(String, 'second', 10)
    listener.wait_for_publisher('second', 2)
    found = _see(listener, system, 3 * LINGERING)
    assert found[0].level == Level.OK
    assert found[-1].level == Level.WARN
    sentence = (
        f'another node publishes on {namespace}/second, too: give every array a namespace of '
        'its own'
    )
    assert found[-1].message == sentence
    listener.node.destroy_publisher(stranger)
    assert _see(listener, system, 2.0)[-1].level == Level.OK
    assert warnings == [sentence]


def test_who_has_just_gone_is_nobody_else(system, listener):
    """What a killed process published on lingers for a while."""
    stranger = listener.node.create_publisher(String, 'first', 10)
    listener.wait_for_publisher('first', 2)
    found = _see(listener, system, 0.5 * LINGERING)
    listener.node.destroy_publisher(stranger)
    found += _see(listener, system, 2 * LINGERING)
    assert {s.level for s in found} == {Level.OK}


def test_all_share_what_all_publish_on(system, listener):
    """Every node publishes on /diagnostics, and others may subscribe to anything."""
    listener.node.create_subscription(String, 'first', lambda _: None, 10)
    other = listener.node.create_publisher(diagnostics.DiagnosticArray, '/diagnostics', 1)
    listener.wait_for_publisher('/diagnostics', 2)
    assert {s.level for s in _see(listener, system, 2 * LINGERING)} == {Level.OK}
    listener.node.destroy_publisher(other)
