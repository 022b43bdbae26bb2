# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Examples in processes of their own, in a world whose time the test sets."""

import importlib.util
from pathlib import Path

import pytest

if importlib.util.find_spec('rclpy') is None:
    collect_ignore_glob = ['test_*.py']
else:
    from node_fixtures import namespace, points_at, talk  # noqa: F401
    from rosgraph_msgs.msg import Clock

    from doa_ros.conversions.audio import make_header
    from doa_ros.conversions.directions import track_array
    from doa_ros.core.units import NANOSECONDS

EXAMPLES = Path(__file__).resolve().parents[2] / 'examples'
START = 1_700_000_000 * 10**9
# A hop of the tracker [s].
STEP = 0.05


class World:
    """Its clock, and tracks as doa_tracker publishes them.

    Attributes:
        time: since the start [s].
    """

    def __init__(self, listener):
        self.time = 0.0
        self._listener = listener
        self._clock = listener.node.create_publisher(Clock, '/clock', 10)
        self._publishers = {}

    @property
    def now(self):
        return START + round(self.time * NANOSECONDS)

    def header(self, frame_id='mic_array', age=0.0):
        return make_header(self.now - round(age * NANOSECONDS), frame_id)

    def advance(self, seconds=STEP):
        self.time += seconds
        self._clock.publish(Clock(clock=self.header().stamp))

    def publish(self, message, topic):
        """Publish a message as soon as somebody listens."""
        if topic not in self._publishers:
            publisher = self._listener.node.create_publisher(type(message), topic, 10)
            self._publishers[topic] = publisher
        self._listener.spin_until(self._publishers[topic].get_subscription_count, 'a listener')
        self._publishers[topic].publish(message)

    def hear(self, *tracks, topic='doa/tracks', age=0.1):
        """Publish tracks whose sound has an age [s]."""
        self.publish(track_array(self.header(age=age), tracks), topic)

    def answer(self, messages, seconds=0.03):
        """Return the messages that come in response, none at last after a time [s]."""
        count = len(messages)
        self._listener.spin(seconds, until=lambda: len(messages) > count)
        return messages[count:]


@pytest.fixture(scope='module')
def stage(talk):
    """Return a function that runs an example, a listener and a world, for a file of tests.

    The topics of examples are those of a namespace of their own. Settings are parameters, and the
    `arguments` of the command line.
    """
    with talk() as (start, listener):

        def run(name, **settings):
            process = start(EXAMPLES / f'{name}.py', use_sim_time=True, **settings)
            listener.spin_until(
                lambda: name in listener.node.get_node_names() or not process.alive, 'the node'
            )
            return process

        yield run, listener, World(listener)
