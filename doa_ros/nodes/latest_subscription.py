# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the nodes take messages: what does not fit, or what there is no time for, is dropped."""

from collections import deque
from collections.abc import Callable, Iterator
import math
import statistics
import time

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
# How long taking a message lasts is known from so many; the first is a guess [s].
_KEPT_DURATIONS = 9
_FIRST_DURATION = 1e-3


class LatestSubscription:
    """Subscribes to a topic.

    Several messages may wait: the node did not get to run, or they were on their way for long.
    All are taken if that is done in a moment, so that nothing is missing; otherwise the newest,
    so that a computer that is too slow is not late for ever. Of what is not played in real time,
    all is taken, and published, too.

    Args:
        node: the subscriber.
        message_type, topic: what it subscribes to; the QoS can be overridden by parameters.
        take: takes a message; may raise MessageError.
        diagnostics: counts what is dropped.
        publishing: publishes what follows from the messages.
        pace: whether it may wait.
        limit: how long it may last to take what waits [s], in real time.
    """

    def __init__(
        self,
        node: Node,
        message_type: type,
        topic: str,
        take: Callable[[object], None],
        diagnostics: Diagnostics,
        publishing: PublishingThread,
        pace: PaceConfig,
        *,
        limit: float,
    ):
        self._take, self._diagnostics = take, diagnostics
        if pace.real_time:
            self._limit, qos = limit, QoSProfile(depth=_DEPTH)
        else:
            self._limit, qos = math.inf, QoSProfile(history=HistoryPolicy.KEEP_ALL)
            publishing.make_lossless()
        self._durations = deque([_FIRST_DURATION], maxlen=_KEPT_DURATIONS)
        with overridable(topic) as options:
            self._subscription = node.create_subscription(
                message_type, topic, self._on_message, qos, qos_overriding_options=options
            )

    def _on_message(self, message) -> None:
        waiting = [message, *self._more()]
        lasts = statistics.median(self._durations)
        affordable = max(self._limit / lasts, 1)
        excess = math.ceil(max(len(waiting) - affordable, 0))
        if excess:
            self._diagnostics.drop_late(excess, len(waiting) * lasts)
        for message in waiting[excess:]:
            start = time.perf_counter()
            with self._diagnostics.dropping():
                self._take(message)
            self._durations.append(time.perf_counter() - start)

    def _more(self) -> Iterator[object]:
        """Yield what else has arrived; the executor would give it one by one."""
        queue, message_type = self._subscription.handle, self._subscription.msg_type
        with queue:
            for _ in range(_MOST):
                taken = queue.take_message(message_type, self._subscription.raw)
                if taken is None:
                    return
                yield taken[0]
