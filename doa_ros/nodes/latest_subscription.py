# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the nodes take messages: what does not fit, or what there is no time for, is dropped."""

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
# A sender that floods the topic must not keep this node from working.
_MOST = 100
# To take all that waits may last so long [s]: about as long as a window.
_LIMIT = 0.1
# How long taking a message lasts is known from so many; at first it is guessed twice [s], so that
# the first message, for which much is loaded, does not count alone.
_KEPT_DURATIONS = 9
_FIRST_DURATION = 1e-3


class LatestSubscription:
    """Subscribes to a topic; messages wait until `start`.

    Several messages may wait later, too: the node did not get to run, or they were on their way
    for long. All are taken if that is done in a moment, so that nothing is missing; otherwise the
    newest, so that a computer that is too slow is not late for ever. Of what is not played in real
    time, all is taken, and published, too.

    Args:
        node: the subscriber.
        message_type, topic: what it subscribes to; the QoS can be overridden by parameters.
        take: takes a message; may raise MessageError.
        diagnostics: counts what is dropped.
        publishing: publishes what follows from the messages.
        pace: whether it may wait.
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
