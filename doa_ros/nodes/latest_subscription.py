# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the nodes take messages, and drop those that are not valid or come faster than they work."""

from collections import deque
from collections.abc import Callable, Iterator
import math
import statistics
import time
from typing import Any

from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile

from doa_ros.nodes.configs import PaceConfig
from doa_ros.nodes.diagnostics import Diagnostics
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.qos import overridable

# More than a second of all but the shortest frames of audio.
_DEPTH = 100
# Messages that are fetched at once: a sender that floods the topic must not keep this node from
# working.
_MOST = 100
# All messages that wait are taken if that lasts no longer than this [s]: about a window.
_LIMIT = 0.1
# How long taking a message lasts is the median of so many. It begins with two guesses [s], so that
# the first message, for which much is loaded, does not count alone.
_KEPT_DURATIONS = 9
_FIRST_DURATION = 1e-3


class LatestSubscription:
    """Subscribes to a topic; messages wait until `start`.

    Several messages may wait later, too: the node did not get to run, or DDS held them up. All are
    taken if that takes no longer than about a window, so that nothing is missing. Otherwise only
    the newest are, so that a computer that is too slow does not fall behind more and more. If the
    sound is not played in real time, all messages are taken, and all that follows is published.

    Args:
        node: the subscriber.
        message_type, topic: what it subscribes to; parameters can override the QoS.
        take: takes a message; may raise MessageError, and the message is dropped.
        diagnostics: counts the messages that are dropped.
        publishing: publishes what follows from the messages.
        pace: whether the sound is played in real time.

    Raises:
        ConfigError: a parameter gives a QoS that ROS does not know.
    """

    def __init__(
        self,
        node: Node,
        message_type: type,
        topic: str,
        take: Callable[[Any], None],
        diagnostics: Diagnostics,
        publishing: PublishingThread,
        pace: PaceConfig,
    ):
        self._take, self._diagnostics = take, diagnostics
        self._started = False
        self._waiting: deque[Any] = deque()
        if pace.real_time:
            self._limit, qos = _LIMIT, QoSProfile(depth=_DEPTH)
        else:
            self._limit, qos = math.inf, QoSProfile(history=HistoryPolicy.KEEP_ALL)
            publishing.make_lossless()
        self._durations = deque(2 * [_FIRST_DURATION], maxlen=_KEPT_DURATIONS)
        with overridable(topic) as options:
            self._subscription = node.create_subscription(
                message_type, topic, self._on_message, qos, qos_overriding_options=options
            )

    def start(self) -> None:
        """Take the messages that wait, and from now on all that come."""
        self._started = True
        self._take_waiting()

    def _on_message(self, message: Any) -> None:
        self._waiting.extend([message, *self._more()])
        if self._started:
            self._take_waiting()
        elif math.isfinite(self._limit):
            while len(self._waiting) > _DEPTH:
                self._waiting.popleft()

    def _take_waiting(self) -> None:
        lasts = statistics.median(self._durations)
        affordable = max(self._limit / lasts, 1)
        count = len(self._waiting)
        excess = math.ceil(max(count - affordable, 0))
        if excess:
            self._diagnostics.drop_late(excess, count * lasts)
        for _ in range(excess):
            self._waiting.popleft()
        while self._waiting:
            start = time.perf_counter()
            with self._diagnostics.dropping():
                self._take(self._waiting.popleft())
            self._durations.append(time.perf_counter() - start)

    def _more(self) -> Iterator[Any]:
        """Yield what else has arrived; the executor would give it one by one."""
        queue, message_type = self._subscription.handle, self._subscription.msg_type
        with queue:
            for _ in range(_MOST):
                taken = queue.take_message(message_type, self._subscription.raw)
                if taken is None:
                    return
                yield taken[0]
