# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What all nodes of the chain have in common."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header

from doa_ros.conversions.arrays import array_from_info
from doa_ros.core.errors import DoaError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import MicArray
from doa_ros.core.monitoring import Level, Status
from doa_ros.msg import MicArrayInfo
from doa_ros.nodes.configs import PaceConfig
from doa_ros.nodes.diagnostics import Diagnostics
from doa_ros.nodes.latest_subscription import LatestSubscription
from doa_ros.nodes.publishing_thread import PublishingThread, Topic, depth_of
from doa_ros.nodes.qos import overridable
from doa_ros.nodes.topics import PublishedTopic

# Of a topic whose last message late subscribers get, too.
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# QoS depth of topics with a message per window.
_DEPTH = depth_of(FeatureConfig.hop)


class StartError(DoaError):
    """One of several nodes cannot start.

    Attributes:
        node: which one.
    """

    def __init__(self, node: Node, error: DoaError):
        super().__init__(str(error))
        self.node = node


class ChainNode(Node):
    """A node that publishes by the thread of its process and says how it is.

    Args:
        name: of the node.
        publishing: the thread that publishes.
    """

    def __init__(self, name: str, publishing: PublishingThread):
        super().__init__(name)
        publishing.nodes.append(self)
        self._publishing = publishing

    def diagnose(self, ok: str, parts: Sequence[Callable[[], Status]] = ()) -> None:
        """Publish diagnostics from now on; to be called before `topic`.

        Args:
            ok, parts: as for `Diagnostics`.
        """
        self._diagnostics = Diagnostics(self, self._publishing, ok, parts)

    def topic(self, published: PublishedTopic, qos: QoSProfile | int = _DEPTH) -> Topic:
        """Return a topic to publish on.

        Args:
            published: the topic.
            qos: of the topic; a number is its depth.

        Raises:
            ConfigError: a parameter gives a QoS that ROS does not know.
        """
        note = self._diagnostics.note_publishing
        return self._publishing.topic(self, published.message_type, published.name, qos, note)


class ArrayNode(ChainNode):
    """A node that works for one array at a time, which `take_array` says.

    Args:
        name: of the node.
        publishing: the thread that publishes.
        subscribe: whether arrays come from the topic `array_info`, rather than by calls of
            `take_array` in this process. Other messages wait until the first array has come.
    """

    def __init__(self, name: str, publishing: PublishingThread, *, subscribe: bool):
        super().__init__(name, publishing)
        self._waits = subscribe
        self._told_to_wait = False
        # Why this node cannot work for the array.
        self._refusal = ''
        self._info: MicArrayInfo | None = None
        self._inputs: list[LatestSubscription] = []
        if subscribe:
            with overridable('array_info') as options:
                self.create_subscription(
                    MicArrayInfo,
                    'array_info',
                    self._on_array_info,
                    LATCHED,
                    qos_overriding_options=options,
                )

    def take_array(self, array: MicArray) -> None:
        """Work for an array from now on.

        Raises:
            DoaError: this node cannot; the message says why.
        """
        raise NotImplementedError

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Name this node as the one that cannot start if this context raises a DoaError.

        Raises:
            StartError: instead of that error.
        """
        try:
            yield
        except DoaError as error:
            raise StartError(self, error) from None

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Log a DoaError of this context, and keep it for the status: this node cannot work."""
        self._refusal = ''
        try:
            yield
        except DoaError as error:
            self._refusal = str(error)
            self.get_logger().error(self._refusal)

    def take_latest(
        self, message_type: type, topic: str, take: Callable[[Any], None], pace: PaceConfig
    ) -> None:
        """Subscribe to a topic; messages wait for the array.

        Args:
            message_type, topic, take, pace: as for `LatestSubscription`.

        Raises:
            ConfigError: a parameter gives a QoS that ROS does not know.
        """
        self._inputs.append(
            LatestSubscription(
                self, message_type, topic, take, self._diagnostics, self._publishing, pace
            )
        )

    def diagnose(self, ok: str, parts: Sequence[Callable[[], Status]] = ()) -> None:
        """Publish diagnostics from now on; while this node cannot work, they say why.

        Args:
            ok, parts: as for `Diagnostics`; the parts are asked while this node works.
        """
        super().diagnose(ok, [self._status, *(self._while_working(part) for part in parts)])

    def _while_working(self, part: Callable[[], Status]) -> Callable[[], Status]:
        return lambda: Status(Level.OK, '') if self._waits or self._refusal else part()

    def _status(self) -> Status:
        if self._refusal:
            return Status(Level.ERROR, self._refusal)
        if not self._waits:
            return Status(Level.OK, '')
        if not self._told_to_wait:
            self._told_to_wait = True
            topic = self.resolve_topic_name('array_info')
            self.get_logger().info(f'waiting for {topic}, which audio_capture publishes')
        return Status(Level.WARN, 'waiting for array_info: is audio_capture running?')

    def _on_array_info(self, message: MicArrayInfo) -> None:
        with self._diagnostics.dropping():
            array = array_from_info(message)
            # It comes again whenever a stream begins.
            message.header = Header()
            if message == self._info:
                return
            self._info, self._waits = message, False
            with self.refusing():
                self.take_array(array)
            for subscription in self._inputs:
                subscription.start()


class WorkerNode(ChainNode):
    """A node with work of its own besides callbacks. When the work ends, so does the process."""

    def work(self) -> None:
        """Work in a thread of its own until done or interrupted; may raise DoaError."""
        raise NotImplementedError

    def interrupt(self) -> None:
        """Make `work` return, from any thread."""
        raise NotImplementedError
