# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the nodes take messages: what does not fit or has waited for too long is dropped."""

from collections.abc import Callable, Iterator
import math
import time

from rclpy.node import Node
from rclpy.qos_overriding_options import QoSOverridingOptions

from doa_ros.audio.frame import stamp_of
from doa_ros.audio.source import NANOSECONDS
from doa_ros.core.errors import MessageError
from doa_ros.nodes.diagnostics import Diagnostics

_DEPTH = 10
# A sender that floods the topic must not keep this node from working.
_MOST = 100
# How long, and how often, to wait for what is newer than a message that seems to be old [s].
_MOMENT = 0.02
_MOMENTS = 5


class Inbox:
    """Subscribes to a topic.

    A node that did not get to run finds several messages waiting. It takes up with the newest
    rather than be late from then on, or for as long as the computer is too busy.

    Args:
        node: the subscriber.
        message_type, topic: what it subscribes to; the QoS can be overridden by parameters.
        take: takes a message; may raise MessageError.
        diagnostics: counts what is dropped.
        lasts: returns how much time a message stands for [s].
        limit: a message is dropped when newer ones that stand for more than this wait [s].
    """

    def __init__(
        self,
        node: Node,
        message_type: type,
        topic: str,
        take: Callable[[object], None],
        diagnostics: Diagnostics,
        *,
        lasts: Callable[[object], float],
        limit: float,
    ):
        self._take, self._diagnostics = take, diagnostics
        self._lasts, self._limit = lasts, limit
        self._least_lag = math.inf
        self._subscription = node.create_subscription(
            message_type,
            topic,
            self._on_message,
            _DEPTH,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def _on_message(self, message) -> None:
        waiting = self._gather(message)
        first, newer = len(waiting) - 1, self._lasts(waiting[-1])
        while first > 0 and newer <= self._limit:
            first -= 1
            newer += self._lasts(waiting[first])
        if first:
            self._diagnostics.drop_late(first)
        for message in waiting[first:]:
            try:
                self._take(message)
            except MessageError as error:
                self._diagnostics.reject(error)

    def _gather(self, message) -> list:
        """Return what waits, oldest first."""
        waiting = [message, *self._more()]
        for _ in range(_MOMENTS):
            if _lag(waiting[-1]) <= self._least_lag + self._limit:
                break
            # What comes first after a standstill is old: newer ones are there in a moment.
            time.sleep(_MOMENT)
            more = list(self._more())
            if not more:
                # There are none. A recording that is played slowly, or clocks apart, look alike.
                self._least_lag = math.inf
                break
            waiting += more
        self._least_lag = min(self._least_lag, _lag(waiting[-1]))
        return waiting

    def _more(self) -> Iterator[object]:
        """Yield what else has arrived; the executor would give it one by one."""
        queue, message_type = self._subscription.handle, self._subscription.msg_type
        with queue:
            for _ in range(_MOST):
                taken = queue.take_message(message_type, self._subscription.raw)
                if taken is None:
                    return
                yield taken[0]


def _lag(message) -> float:
    """Return how much later than its stamp it is [s], but for a constant."""
    return time.monotonic() - stamp_of(message.header) / NANOSECONDS
